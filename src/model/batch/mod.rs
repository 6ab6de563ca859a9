//! The Batch API behind the same trait: calls gather into files, and wait for their rows.
//!
//! [`Batched`] stands where a limit and a client stand otherwise. A call joins the batch that
//! gathers; the batch is closed when it is full or nobody has joined for a while, goes up as one
//! file, and is looked at now and then until its results come down. Nobody above notices, so the
//! rounds of many records advance in waves.
//!
//! What is on its way is noted in the journal before it is paid for: the next process finds the
//! note, and waits for that batch's rows instead of submitting them again. A row goes by the key
//! under which the journal keeps its reply, so a note is forgotten as soon as the journal has all
//! replies of its batch.

mod batched;
mod desk;
mod follow;
mod gathering;
mod make;
mod note;
mod options;
mod patience;
mod provider;
mod refusal;
mod results;
mod setback;
mod state;
mod take_up;
#[cfg(test)]
mod tests;

pub use batched::Batched;
pub use options::BatchOptions;
pub(in crate::model) use provider::{BatchFault, BatchState, BatchStatus, Provider};
pub(in crate::model) use setback::{RowEnd, Setback};
pub use take_up::left_open;

/// Why a row without a result has none.
pub(in crate::model) const EXPIRED: &str = "the batch expired before this request was answered";
pub(in crate::model) const NO_RESULT: &str =
    "the batch ended, and its files hold no result of this request";
