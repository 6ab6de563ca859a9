//! What people decide about transcripts: appended to the store's log, never overwritten.
//!
//! A [`Review`] is one person's event; [`Reviews`] folds all events of a store, and says how a record
//! [`Standing`] is by them. [`applied`] is a transcript as people left it. [`Queue`] hands held
//! records to people, and [`Measured`] sets critic and people side by side.
//!
//! # Layout
//!
//! - `decision`: a review, as an event and back
//! - `standing`: what several reviews of one record come to
//! - `reviews`: the fold over the log
//! - `apply`: a transcript with what was decided
//! - `turn`: whether it is somebody's turn
//! - `queue`: what waits, and who looks at it
//! - `spoken`: what a transcript says of a text and a principle
//! - `measure`: the critic against people

mod apply;
mod decision;
mod measure;
mod queue;
mod reviews;
mod spoken;
mod standing;
#[cfg(test)]
pub(crate) mod test_stores;
mod turn;

pub use apply::applied;
pub use decision::{Decision, JudgedText, PersonVerdict, Review, ReviewError};
pub use measure::{Measured, PrincipleMeasured};
pub use queue::{Queue, QueueError, Waiting};
pub use reviews::Reviews;
pub use spoken::finding_on;
pub use standing::{Standing, standing};
pub use turn::Turn;
