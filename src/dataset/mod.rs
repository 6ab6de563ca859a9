//! Rows in and out: reads the rows of a dataset as records, and writes them back with new answers.
//!
//! This module knows columns, not transcripts: what happens to a record between the two is no
//! concern of it. All of it is synchronous and holds one line at a time; a thread that may block
//! calls it.
//!
//! # Layout
//!
//! * [`Source`] finds the input; [`RowReader`] reads its rows, whatever their format, good and bad, and can go on at a
//!   [`Position`] of an earlier run.
//! * Every format is read as lines of JSON text (`rows`), which is all that the rest knows: a file is
//!   a `part`, and `canonical` joins the parts.
//! * [`ReadRow`] is a [`Row`], whose columns keep their exact bytes, and the
//!   [`Record`](crate::record::Record) that it is; [`RejectReason`] says why a line is none.
//! * [`write_back`] puts a new answer into a row in the row's own form; [`Output`] writes rows, and
//!   beside them what was rejected, and shows neither before both are whole.

mod agree;
mod answer;
mod array_rows;
mod canonical;
mod chat;
mod columns;
mod excerpt;
mod format;
mod gather;
mod hh_rlhf;
mod json;
mod known_columns;
mod labels;
mod lines;
mod look;
mod options;
mod output;
mod output_error;
mod pair;
#[cfg(feature = "parquet")]
mod parquet;
mod part;
mod place;
mod position;
mod reader;
#[cfg(test)]
mod real_data;
mod reason;
mod remote;
mod replace;
#[cfg(test)]
mod round_trip;
mod row;
mod row_writer;
mod rows;
mod shape;
mod shards;
mod sink;
mod source;
mod source_error;
#[cfg(test)]
mod speed;
mod spool;
mod table_rows;
mod table_writer;
mod target;
mod text;
mod unpack;

pub use answer::{REDRAFT_COLUMN, write_back};
pub use excerpt::{EXCERPT_CHARS, excerpt};
pub use format::{Compression, Format};
pub use hh_rlhf::transcript_turns;
pub use look::Look;
pub use options::{ColumnNames, DEFAULT_LINE_LIMIT, ReadOptions};
pub use output::{Ended, Output};
pub use output_error::OutputError;
pub use pair::{Pair, PairProblem, pair_columns, read_pair};
pub use position::Position;
pub use reader::{ReadRow, Rejected, RowRead, RowReader, read_row};
pub use reason::{RejectReason, TurnProblem};
pub use remote::RemoteError;
pub use row::Row;
pub use source::{Input, Source};
pub use source_error::{ShardDiffers, SourceError};
pub use target::Target;
pub use text::open_text;

/// Whether a path is an address on another machine, be it one that can be used or not.
#[must_use]
pub fn is_address(path: &std::path::Path) -> bool {
    !matches!(remote::Address::of(path), Ok(None))
}
