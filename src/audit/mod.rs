//! What stored transcripts say when they are read again: statistics and differences.

mod diff;
mod interval;
mod outline;
mod statistics;

pub use diff::{Change, Part, word_diff};
pub use interval::{Interval, wilson};
pub use outline::Outline;
pub use statistics::{PrincipleCount, Statistics, gather};
