//! Counts every call to an endpoint that is measured, whatever it is for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;

use crate::model::{ChatModel, ChatRequest, Completion, ModelError};

/// A [`ChatModel`] that counts its calls, and the tokens that the server tells of.
#[derive(Debug)]
pub(super) struct Counted {
    model: Arc<dyn ChatModel>,
    calls: AtomicU64,
    input: AtomicU64,
    output: AtomicU64,
}

impl Counted {
    pub(super) fn new(model: Arc<dyn ChatModel>) -> Self {
        Self {
            model,
            calls: AtomicU64::new(0),
            input: AtomicU64::new(0),
            output: AtomicU64::new(0),
        }
    }

    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Of prompts, and of replies.
    pub(super) fn tokens(&self) -> (u64, u64) {
        let [input, output] = [&self.input, &self.output].map(|it| it.load(Ordering::Relaxed));
        (input, output)
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl ChatModel for Counted {
    fn name(&self) -> &str {
        self.model.name()
    }

    async fn complete(&self, request: &ChatRequest) -> Result<Completion, ModelError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let completion = self.model.complete(request).await?;
        if let Some(usage) = completion.usage {
            self.input.fetch_add(usage.input, Ordering::Relaxed);
            self.output.fetch_add(usage.output, Ordering::Relaxed);
        }
        Ok(completion)
    }

    fn read(&self, raw: &[u8]) -> Result<Completion, ModelError> {
        self.model.read(raw)
    }
}
