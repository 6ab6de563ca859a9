//! Why a store could not do what it was asked.

use crate::model::journal::JournalError;

/// A store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be opened, made or written where it is.
    #[error("cannot open the store {location}: {reason}")]
    Open {
        /// The store's place.
        location: String,
        /// What stands in the way, and what to do.
        reason: String,
    },
    /// The file is not a redraft store.
    #[error("{location} is not a redraft store")]
    Foreign {
        /// The store's place.
        location: String,
    },
    /// A newer redraft made the store.
    #[error(
        "the store {location} has format {found}, and this redraft ({}) reads up to {known}: \
         install a newer redraft, or give another --store",
        env!("CARGO_PKG_VERSION")
    )]
    Newer {
        /// The store's place.
        location: String,
        /// The format that the store has.
        found: i64,
        /// The newest format that this redraft reads.
        known: i64,
    },
    /// Another process works on the run.
    #[error("another process is working on the run {run}; wait for it, or stop it first")]
    RunInUse {
        /// The run's name.
        run: String,
    },
    /// The store has no run of that name.
    #[error("there is no run named {run}")]
    UnknownRun {
        /// The run's name.
        run: String,
    },
    /// The run has a transcript of that record.
    #[error("the record {record} is sealed already")]
    AlreadySealed {
        /// The record's name.
        record: String,
    },
    /// There is no payload that could be erased.
    #[error("the record {record} has no payload in the run {run}: {reason}")]
    NoPayload {
        /// The record's name.
        record: String,
        /// The run's name.
        run: String,
        /// Why not.
        reason: &'static str,
    },
    /// There is no room left.
    #[error(
        "the disk under the store {location} is full; make room and run the same command again"
    )]
    Full {
        /// The store's place.
        location: String,
    },
    /// The store cannot be written, because it was opened for reading or has become read-only.
    #[error("the store {location} can only be read")]
    ReadOnly {
        /// The store's place.
        location: String,
    },
    /// Another process has kept the store to itself for longer than a write waits.
    #[error(
        "another process keeps the store {location} to itself; \
         wait for it, or stop it, and run the same command again"
    )]
    Busy {
        /// The store's place.
        location: String,
    },
    /// What the store holds does not fit together.
    #[error("the store holds something odd in {place}: {reason}")]
    Inconsistent {
        /// Table, row and column.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The store's writer has ended, after a failure that was reported where it happened.
    #[error("the store's writer has ended")]
    WriterGone,
    /// The database itself failed.
    #[error("the store failed")]
    Backend(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<StoreError> for JournalError {
    fn from(error: StoreError) -> Self {
        Self(Box::new(error))
    }
}
