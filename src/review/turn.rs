//! Whether it is somebody's turn to review a record.

use super::{Reviews, Standing};
use crate::transcript::Transcript;

/// Whether it is somebody's turn to review a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is: so many people may look at it at once.
    Open(u32),
    /// They have reviewed it.
    Done,
    /// It is decided.
    Decided,
    /// Those who reviewed it differ, and this person does not adjudicate.
    Disputed,
}

impl Reviews {
    /// Whether it is a reviewer's turn to review a transcript's record. Nobody has two turns; who
    /// disagrees is settled by somebody who adjudicates and has not reviewed it.
    #[must_use]
    pub fn turn(&self, transcript: &Transcript, reviewer: &str, adjudicates: bool) -> Turn {
        let reviews = self.of(&transcript.run, &transcript.record.id);
        let is_done = reviews.iter().any(|review| review.author == reviewer);
        match self.standing(transcript) {
            Standing::Decided(_) => Turn::Decided,
            _ if is_done => Turn::Done,
            Standing::Waiting { have, need } => Turn::Open(need - have),
            Standing::Disputed if adjudicates => Turn::Open(1),
            Standing::Disputed => Turn::Disputed,
        }
    }
}
