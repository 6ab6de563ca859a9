//! The trait that everything which answers a chat request implements.

use std::fmt::Debug;

use async_trait::async_trait;

use super::{ChatRequest, Completion, ModelError};

/// Something that answers a chat request: a server, a wrapper around another model, a script.
///
/// Only [`name`](Self::name) and [`complete`](Self::complete) must be supplied. A wrapper forwards
/// every method to what it wraps.
#[async_trait]
pub trait ChatModel: Debug + Send + Sync {
    /// The model's name, as it stands in requests, the journal and transcripts.
    fn name(&self) -> &str;

    /// Answers one request.
    ///
    /// # Errors
    ///
    /// A [`ModelError`] says whether trying again may help, and whether the failure concerns this
    /// record or the whole run.
    async fn complete(&self, request: &ChatRequest) -> Result<Completion, ModelError>;

    /// Reads a reply that [`complete`](Self::complete) gave earlier, from the raw bytes that the
    /// journal kept.
    ///
    /// # Errors
    ///
    /// [`ModelError::Garbled`] when the bytes are not a reply of this model.
    fn read(&self, raw: &[u8]) -> Result<Completion, ModelError> {
        serde_json::from_slice(raw).map_err(|error| ModelError::Garbled {
            what: error.to_string(),
        })
    }
}
