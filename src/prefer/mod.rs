//! Preference labels: which of two answers keeps a constitution better, after Bai et al. 2022 (arXiv
//! 2212.08073, section 4.1).
//!
//! A [`Judge`] compares the answers of a [`Comparison`] by principles that it is told or draws, and
//! says so in a [`Preference`]: a soft label, a hard one, and the votes behind both. [`prefer`](fn@prefer) takes
//! a dataset, or the transcripts of a run, through it.
//!
//! # Layout
//!
//! - `comparison`, `choose`: what is compared, and by which principles
//! - `question`: what is asked; `critic`: how, by log-probabilities or votes; `letter`: what a reply
//!   says
//! - `label`: from shares to labels; `preference`: what is written of a pair
//! - `judge`: all of that in one
//! - `drafts`, `source`: where pairs come from when they are made; `samples`, `best`: the best of several
//!   answers
//! - `execute`, `window`: the run; `tally`: what it came to

mod best;
mod choose;
mod comparison;
mod critic;
mod drafts;
mod execute;
mod identity;
mod judge;
mod label;
mod letter;
mod plan;
mod preference;
mod question;
mod samples;
mod source;
mod tally;
mod window;
mod work;

pub use choose::PrincipleChoice;
pub use comparison::Comparison;
pub use critic::{LabelSource, LabelWish};
pub use execute::prefer;
pub use identity::{PairMaking, decided_by};
pub use judge::{Judge, JudgeError, JudgeOptions};
pub use label::{Clamp, ClampError, Label, Side};
pub use plan::{PreferPlan, PreferReport};
pub use preference::{OrderVote, Preference, PrincipleVote};
pub use source::PairSource;
pub use tally::{Bias, PrincipleTally, Tally};
