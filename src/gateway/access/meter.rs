//! What one key has used of its limits.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::bucket::Bucket;
use super::{KeyLimits, Refusal};

/// How long a client waits that has too many requests under way: nobody knows when one will end.
const WHEN_FULL: Duration = Duration::from_secs(1);

/// What a key has used; it outlives changes of the key's limits.
#[derive(Debug, Default)]
pub(super) struct Meter(Mutex<Used>);

#[derive(Debug, Default)]
struct Used {
    requests: Option<Bucket>,
    tokens: Option<Bucket>,
    in_flight: u32,
}

impl Meter {
    /// Takes a request in, if the limits leave room for it.
    pub(super) fn enter(&self, limits: &KeyLimits) -> Result<(), Refusal> {
        let mut used = self.used();
        if limits
            .concurrency
            .is_some_and(|most| used.in_flight >= most)
        {
            return Err(Refusal::Concurrency { wait: WHEN_FULL });
        }
        if let Some(most) = limits.tokens_per_minute {
            let tokens = used.tokens.get_or_insert_with(|| Bucket::full(most));
            tokens
                .has_one(most)
                .map_err(|wait| Refusal::Tokens { wait })?;
        }
        if let Some(most) = limits.requests_per_minute {
            let requests = used.requests.get_or_insert_with(|| Bucket::full(most));
            requests
                .has_one(most)
                .map_err(|wait| Refusal::Requests { wait })?;
            requests.take(1);
        }
        used.in_flight += 1;
        Ok(())
    }

    /// A request has ended.
    pub(super) fn leave(&self) {
        let mut used = self.used();
        used.in_flight = used.in_flight.saturating_sub(1);
    }

    /// A request used so many tokens.
    pub(super) fn spend(&self, tokens: u64) {
        if let Some(bucket) = &mut self.used().tokens {
            bucket.take(tokens);
        }
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
