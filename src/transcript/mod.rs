//! Transcripts: what was drafted, found, changed and kept for one record, and by what.
//!
//! A [`Transcript`] is plain data in a versioned JSON format ([`FORMAT`], docs/transcripts.md).
//! [`Transcript::seal`] fixes its bytes and their digest; [`Times`] stand outside both, because they
//! differ between two runs that end the same.

mod delivered;
mod finding;
mod held;
mod imported;
mod outcome;
mod provenance;
mod round;
mod sealed;
mod usage;

pub use delivered::{Delivered, Delivery};
pub use finding::{Assessor, Finding, Verdict};
pub use held::{Held, HoldReason};
pub use imported::Imported;
pub use outcome::Outcome;
pub use provenance::{ConstitutionMark, Provenance};
pub use round::{Draft, DraftSource, Final, Revision, RevisionAuthor, Round};
pub use sealed::{FORMAT, RecordEntry, Sealed, Times, Transcript};
pub use usage::{RoleUsage, UsageByRole};
