//! What the calls of a run are doing right now, for a progress line to read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts calls while they happen; shared between the wrappers that count and whoever shows it.
#[derive(Debug, Default)]
pub struct CallCounters {
    asked: AtomicU64,
    in_flight: AtomicU64,
    retries: AtomicU64,
    failed: AtomicU64,
}

/// [`CallCounters`] at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallCounts {
    /// Requests sent, repeated ones included.
    pub asked: u64,
    /// Requests whose reply is not whole yet.
    pub in_flight: u64,
    /// Requests that repeat a failed one.
    pub retries: u64,
    /// Calls given up: with an error that no repetition helps, or after the last repetition.
    pub failed: u64,
}

impl CallCounters {
    /// The counts as they stand.
    #[must_use]
    pub fn snapshot(&self) -> CallCounts {
        CallCounts {
            asked: self.asked.load(Ordering::Relaxed),
            in_flight: self.in_flight.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
        }
    }

    /// Counts a request as sent, and as in flight until the guard is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> InFlight {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(Arc::clone(self))
    }

    pub(super) fn count_retry(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_failure(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }
}

/// A request in flight; a call that is cancelled drops it, too.
pub(super) struct InFlight(Arc<CallCounters>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
