//! How much may be spent, how much was, and sums of both.

use serde::{Deserialize, Serialize};

use crate::model::{Price, TokenUsage};

/// Costs are counted in billionths.
const BILLION: f64 = 1e9;

/// How much may be spent; what is absent is not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BudgetLimits {
    /// In the currency of the prices.
    pub cost: Option<f64>,
    /// Tokens of prompts and replies together.
    pub tokens: Option<u64>,
}

impl BudgetLimits {
    pub(super) fn is_none(&self) -> bool {
        self.cost.is_none() && self.tokens.is_none()
    }
}

/// What was spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spent {
    /// Tokens of prompts, those from a prefix cache included.
    pub input: u64,
    /// Those of them that came from a prefix cache.
    pub cached: u64,
    /// Tokens of replies.
    pub output: u64,
    /// What they cost, where the model has a price.
    pub cost: f64,
    /// Requests that may have cost something that is not in `cost`: the model has no price, the
    /// server did not say how many tokens it took, or the reply was lost on its way, even where
    /// another request brought one.
    pub unpriced_calls: u64,
}

impl Spent {
    /// Tokens of prompts and replies together.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.input.saturating_add(self.output)
    }

    pub(super) fn and(self, other: &Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            cached: self.cached.saturating_add(other.cached),
            output: self.output.saturating_add(other.output),
            cost: self.cost + other.cost,
            unpriced_calls: self.unpriced_calls.saturating_add(other.unpriced_calls),
        }
    }
}

/// Tokens and their cost in billionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) tokens: u64,
    pub(super) billionths: u64,
}

impl Amount {
    pub(super) fn of(usage: TokenUsage, price: Option<&Price>) -> Self {
        Self {
            tokens: usage.input.saturating_add(usage.output),
            billionths: billionths(usage, price),
        }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_add(other.tokens),
            billionths: self.billionths.saturating_add(other.billionths),
        }
    }

    pub(super) fn minus(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_sub(other.tokens),
            billionths: self.billionths.saturating_sub(other.billionths),
        }
    }
}

pub(super) fn billionths(usage: TokenUsage, price: Option<&Price>) -> u64 {
    price.map_or(0, |price| in_billionths(price.of(usage)))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the conversion stops at the bounds, and no cost is negative"
)]
pub(super) fn in_billionths(cost: f64) -> u64 {
    (cost * BILLION).round() as u64
}

#[expect(
    clippy::cast_precision_loss,
    reason = "costs are far below 2^52 billionths"
)]
pub(super) fn in_whole(billionths: u64) -> f64 {
    billionths as f64 / BILLION
}
