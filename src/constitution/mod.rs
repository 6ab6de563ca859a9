//! Constitutions: named, versioned sets of principles, one YAML file each.
//!
//! A file is parsed (`file`), its includes are gathered (`gather`), the whole is examined (`lint`),
//! and what holds up becomes a [`Constitution`]. [`mod@import`] makes such files of other people's.

pub mod check;
mod error;
mod file;
mod gather;
pub mod import;
mod lint;
mod loaded;
mod overlap;
mod principle;
mod shipped;

pub use error::LoadError;
use lint::is_kebab;
pub use loaded::{Constitution, examine, examine_text};
pub use principle::{AppliesTo, Example, ExampleVerdict, Principle, Severity};
pub use shipped::shipped_names;
