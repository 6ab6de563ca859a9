//! Stores: where journalled calls, runs and sealed transcripts are kept.
//!
//! [`Store`] is what a backend supplies; [`sqlite`] is the one that is there. To add a query: put it
//! on the trait with its value types in `records`, implement it in each backend, and call it in the
//! conformance suite, which every backend passes. [`AuditLog`] is the part of it that lets others check
//! what the store holds: every seal is a leaf of a Merkle tree. [`ReviewDesk`] is the part for people who
//! review. [`index`] makes the index beside a store, from which pages are found.

mod audit_log;
#[cfg(test)]
pub(crate) mod conformance;
#[cfg(test)]
mod conformance_desk;
#[cfg(test)]
mod conformance_log;
mod error;
pub mod index;
mod leaf;
mod records;
mod rejected_root;
mod review_desk;
pub mod sqlite;
mod store_trait;

pub use audit_log::{
    AuditLog, Erasure, Leaf, LeafHash, LoggedEvent, RawTranscript, Stray, TreeCheckpoint,
};
pub use error::StoreError;
pub(crate) use leaf::hex;
pub use leaf::{ERASED, EventEntry, SALT_BYTES, TranscriptEntry, new_salt, payload_hash};
pub use records::{
    Checkpoint, NewRun, Page, RejectedRow, RunRow, RunState, RunStatus, SealMark, SealedRow,
    SentCommand, StoredTranscript,
};
pub use rejected_root::rejected_root;
pub use review_desk::{Claim, ReviewDesk};
pub use store_trait::{RunLock, Store};
