//! What the calls of a run may spend, and what they have spent: no call begins whose worst case
//! does not fit.

mod amount;
mod budgeted;
mod ledger;
#[cfg(test)]
mod tests;

pub use amount::{BudgetLimits, Spent};
pub use budgeted::Budgeted;
pub use ledger::Budget;
