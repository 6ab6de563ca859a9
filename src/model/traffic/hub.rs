//! Where all calls of a process meet: counts, the limits of their endpoints, and whether they may go.

use std::fmt::{self, Debug};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, watch};

use super::{EndpointStatus, Lane, TrafficEvent};
use crate::model::Concurrency;
use crate::model::budget::Budget;

/// Records in flight when no model is asked: they only wait for the disk.
const WINDOW_WITHOUT_MODEL: usize = 1024;

/// What the calls of a process are doing right now; shared between the wrappers that count, the run
/// that follows, and whoever shows or steers it.
#[derive(Default)]
pub struct Traffic {
    asked: AtomicU64,
    in_flight: AtomicU64,
    retries: AtomicU64,
    failed: AtomicU64,
    throttled: AtomicU64,
    budget: Budget,
    lanes: Mutex<Vec<Weak<dyn Lane>>>,
    paused: watch::Sender<bool>,
    last_stretch: AtomicBool,
    changed: Notify,
    listener: OnceLock<Box<Listener>>,
}

type Listener = dyn Fn(&TrafficEvent) + Send + Sync;

/// The counts of [`Traffic`] at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallCounts {
    /// Requests sent, repeated ones included.
    pub asked: u64,
    /// Requests whose reply is not whole yet.
    pub in_flight: u64,
    /// Requests that repeat a failed one: the transport's retries.
    pub retries: u64,
    /// Calls given up: with an error that no repetition helps, or after the last repetition.
    pub failed: u64,
    /// Requests that a server put off with 429 or 503.
    pub throttled: u64,
    /// Tokens of prompts, those from a prefix cache included.
    pub input: u64,
    /// Those of them that came from a prefix cache.
    pub cached: u64,
    /// Tokens of replies.
    pub output: u64,
    /// What the tokens cost, where the models have prices.
    pub cost: f64,
}

impl Traffic {
    /// Traffic without calls.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// The counts as they stand.
    #[must_use]
    pub fn counts(&self) -> CallCounts {
        let spent = self.budget.spent_here();
        CallCounts {
            asked: self.asked.load(Ordering::Relaxed),
            in_flight: self.in_flight.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            throttled: self.throttled.load(Ordering::Relaxed),
            input: spent.input,
            cached: spent.cached,
            output: spent.output,
            cost: spent.cost,
        }
    }

    /// What the calls may spend, and have spent.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Every endpoint of every model, as it stands.
    #[must_use]
    pub fn endpoints(&self) -> Vec<EndpointStatus> {
        let lanes = self.lanes();
        lanes.iter().flat_map(|lane| lane.endpoints()).collect()
    }

    /// How many batches are under way at providers; they go on when this process ends.
    #[must_use]
    pub fn open_batches(&self) -> usize {
        self.lanes().iter().map(|lane| lane.open_batches()).sum()
    }

    /// How many records are worth having in flight now: as many as calls may be, and as many
    /// again that wait for a place or for the disk: the servers are busy while replies are kept.
    #[must_use]
    pub fn window(&self) -> usize {
        let lanes = self.lanes();
        if lanes.is_empty() {
            return WINDOW_WITHOUT_MODEL;
        }
        let limit: usize = lanes.iter().map(|lane| lane.limit()).sum();
        limit.saturating_mul(2).saturating_add(16)
    }

    /// Ready when the window may have grown, or the traffic was paused or resumed, since the last
    /// time that somebody waited here.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Whether any endpoint has a concurrency to set.
    #[must_use]
    pub fn has_concurrency(&self) -> bool {
        self.lanes().iter().any(|lane| lane.has_concurrency())
    }

    /// Pins the concurrency of every endpoint, or lets it find itself.
    pub fn set_concurrency(&self, concurrency: Concurrency) {
        for lane in self.lanes() {
            lane.set_concurrency(concurrency);
        }
        self.changed.notify_one();
    }

    /// Lets no further call begin; those in flight go on.
    pub fn pause(&self) {
        self.set_paused(true);
    }

    /// Lets calls begin again.
    pub fn resume(&self) {
        self.set_paused(false);
    }

    /// Whether calls may not begin.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        *self.paused.borrow()
    }

    /// Ready once calls may begin.
    pub async fn resumed(&self) {
        let mut paused = self.paused.subscribe();
        // The sender lives as long as this value.
        let _ = paused.wait_for(|paused| !paused).await;
    }

    /// Says whether the input has ended: then the records with the longest way to go come first.
    pub fn set_last_stretch(&self, last: bool) {
        self.last_stretch.store(last, Ordering::Relaxed);
        self.look_again();
    }

    /// Whether the input has ended.
    #[must_use]
    pub fn is_last_stretch(&self) -> bool {
        self.last_stretch.load(Ordering::Relaxed)
    }

    /// Tells `listener` of every event from now on; the first listener stays.
    pub fn listen(&self, listener: impl Fn(&TrafficEvent) + Send + Sync + 'static) {
        let _ = self.listener.set(Box::new(listener));
    }

    /// Adds the calls of a model.
    pub fn add_lane(&self, lane: &Arc<dyn Lane>) {
        self.known_lanes().push(Arc::downgrade(lane));
        self.changed.notify_one();
    }

    /// Tells of an event.
    pub(in crate::model) fn tell(&self, event: &TrafficEvent) {
        tracing::debug!(?event, "traffic");
        if matches!(event, TrafficEvent::Limit { .. }) {
            self.changed.notify_one();
        }
        if let Some(listener) = self.listener.get() {
            listener(event);
        }
    }

    /// Counts a request as sent, and as in flight until the guard is dropped.
    pub(in crate::model) fn begin(self: &Arc<Self>) -> InFlight {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(Arc::clone(self))
    }

    pub(in crate::model) fn count_retry(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    pub(in crate::model) fn count_failure(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(in crate::model) fn count_throttled(&self) {
        self.throttled.fetch_add(1, Ordering::Relaxed);
    }

    fn set_paused(&self, paused: bool) {
        self.paused.send_replace(paused);
        self.look_again();
        self.changed.notify_one();
    }

    fn look_again(&self) {
        for lane in self.lanes() {
            lane.look_again();
        }
    }

    fn lanes(&self) -> Vec<Arc<dyn Lane>> {
        self.known_lanes()
            .iter()
            .filter_map(Weak::upgrade)
            .collect()
    }

    fn known_lanes(&self) -> MutexGuard<'_, Vec<Weak<dyn Lane>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Debug for Traffic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Traffic")
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

/// A request in flight; a call that is cancelled drops it, too.
#[derive(Debug)]
pub(in crate::model) struct InFlight(Arc<Traffic>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
