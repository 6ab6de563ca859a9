//! Rows in and out: reads the rows of a dataset as records, and writes them back with new answers.
//!
//! This module knows columns, not transcripts: what happens to a record between the two is no
//! concern of it. All of it is synchronous and holds one line at a time; a thread that may block
//! calls it.
//!
//! # Layout
//!
//! * [`Source`] finds the input; [`JsonlReader`] reads its rows, good and bad, and can go on at a
//!   [`Position`] of an earlier run.
//! * [`ReadRow`] is a [`Row`], whose columns keep their exact bytes, and the
//!   [`Record`](crate::record::Record) that it is; [`RejectReason`] says why a line is none.
//! * [`write_back`] puts a new answer into a row in the row's own form; [`Output`] writes rows, and
//!   beside them what was rejected, and shows neither before both are whole.

mod answer;
mod chat;
mod columns;
mod excerpt;
mod hh_rlhf;
mod json;
mod jsonl;
mod labels;
mod lines;
mod options;
mod output;
mod pair;
mod place;
mod position;
#[cfg(test)]
mod real_data;
mod reason;
mod replace;
mod row;
mod source;
#[cfg(test)]
mod speed;
mod spool;

pub use answer::{REDRAFT_COLUMN, write_back};
pub use excerpt::{EXCERPT_CHARS, excerpt};
pub use hh_rlhf::transcript_turns;
pub use jsonl::{JsonlReader, ReadRow, Rejected, RowRead, read_row};
pub use options::{DEFAULT_LINE_LIMIT, ReadOptions};
pub use output::{Output, OutputError, Target};
pub use pair::{Pair, PairProblem, pair_columns, read_pair};
pub use position::Position;
pub use reason::{RejectReason, TurnProblem};
pub use row::Row;
pub use source::{Input, Source, SourceError};
