//! YAML files read with errors that point: file, line, column, a snippet and the nearest known name.

mod locate;
mod parse;
mod problem;
mod suggest;

pub use locate::{Step, locate};
pub use parse::{MAX_BYTES, parse};
pub use problem::{Level, Problem, Problems, SourceFile};
pub use suggest::nearest;
