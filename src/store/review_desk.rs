//! The store as a desk for people who review: what waits, who looks at it, and the rules as they stood.

use std::fmt::Debug;

use async_trait::async_trait;

use super::{Page, StoreError, StoredTranscript};
use crate::digest::Digest;
use crate::record::RecordId;

/// A store whose held transcripts can be handed to people, one person at a time.
#[async_trait]
pub trait ReviewDesk: Debug + Send + Sync {
    /// The transcripts of a run that wait for a person, from after a cursor, as
    /// [`Store::transcripts`](super::Store::transcripts).
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    async fn held(
        &self,
        run: &str,
        after: Option<i64>,
        limit: usize,
    ) -> Result<Page<StoredTranscript>, StoreError>;

    /// Claims a record for a reviewer until a time, unless so many others hold claims that have not
    /// run out; whether the claim was given. One's own claim is renewed. Times are RFC 3339 in UTC, to
    /// the millisecond.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    async fn claim(&self, claim: Claim) -> Result<bool, StoreError>;

    /// Who looks at a record: whose claims have not run out by a time.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    async fn claimants(
        &self,
        run: &str,
        record: &RecordId,
        now: &str,
    ) -> Result<Vec<String>, StoreError>;

    /// At which records of a run somebody looks: those of their claims that have not run out by a time.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    async fn claimed_by(
        &self,
        run: &str,
        reviewer: &str,
        now: &str,
    ) -> Result<Vec<RecordId>, StoreError>;

    /// Gives a claim back.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    async fn release(&self, run: &str, record: &RecordId, reviewer: &str)
    -> Result<(), StoreError>;

    /// Keeps the text of a constitution under its digest.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    async fn keep_constitution(&self, digest: Digest, text: &str) -> Result<(), StoreError>;

    /// The text that was kept under a digest: the constitution as it stood, as JSON.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or what it holds has another digest.
    async fn constitution(&self, digest: Digest) -> Result<Option<String>, StoreError>;
}

/// A wish to look at a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The run.
    pub run: String,
    /// The record.
    pub record: RecordId,
    /// Who claims it.
    pub reviewer: String,
    /// The time now.
    pub now: String,
    /// When the claim runs out.
    pub until: String,
    /// How many people may look at it at once.
    pub most: u32,
}
