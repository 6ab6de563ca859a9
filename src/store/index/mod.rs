//! The index of a store: a file of its own beside it, from which pages are found, filtered and
//! counted. All of it is derived, so it may be deleted at any time.
//!
//! The store itself is only read. [`Index::open`] opens the file or begins it anew, [`catch_up`]
//! takes in what was sealed since and forgets what is gone, and [`Index`]'s other methods ask it.
//! What a transcript says is put into [`Facts`] by whoever calls; this module knows how facts
//! become words to search for ([`Facts`]), counts ([`Tallies`]) and rows ([`Item`]).

mod catch_up;
mod comparison;
mod error;
mod facts;
mod filter;
mod follow_log;
mod names;
mod open;
mod page;
mod take_in;
mod tallies;
#[cfg(test)]
mod tests;
mod words;

pub use catch_up::{Extractor, Progress, catch_up, renew};
pub use comparison::{Ends, Sides};
pub use error::IndexError;
pub use facts::{Extract, Facts, Spoken};
pub use filter::{Cursor, Filter, Sort};
pub use open::Index;
pub use page::{Found, Item};
pub use tallies::{Kind, PrincipleTally, RunEntry, Tallies};
