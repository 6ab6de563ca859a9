//! The journal: a reply that is known is given back, a new one is kept before anything is built
//! on it.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde::Serialize;
use tokio::time::Instant;

use super::{ChatModel, ChatRequest, Completion, ModelError};
use crate::digest::Digest;

/// Where replies are kept: a store, or memory in tests.
#[async_trait]
pub trait Journal: Debug + Send + Sync {
    /// The raw reply kept under `key`, if there is one.
    ///
    /// # Errors
    ///
    /// When the journal cannot be read.
    async fn reply(&self, key: Digest) -> Result<Option<Bytes>, JournalError>;

    /// Keeps a reply; returns once it would survive a crash.
    ///
    /// # Errors
    ///
    /// When the journal cannot be written: the reply must then not be used.
    async fn keep(&self, call: JournalledCall) -> Result<(), JournalError>;

    /// What was found out about a model earlier, under a name such as `structured`.
    ///
    /// # Errors
    ///
    /// When the journal cannot be read.
    async fn note(&self, model: &str, name: &str) -> Result<Option<String>, JournalError>;

    /// Remembers something about a model.
    ///
    /// # Errors
    ///
    /// When the journal cannot be written.
    async fn set_note(&self, model: &str, name: &str, value: &str) -> Result<(), JournalError>;
}

/// The journal could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct JournalError(#[from] pub Box<dyn std::error::Error + Send + Sync>);

/// One call as the journal keeps it.
#[derive(Clone, Debug)]
pub struct JournalledCall {
    /// The digest of scope, model name and request.
    pub key: Digest,
    /// The model's name.
    pub model: String,
    /// The request as JSON.
    pub request: Bytes,
    /// The reply, raw, as it came.
    pub reply: Bytes,
    /// How long the reply took.
    pub latency: Duration,
}

/// A [`ChatModel`] whose replies are journalled.
#[derive(Debug)]
pub struct Journalled {
    model: Arc<dyn ChatModel>,
    journal: Arc<dyn Journal>,
    scope: Option<String>,
}

impl Journalled {
    /// Wraps `model`. Calls under a `scope` neither see nor serve calls outside it; a run that
    /// ignores the journal has a scope of its own.
    pub fn new(
        model: Arc<dyn ChatModel>,
        journal: Arc<dyn Journal>,
        scope: Option<String>,
    ) -> Self {
        Self {
            model,
            journal,
            scope,
        }
    }
}

#[derive(Serialize)]
struct Question<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    model: &'a str,
    request: &'a ChatRequest,
}

#[async_trait]
impl ChatModel for Journalled {
    fn name(&self) -> &str {
        self.model.name()
    }

    async fn complete(&self, request: &ChatRequest) -> Result<Completion, ModelError> {
        let question = serde_json::to_vec(&Question {
            scope: self.scope.as_deref(),
            model: self.model.name(),
            request,
        })
        .map_err(|error| ModelError::Other(error.to_string()))?;
        let key = Digest::of(&question);
        if let Some(raw) = self.journal.reply(key).await? {
            let known = self.model.read(&raw)?;
            return Ok(Completion {
                call: Some(key),
                journalled: true,
                ..known
            });
        }
        let asked = Instant::now();
        let completion = self.model.complete(request).await?;
        self.journal
            .keep(JournalledCall {
                key,
                model: self.model.name().to_owned(),
                request: question.into(),
                reply: completion.to_raw(),
                latency: asked.elapsed(),
            })
            .await?;
        Ok(Completion {
            call: Some(key),
            ..completion
        })
    }

    fn read(&self, raw: &[u8]) -> Result<Completion, ModelError> {
        self.model.read(raw)
    }
}
