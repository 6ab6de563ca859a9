//! A constitution tried on its own examples: does a critic find in them what they are there to show?
//!
//! [`try_examples`] judges them, each without the critic being shown that very example ([`Tried`]),
//! and [`Score`] counts what came of it.

mod judge;
mod matrix;
mod score;
mod tried;

pub use judge::{Trial, TrialOptions, try_examples};
pub use matrix::Matrix;
pub use score::{Score, Share};
pub use tried::Tried;
