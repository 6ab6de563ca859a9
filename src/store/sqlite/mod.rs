//! The SQLite store: one file, one writer thread that commits in groups, and readers that never
//! wait for it.
//!
//! [`SqliteStore`] puts the trait's methods together. `runs`, `transcripts`, `rejected`,
//! `leaves` and `journal` each hold one kind of row with its SQL. A write is a closure that travels to the
//! thread in `writer`; a read is a closure that borrows a connection from `readers`, unless
//! `absent_calls` knows that there is nothing to read. Files are
//! opened in `open` and `connect`, and brought to the newest format by `migrate` from the numbered
//! files in `migrations/`. To change a table: add the next number there, and nothing else.

mod absent_calls;
mod adopt;
mod checkpoint;
mod connect;
mod control;
mod desk;
mod erase;
mod failure;
mod journal;
mod leaves;
mod lock;
mod log;
mod migrate;
mod open;
mod readers;
mod rejected;
mod runs;
mod session;
mod spent;
mod sqlite_store;
#[cfg(test)]
mod tests;
mod transcripts;
mod values;
mod writer;

pub use sqlite_store::SqliteStore;
