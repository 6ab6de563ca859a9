//! Constitutions: named, versioned sets of principles, one YAML file each.

pub mod check;
mod principle;

pub use principle::{AppliesTo, Example, ExampleVerdict, Principle, Severity};
