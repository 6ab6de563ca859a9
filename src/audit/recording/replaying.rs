//! A journal that knows recorded calls alone.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::digest::Digest;
use crate::model::journal::{Journal, JournalError, JournalledCall};

/// Gives recorded replies, and keeps each that it gives in the journal of the run, as if it had been asked
/// for just now.
#[derive(Debug)]
pub struct Replaying {
    recorded: Arc<dyn Journal>,
    kept: Arc<dyn Journal>,
}

/// The run's journal has another reply.
#[derive(Debug, thiserror::Error)]
#[error(
    "the store has another reply to the call {0} than the recorded one; give --replay a --store of its own"
)]
struct OtherReply(Digest);

impl Replaying {
    /// Serves what is recorded, and keeps it in another journal.
    pub fn new(recorded: Arc<dyn Journal>, kept: Arc<dyn Journal>) -> Self {
        Self { recorded, kept }
    }
}

#[async_trait]
impl Journal for Replaying {
    async fn reply(&self, key: Digest) -> Result<Option<Bytes>, JournalError> {
        let Some(call) = self.recorded.call(key).await? else {
            return Ok(None);
        };
        let reply = call.reply.clone();
        if !self.kept.keep(call).await? && self.kept.reply(key).await?.as_ref() != Some(&reply) {
            return Err(JournalError(Box::new(OtherReply(key))));
        }
        Ok(Some(reply))
    }

    async fn call(&self, key: Digest) -> Result<Option<JournalledCall>, JournalError> {
        self.recorded.call(key).await
    }

    async fn keep(&self, call: JournalledCall) -> Result<bool, JournalError> {
        self.kept.keep(call).await
    }

    async fn note(&self, model: &str, name: &str) -> Result<Option<String>, JournalError> {
        let note = self.recorded.note(model, name).await?;
        if let Some(value) = &note {
            self.kept.set_note(model, name, value).await?;
        }
        Ok(note)
    }

    async fn set_note(&self, model: &str, name: &str, value: &str) -> Result<(), JournalError> {
        self.kept.set_note(model, name, value).await
    }

    async fn notes(
        &self,
        model: &str,
        prefix: &str,
    ) -> Result<Vec<(String, String)>, JournalError> {
        self.recorded.notes(model, prefix).await
    }

    async fn forget_note(&self, model: &str, name: &str) -> Result<(), JournalError> {
        self.kept.forget_note(model, name).await
    }
}
