//! Checks: machine tests of a principle, deterministic and free, run before any model is asked.
//!
//! # Layout
//!
//! - `spec`: a check as it stands in a constitution file
//! - `compiled`: [`Check`], a check that is ready to run
//! - `pattern`, `words`, `length`, `json`: one file per kind of check
//! - `detector`: the named detectors that a pattern can use
//! - `rewrite`: taking matches out of a text
//! - `script`: which characters join up to words

mod compiled;
pub mod detector;
mod error;
mod hit;
mod json;
mod length;
mod pattern;
mod rewrite;
mod script;
mod spec;
mod words;

pub use compiled::Check;
pub use error::CheckError;
pub use hit::Hit;
pub use spec::{CheckSpec, JsonSpec, LengthSpec, Must, PatternSpec, WordsSpec};
