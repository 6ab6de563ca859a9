//! Verifying a store: what it holds against its tree, and the tree against checkpoints.
//!
//! [`verify`] reads every leaf once, in order, hashes what it is about on as many threads as the machine has
//! to give, and folds the leaves into roots. [`Report`] says apart what holds, what does not, and what
//! could not be checked, and names each bad record.

mod completeness;
mod facts;
mod leaf;
mod report;
mod scan;
#[cfg(test)]
mod tampering;
mod whole;

pub use report::{Anchored, Check, HeadCheck, Problem, Report, RunReport, State};
pub use whole::{Asked, VerifyError, verify};
