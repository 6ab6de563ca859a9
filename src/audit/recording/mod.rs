//! The calls of a run as a portable file, and a run that has no other replies than those.
//!
//! [`record`] writes the file of a run that is in a store. [`load`] reads one into a journal, and
//! [`Replaying`] serves a run from that; with a [closed network](crate::model::closed) around it, a call
//! that the file does not have ends the run. docs/audit.md has the format.

mod line;
mod load;
mod record;
mod replaying;

pub use line::{FORMAT, Header};
pub use load::{LoadError, load};
pub use record::{RecordError, Recorded, record};
pub use replaying::Replaying;
