//! What batches need of whoever works on them.

use std::fmt::Debug;

use async_trait::async_trait;
use bytes::Bytes;

use super::setback::RowEnd;
use crate::digest::Digest;
use crate::model::{ChatRequest, Completion, ModelError};

/// The far end of a batch: files go up, batches are made and looked at, files come down.
///
/// One call is one HTTP request, [`find`](Self::find) apart; nothing is tried again here.
#[async_trait]
pub(in crate::model) trait Provider: Debug + Send + Sync {
    /// The model's name, as the provider knows it.
    fn model(&self) -> &str;

    /// The provider's address, without credentials.
    fn address(&self) -> &str;

    /// The line of an input file that asks for `request` under the name `id`.
    fn line(&self, id: Digest, request: &ChatRequest) -> Result<Vec<u8>, ModelError>;

    /// Keeps an input file, and gives its id.
    async fn upload(&self, lines: Bytes, name: &str) -> Result<String, ModelError>;

    /// Makes a batch of an input file.
    async fn create(&self, file: &str, tag: &str) -> Result<BatchState, ModelError>;

    /// The batch as it stands.
    async fn retrieve(&self, batch: &str) -> Result<BatchState, ModelError>;

    /// The batch that was made of this input file, or has this tag.
    async fn find(&self, file: &str, tag: &str) -> Result<Option<BatchState>, ModelError>;

    /// A file of results.
    async fn content(&self, file: &str) -> Result<Bytes, ModelError>;

    /// What a line of a file of results says, and about which row; nothing when it is no such line.
    fn read_line(&self, line: &Bytes) -> Option<(Digest, RowEnd)>;

    /// Reads a reply from its raw bytes.
    fn read(&self, raw: &[u8]) -> Result<Completion, ModelError>;
}

/// A batch at one moment.
#[derive(Clone, Debug, Default)]
pub(in crate::model) struct BatchState {
    /// The provider's name for it.
    pub(in crate::model) id: String,
    /// How far it is.
    pub(in crate::model) status: BatchStatus,
    /// The file of replies.
    pub(in crate::model) output_file: Option<String>,
    /// The file of rows that failed.
    pub(in crate::model) error_file: Option<String>,
    /// Why it failed as a whole.
    pub(in crate::model) faults: Vec<BatchFault>,
}

/// How far a batch is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::model) enum BatchStatus {
    /// It is being validated, worked on, finalized or cancelled, or is in a state of a name that
    /// is not known.
    #[default]
    UnderWay,
    /// Every row has a result.
    Completed,
    /// It was refused before any row was worked on.
    Failed,
    /// Its time ran out; some rows may have results.
    Expired,
    /// It was cancelled; some rows may have results.
    Cancelled,
}

/// One reason for which a batch was refused.
#[derive(Clone, Debug, Default)]
pub(in crate::model) struct BatchFault {
    /// The line of the input file, from 1.
    pub(in crate::model) line: Option<usize>,
    /// The provider's code.
    pub(in crate::model) code: String,
    /// The provider's words.
    pub(in crate::model) message: String,
    /// Whether it says that the account has no money or quota left.
    pub(in crate::model) is_about_money: bool,
}

impl BatchFault {
    /// Whether it says that too much is waiting at the provider already.
    pub(super) fn is_full_queue(&self) -> bool {
        self.code == "token_limit_exceeded"
            || self.message.to_lowercase().contains("enqueued token limit")
    }
}
