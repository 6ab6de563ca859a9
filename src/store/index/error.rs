//! Why an index could not be opened, filled or asked.

use crate::store::StoreError;

/// An index could not be opened, filled or asked.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The file cannot be opened, made or written.
    #[error(
        "cannot use the index {location}; give another place for it, or make its folder writable"
    )]
    Open {
        /// The index's place.
        location: String,
        /// What SQLite says.
        #[source]
        source: rusqlite::Error,
    },
    /// There is a file at its place that is no index.
    #[error("{location} is there already, and is no index of a store; give another place for it")]
    Foreign {
        /// The index's place.
        location: String,
    },
    /// The index failed while it was in use.
    #[error("the index failed")]
    Sqlite(#[from] rusqlite::Error),
    /// What the index holds does not fit together.
    #[error("the index holds something odd: {0}; delete it, and it is made anew")]
    Odd(String),
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A thread that worked on it has ended.
    #[error("the work on the index has ended")]
    Ended(#[from] tokio::task::JoinError),
}
