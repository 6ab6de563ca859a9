//! The model whose calls go into batches.

use std::sync::Arc;

use async_trait::async_trait;

use super::BatchOptions;
use super::desk::Desk;
use super::setback::Tries;
use crate::model::journal::{Journal, question};
use crate::model::openai::{BatchClient, Endpoint, EndpointError};
use crate::model::retry::RetryPolicy;
use crate::model::traffic::{Lane, Traffic};
use crate::model::{ChatModel, ChatRequest, Completion, ModelError};

/// A [`ChatModel`] whose calls gather into batches and wait for their rows, which may take a day.
///
/// Dropped, it leaves its batches to the provider; another one with the same journal takes them up.
#[derive(Debug)]
pub struct Batched {
    desk: Arc<Desk>,
    scope: Option<String>,
}

impl Batched {
    /// The model at `endpoint`; nothing is sent yet. `journal` and `scope` must be those of the
    /// [`Journalled`](crate::model::journal::Journalled) around it: without a journal, what is in
    /// batches is lost with the process.
    ///
    /// # Errors
    ///
    /// [`EndpointError`] when no client can be made for the endpoint.
    pub fn new(
        endpoint: &Endpoint,
        options: BatchOptions,
        retry: RetryPolicy,
        journal: Option<Arc<dyn Journal>>,
        scope: Option<String>,
        traffic: Arc<Traffic>,
    ) -> Result<Self, EndpointError> {
        let provider = Arc::new(BatchClient::new(endpoint)?);
        let desk = Desk::new(provider, journal, options, retry, traffic);
        Ok(Self::at(desk, scope))
    }

    pub(super) fn at(desk: Desk, scope: Option<String>) -> Self {
        let desk = Arc::new(desk);
        let lane: Arc<dyn Lane> = desk.clone();
        desk.traffic.add_lane(&lane);
        Self { desk, scope }
    }
}

impl Drop for Batched {
    fn drop(&mut self) {
        self.desk.leave();
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl ChatModel for Batched {
    fn name(&self) -> &str {
        self.desk.provider.model()
    }

    async fn complete(&self, request: &ChatRequest) -> Result<Completion, ModelError> {
        let id = question(self.scope.as_deref(), self.name(), request)?.key;
        let mut tries = Tries::new(self.desk.retry.attempts);
        loop {
            self.desk.traffic.resumed().await;
            let line = self.desk.provider.line(id, request)?;
            let setback = {
                let _in_flight = self.desk.traffic.begin();
                match self.desk.board(id, line).await {
                    Ok(completion) => return Ok(completion),
                    Err(setback) => setback,
                }
            };
            tracing::debug!(
                model = self.name(),
                ?setback,
                "a batch did not answer a request"
            );
            if let Err(error) = tries.after(setback) {
                self.desk.traffic.count_failure();
                return Err(error);
            }
            self.desk.traffic.count_retry();
        }
    }

    fn read(&self, raw: &[u8]) -> Result<Completion, ModelError> {
        self.desk.provider.read(raw)
    }
}
