//! What stored transcripts say when they are read again: statistics and differences.
//!
//! [`gather`] counts a run page by page, whatever its length, through an [`Outline`] that leaves the
//! texts unread; [`wilson`] says how sure a share is, an [`AgreementTable`] how far two raters agree; [`Estimate`] projects what a run will take;
//! [`word_diff`] shows what a revision changed; [`replay`](fn@replay) says which call a changed pipeline would make
//! anew, and [`request_changes`](fn@request_changes) why; [`trial`] tries a constitution on its own examples, and
//! [`rejudge`] has another critic assess a run; [`mod@verify`] checks a store against its tree and checkpoints,
//! which [`proof`] makes; [`recording`] writes the calls of a run into a file, and runs from it; [`extract`] is what
//! the index of a store takes in of a transcript.

mod agreement;
mod bootstrap;
mod diff;
mod estimate;
mod facts;
mod interval;
mod outline;
pub mod proof;
pub mod recording;
mod refusal;
pub mod rejudge;
mod replay;
mod replay_run;
mod request_changes;
mod statistics;
pub mod trial;
pub mod verify;

pub use agreement::{Agreement, AgreementTable};
pub use bootstrap::{Bootstrap, Estimated, KappaBootstrap};
pub use diff::{Change, Part, near_changes, word_diff};
pub use estimate::{Estimate, Projection};
pub use facts::extract;
pub use interval::{Interval, wilson};
pub use outline::Outline;
pub use refusal::{REFUSAL_RULE, looks_like_refusal};
pub use replay::{Call, Compared, Miss, Replay, ReplayError, call_keys, recorded, replay};
pub use replay_run::{
    Booth, Difference, Failed, Replayed, RunReplay, Unlike, replay_run, replay_stored,
};
pub use request_changes::{RequestChange, request_changes};
pub use statistics::{PrincipleCount, Statistics, gather};
