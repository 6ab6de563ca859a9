//! What the calls of one record used.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::model::{Completion, ModelRole, Price};
use crate::transcript::UsageByRole;

/// Adds up the calls of one record, some of which run side by side.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Sums>);

#[derive(Debug, Default)]
struct Sums {
    usage: UsageByRole,
    journalled: BTreeMap<ModelRole, u64>,
}

impl Ledger {
    /// Adds a completed call.
    pub fn add(&self, role: ModelRole, completion: &Completion, price: Option<Price>) {
        let mut sums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
        let mut sums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sums.usage.entry(role).or_default().asked_again += 1;
    }

    /// What was used by role, and how many calls of each the journal answered.
    pub fn close(self) -> (UsageByRole, BTreeMap<ModelRole, u64>) {
        let sums = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        (sums.usage, sums.journalled)
    }
}
