//! What the calls of one record used.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::{Called, Took};
use crate::model::{Completion, ModelRole, Price};
use crate::transcript::UsageByRole;

/// Adds up the calls of one record, some of which run side by side.
#[derive(Debug)]
pub struct Ledger {
    began: Instant,
    sums: Mutex<Sums>,
}

#[derive(Debug, Default)]
struct Sums {
    usage: UsageByRole,
    journalled: BTreeMap<ModelRole, u64>,
    calls: Vec<Called>,
}

/// What a [`Ledger`] has added up.
#[derive(Clone, Debug)]
pub struct Closed {
    /// What was used, by role.
    pub usage: UsageByRole,
    /// How many calls of each role the journal answered.
    pub journalled: BTreeMap<ModelRole, u64>,
    /// How long it all took; it decides nothing.
    pub took: Took,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            sums: Mutex::default(),
        }
    }
}

impl Ledger {
    /// Adds a completed call.
    pub fn add(&self, role: ModelRole, completion: &Completion, price: Option<Price>) {
        let mut sums = self.sums();
        let usage = sums.usage.entry(role).or_default();
        usage.add(completion);
        if let (Some(price), Some(tokens)) = (price, completion.usage) {
            *usage.cost.get_or_insert(0.0) += price.of(tokens);
        }
        if completion.journalled {
            *sums.journalled.entry(role).or_default() += 1;
        }
    }

    /// Counts a completed call as one that asked again, because an earlier reply could not be used.
    pub fn count_asked_again(&self, role: ModelRole) {
        self.sums().usage.entry(role).or_default().asked_again += 1;
    }

    /// Notes a call that has ended, completed or not.
    pub(super) fn note(&self, call: Called) {
        self.sums().calls.push(call);
    }

    /// What was added up.
    pub fn close(self) -> Closed {
        let sums = self
            .sums
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        Closed {
            usage: sums.usage,
            journalled: sums.journalled,
            took: Took {
                whole: self.began.elapsed(),
                calls: sums.calls,
            },
        }
    }

    fn sums(&self) -> MutexGuard<'_, Sums> {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
