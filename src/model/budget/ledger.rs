//! The budget itself: what is spent, what is reserved, and whether a call still fits.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::amount::{Amount, BudgetLimits, Spent, billionths, in_billionths, in_whole};
use crate::model::{ModelError, Price, TokenUsage};

/// What all calls that share a [`Traffic`](crate::model::traffic::Traffic) may spend, and have spent.
///
/// While there is no limit, a call costs it a few additions. With one, every call first reserves
/// the most that it may spend; what it really spent replaces that afterwards.
#[derive(Debug, Default)]
pub struct Budget {
    input: AtomicU64,
    cached: AtomicU64,
    output: AtomicU64,
    billionths: AtomicU64,
    unpriced_calls: AtomicU64,
    is_limited: AtomicBool,
    has_price: AtomicBool,
    ledger: Mutex<Ledger>,
    given_back: Notify,
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    limits: BudgetLimits,
    /// What earlier processes of the run spent.
    earlier: Spent,
    /// What calls took that did not say how many tokens it was; a guess, and counted against the
    /// limits alone.
    pub(super) guessed: Amount,
    pub(super) reserved: Amount,
    pub(super) reservations: usize,
}

impl Budget {
    /// Sets the limits, from the next call on; calls that wait for room look again.
    pub fn set_limits(&self, limits: BudgetLimits) {
        self.ledger().limits = limits;
        self.is_limited.store(!limits.is_none(), Ordering::Relaxed);
        self.given_back.notify_waiters();
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> BudgetLimits {
        self.ledger().limits
    }

    /// Whether any model whose calls count here has a price; without one, nothing costs money.
    #[must_use]
    pub fn has_price(&self) -> bool {
        self.has_price.load(Ordering::Relaxed)
    }

    pub(crate) fn tell_of_price(&self) {
        self.has_price.store(true, Ordering::Relaxed);
    }

    /// What was spent, by earlier processes of the run, too.
    #[must_use]
    pub fn spent(&self) -> Spent {
        let earlier = self.ledger().earlier;
        self.spent_here().and(&earlier)
    }

    /// What was spent by this process.
    #[must_use]
    pub fn spent_here(&self) -> Spent {
        Spent {
            input: self.input.load(Ordering::Relaxed),
            cached: self.cached.load(Ordering::Relaxed),
            output: self.output.load(Ordering::Relaxed),
            cost: in_whole(self.billionths.load(Ordering::Relaxed)),
            unpriced_calls: self.unpriced_calls.load(Ordering::Relaxed),
        }
    }

    /// Adds what earlier processes of the run spent; it counts against the limits.
    pub fn add_earlier(&self, spent: Spent) {
        let mut ledger = self.ledger();
        ledger.earlier = ledger.earlier.and(&spent);
    }

    pub(super) fn is_limited(&self) -> bool {
        self.is_limited.load(Ordering::Relaxed)
    }

    pub(super) fn spend(&self, usage: TokenUsage, price: Option<&Price>) {
        self.input.fetch_add(usage.input, Ordering::Relaxed);
        self.cached.fetch_add(usage.cached, Ordering::Relaxed);
        self.output.fetch_add(usage.output, Ordering::Relaxed);
        match price {
            Some(_) => {
                let cost = billionths(usage, price);
                self.billionths.fetch_add(cost, Ordering::Relaxed);
            }
            None => self.count_unpriced(),
        }
    }

    /// Counts a request that may have cost something that nobody knows.
    pub(in crate::model) fn count_unpriced(&self) {
        self.unpriced_calls.fetch_add(1, Ordering::Relaxed);
    }

    /// Reserves `amount`, once it fits beside what others have reserved.
    pub(super) async fn reserve(&self, amount: Amount) -> Result<Reservation<'_>, ModelError> {
        loop {
            // Made before looking, so that what is given back in between is not missed.
            let given_back = self.given_back.notified();
            {
                let mut ledger = self.ledger();
                let Some(what) = self.lacks(&ledger, amount) else {
                    ledger.reserved = ledger.reserved.plus(amount);
                    ledger.reservations += 1;
                    return Ok(Reservation {
                        budget: self,
                        amount,
                    });
                };
                if ledger.reservations == 0 {
                    return Err(ModelError::BudgetReached { what });
                }
            }
            given_back.await;
        }
    }

    /// Which limit leaves no room for `amount`, in words.
    fn lacks(&self, ledger: &Ledger, amount: Amount) -> Option<String> {
        let spent = self.spent_here().and(&ledger.earlier);
        let taken = ledger.reserved.plus(ledger.guessed);
        let BudgetLimits { cost, tokens } = ledger.limits;
        if let Some(limit) = tokens {
            let wanted = taken.tokens.saturating_add(amount.tokens);
            if spent.tokens().saturating_add(wanted) > limit {
                return Some(format!(
                    "{} of {limit} tokens are spent, and the next call may take {}",
                    spent.tokens().saturating_add(ledger.guessed.tokens),
                    amount.tokens
                ));
            }
        }
        let limit = cost?;
        let wanted = taken.billionths.saturating_add(amount.billionths);
        let spent = in_billionths(spent.cost);
        if spent.saturating_add(wanted) <= in_billionths(limit) {
            return None;
        }
        Some(format!(
            "{:.4} of {limit} is spent, and the next call may cost {:.4}",
            in_whole(spent.saturating_add(ledger.guessed.billionths)),
            in_whole(amount.billionths)
        ))
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An amount that is set aside for a call until the call has ended, however it ends.
#[derive(Debug)]
pub(super) struct Reservation<'a> {
    budget: &'a Budget,
    amount: Amount,
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        let mut ledger = self.budget.ledger();
        ledger.reserved = ledger.reserved.minus(self.amount);
        ledger.reservations -= 1;
        drop(ledger);
        self.budget.given_back.notify_waiters();
    }
}
