//! What a run may cost: the options, and what is said when it is reached.

use std::error::Error;

use clap::Args;
use serde_json::{Value, json};

use super::progress::{Money, View};
use super::terminal::{Paint, counted, money, safe, thousands};
use crate::model::ModelError;
use crate::model::budget::BudgetLimits;
use crate::run::RunError;

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

/// Which part of the budget is reached, when that is why a run stopped.
pub(super) fn reached(failure: &anyhow::Error) -> Option<&str> {
    failure.chain().find_map(of_cause)
}

/// The same of a run's error.
pub(super) fn reached_by(error: &RunError) -> Option<&str> {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(what) = of_cause(error) {
            return Some(what);
        }
        cause = error.source();
    }
    None
}

fn of_cause<'e>(cause: &'e (dyn Error + 'static)) -> Option<&'e str> {
    match cause.downcast_ref::<ModelError>() {
        Some(ModelError::BudgetReached { what }) => Some(what),
        _ => None,
    }
}

/// The same as JSON.
pub(super) fn as_json(view: &View) -> Value {
    json!({
        "run": view.run,
        "finished": false,
        "budget_reached": true,
        "rows": view.rows,
        "rejected": view.rejected,
        "seconds": view.seconds,
        "spent": { "cost": view.money.cost, "tokens": view.money.tokens },
        "budget": { "cost": view.money.max_cost, "tokens": view.money.max_tokens },
        "requests": { "sent": view.calls.asked, "retried": view.calls.retries },
    })
}

/// Says that the budget is reached, what was spent, how far the run is, and how it goes on.
pub(super) fn say_reached(paint: Paint, what: &str, view: &View) {
    eprintln!(
        "\n{} the budget is reached: {}",
        paint.bold("Stopped:"),
        safe(what)
    );
    let Money {
        cost,
        tokens,
        max_cost,
        max_tokens,
        ..
    } = view.money;
    let mut spent = vec![format!("{} tokens", thousands(tokens))];
    if cost > 0.0 || max_cost.is_some() {
        spent.insert(0, money(cost));
    }
    eprintln!(
        "  {} {}, all processes of this run together",
        paint.dim("spent:"),
        spent.join(" for ")
    );
    let done = match view.total {
        Some(total) if total.exact => {
            format!("{} of {}", thousands(view.rows), counted(total.rows, "row"))
        }
        Some(total) => format!(
            "{} of about {}",
            thousands(view.rows),
            counted(total.rows, "row")
        ),
        None => counted(view.rows, "row"),
    };
    eprintln!("  {} {done}", paint.dim("done:"));
    let higher = match (max_cost, max_tokens) {
        (Some(_), None) => "--max-cost",
        (None, Some(_)) => "--max-total-tokens",
        _ => "--max-cost or --max-total-tokens",
    };
    eprintln!("{}", paint.bold("Next"));
    eprintln!(
        "  the same command with a higher {higher}   go on where it stopped (run {})",
        safe(&view.run)
    );
}
