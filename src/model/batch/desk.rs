//! Where calls are seated, batches closed, and the work on each batch begun.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, OnceCell, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::BatchOptions;
use super::follow;
use super::provider::Provider;
use super::setback::{RowEnd, Setback};
use super::state::{Seated, State};
use super::take_up::take_up;
use crate::digest::Digest;
use crate::model::journal::Journal;
use crate::model::retry::RetryPolicy;
use crate::model::traffic::{EndpointState, EndpointStatus, Lane, Traffic};
use crate::model::{Concurrency, ModelError};

/// What all batches of one model share.
pub(super) struct Desk {
    pub(super) provider: Arc<dyn Provider>,
    pub(super) journal: Option<Arc<dyn Journal>>,
    pub(super) options: BatchOptions,
    pub(super) retry: RetryPolicy,
    pub(super) traffic: Arc<Traffic>,
    state: Mutex<State>,
    joined: Notify,
    tasks: Mutex<JoinSet<()>>,
    opened: OnceCell<()>,
    reached: AtomicBool,
}

impl Desk {
    pub(super) fn new(
        provider: Arc<dyn Provider>,
        journal: Option<Arc<dyn Journal>>,
        options: BatchOptions,
        retry: RetryPolicy,
        traffic: Arc<Traffic>,
    ) -> Self {
        Self {
            provider,
            journal,
            state: Mutex::new(State::new(options.max_requests)),
            options,
            retry,
            traffic,
            joined: Notify::new(),
            tasks: Mutex::default(),
            opened: OnceCell::new(),
            reached: AtomicBool::new(false),
        }
    }

    /// Joins a batch, and waits for the row.
    pub(super) async fn board(self: &Arc<Self>, id: Digest, line: Vec<u8>) -> RowEnd {
        self.opened
            .get_or_try_init(|| self.open())
            .await
            .map_err(Setback::Final)?;
        let (call, told) = oneshot::channel();
        if self.state().seat(id, line, call) == Seated::Gathers {
            self.joined.notify_one();
        }
        told.await.unwrap_or_else(|_| {
            let text = "the work on the batch ended before the request was answered";
            Err(Setback::Final(ModelError::Other(text.to_owned())))
        })
    }

    /// Takes up what an earlier process left, and begins to close batches.
    async fn open(self: &Arc<Self>) -> Result<(), ModelError> {
        take_up(self).await?;
        let desk = Arc::clone(self);
        self.spawn(async move { desk.close_batches().await });
        Ok(())
    }

    async fn close_batches(self: Arc<Self>) {
        loop {
            let due = self.state().due(&self.options);
            match due {
                None => self.joined.notified().await,
                Some(due) if due <= Instant::now() => {
                    self.traffic.resumed().await;
                    let closed = self.state().close(&self.options);
                    if let Some(closed) = closed {
                        self.spawn(follow::submit(Arc::clone(&self), closed));
                    }
                }
                Some(due) => tokio::select! {
                    () = sleep_until(due) => {}
                    () = self.joined.notified() => {}
                },
            }
        }
    }

    /// Begins work that ends with this desk at the latest.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks();
        while tasks.try_join_next().is_some() {}
        tasks.spawn(work);
    }

    /// Ends all work; what is at the provider goes on there.
    pub(super) fn leave(&self) {
        self.tasks().abort_all();
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tasks(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the provider has answered once.
    pub(super) fn was_reached(&self) -> bool {
        self.reached.load(Ordering::Relaxed)
    }

    pub(super) fn note_reached(&self) {
        self.reached.store(true, Ordering::Relaxed);
        self.state().trouble = None;
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Desk")
            .field("provider", &self.provider)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Lane for Desk {
    fn endpoints(&self) -> Vec<EndpointStatus> {
        let state = self.state();
        let (in_flight, waiting) = state.counts();
        let how = match &state.trouble {
            Some(why) => EndpointState::SetAside { why: why.clone() },
            None if state.is_held_back() => EndpointState::Paced,
            None if state.answered == 0 => EndpointState::Starting,
            None => EndpointState::Steady,
        };
        vec![EndpointStatus {
            model: self.provider.model().to_owned(),
            address: self.provider.address().to_owned(),
            limit: self.options.max_requests,
            in_flight,
            waiting,
            state: how,
            answered: state.answered,
            failed: state.failed,
            latency_ms: u64::try_from(state.last_took.as_millis()).unwrap_or(u64::MAX),
        }]
    }

    fn limit(&self) -> usize {
        self.options.max_requests
    }

    fn has_concurrency(&self) -> bool {
        false
    }

    fn set_concurrency(&self, _: Concurrency) {}

    fn look_again(&self) {}

    fn open_batches(&self) -> usize {
        self.state().open_batches()
    }
}
