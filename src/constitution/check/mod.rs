//! Checks: machine tests of a principle, deterministic and free, run before any model is asked.

mod spec;

pub use spec::{CheckSpec, JsonSpec, LengthSpec, Must, PatternSpec, WordsSpec};
