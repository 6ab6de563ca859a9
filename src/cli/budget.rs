//! Options that say what a run may cost.

use clap::Args;

use crate::model::budget::BudgetLimits;

/// Options that bound what a run may cost.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(super) struct BudgetArgs {
    /// Stop before the run has cost more than this, in the currency of the prices
    #[arg(long, value_name = "X", value_parser = amount, help_heading = "Budget")]
    max_cost: Option<f64>,
    /// Stop before the run has taken more tokens than this, of prompts and replies together
    #[arg(long, value_name = "N", help_heading = "Budget")]
    max_total_tokens: Option<u64>,
}

impl BudgetArgs {
    pub(super) fn limits(self) -> BudgetLimits {
        BudgetLimits {
            cost: self.max_cost,
            tokens: self.max_total_tokens,
        }
    }
}

fn amount(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(amount) if amount.is_finite() && amount >= 0.0 => Ok(amount),
        _ => Err("an amount is a number from 0".to_owned()),
    }
}
