//! A second opinion: another critic, prompt or constitution on the texts of a run that is sealed.
//!
//! [`rejudge`](fn@rejudge) has every stored text assessed again, changes none, and compares: where the
//! two critics agree ([`Opinions`]), on which findings they do not ([`Disagreement`]), and what each
//! round gained in the eyes of either ([`Gains`]). A loop whose rounds please its own critic alone is
//! optimising that critic, and [`Gain::pleases_its_critic_alone`] says so.
//!
//! # Layout
//!
//! - `texts`: the texts of a transcript, with what the critic inside the loop found in them
//! - `assess`: the texts of one transcript before the critic outside
//! - `opinions`, `mcnemar`: two critics on the same findings
//! - `gains`: what rounds gained, and how sure that is
//! - `disagreement`: findings that differ, the worst first

mod assess;
mod disagreement;
mod gains;
mod mcnemar;
mod opinions;
mod texts;
mod whole;

pub use disagreement::{Disagreement, Opinion};
pub use gains::{Gain, Gains};
pub use mcnemar::exact_mcnemar;
pub use opinions::{Opinions, Pair};
pub use texts::{TextPlace, Which};
pub use whole::{RejudgeError, RejudgeOptions, SecondOpinion, rejudge};
