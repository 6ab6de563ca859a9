//! Stores: where journalled calls, runs and sealed transcripts are kept.
//!
//! [`Store`] is what a backend supplies; [`sqlite`] is the one that is there. To add a query: put it
//! on the trait with its value types in `records`, implement it in each backend, and call it in the
//! conformance suite, which every backend passes.

#[cfg(test)]
pub(crate) mod conformance;
mod error;
mod records;
pub mod sqlite;
mod store_trait;

pub use error::StoreError;
pub use records::{
    Checkpoint, NewRun, Page, RejectedRow, RunRow, RunState, RunStatus, SealMark, SealedRow,
    SentCommand, StoredTranscript,
};
pub use store_trait::{RunLock, Store};
