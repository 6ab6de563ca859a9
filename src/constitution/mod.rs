//! Constitutions: named, versioned sets of principles, one YAML file each.
//!
//! A file is parsed (`file`), its includes are gathered (`gather`), the whole is examined (`lint`),
//! and what holds up becomes a [`Constitution`].

pub mod check;
mod error;
mod file;
mod gather;
mod lint;
mod loaded;
mod overlap;
mod principle;
mod shipped;

pub use error::LoadError;
pub use loaded::{Constitution, examine};
pub use principle::{AppliesTo, Example, ExampleVerdict, Principle, Severity};
pub use shipped::shipped_names;
