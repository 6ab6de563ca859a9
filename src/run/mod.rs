//! Runs: a dataset through a pipeline into a store, resumable at any moment.
//!
//! A run reads rows (`reader`), keeps a bounded window of records in flight (`execute`), notes how
//! far the dataset is done without a gap (`frontier`, `checkpoints`), and in the end writes every
//! row back (`output`). Whoever watches may steer it (`control`). It reports [`RunEvent`]s and prints nothing.

mod checkpoints;
mod control;
mod error;
mod event;
mod execute;
mod frontier;
mod identity;
mod output;
mod patience;
mod pick;
mod plan;
mod reader;
mod record;
mod report;
mod stop;
mod streak;
#[cfg(test)]
mod tests;
mod window;

pub(crate) use execute::{note_end, open};
pub(crate) use patience::Patience;
pub(crate) use reader::{Read, Reading, Span, read};
pub(crate) use stop::Wish;
pub(crate) use window::BAD_START;

pub use control::{BudgetChange, Command, Controls, MOST_CALLS_AT_ONCE, NoCommand, NotDone};
pub use error::RunError;
pub use event::{RunEvent, RunObserver};
pub use execute::run;
pub use identity::{changes, decided_by, run_name};
pub use output::RedraftColumn;
pub use pick::{Picked, pick_rows};
pub use plan::RunPlan;
pub use report::{RunEnd, RunReport};
pub use stop::{Stop, StopHandle};
