//! What calls may cost, and what they have cost.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What calls may use at most.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BudgetLimits {
    /// The most money, in the currency of the prices.
    pub cost: Option<f64>,
    /// The most tokens, of prompts and replies together.
    pub tokens: Option<u64>,
}

/// What calls have used.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spent {
    /// Tokens of prompts.
    pub input: u64,
    /// Those of them that a prefix cache served.
    pub cached: u64,
    /// Tokens of replies.
    pub output: u64,
    /// Money, in the currency of the prices.
    pub cost: f64,
    /// Calls of models without a price, or without token counts.
    pub unpriced_calls: u64,
}

/// The budget of a run.
#[derive(Debug, Default)]
pub struct Budget(Mutex<(BudgetLimits, Spent)>);

impl Budget {
    /// Changes what calls may use; those in flight go on.
    pub fn set_limits(&self, limits: BudgetLimits) {
        self.held().0 = limits;
    }

    /// What calls may use.
    #[must_use]
    pub fn limits(&self) -> BudgetLimits {
        self.held().0
    }

    /// What calls have used, what was added from earlier processes included.
    #[must_use]
    pub fn spent(&self) -> Spent {
        self.held().1
    }

    /// Counts what earlier processes of the run have used.
    pub fn add_earlier(&self, earlier: Spent) {
        let spent = &mut self.held().1;
        spent.input += earlier.input;
        spent.cached += earlier.cached;
        spent.output += earlier.output;
        spent.cost += earlier.cost;
        spent.unpriced_calls += earlier.unpriced_calls;
    }

    fn held(&self) -> MutexGuard<'_, (BudgetLimits, Spent)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
