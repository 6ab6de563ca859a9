//! The way of the recipe `audit`: every text is judged by every principle, until none is violated.

use tracing::Instrument as _;

use super::Revise;
use super::revise::{End, Work, any};
use super::span::round_span;
use crate::round::{RoundError, critique};
use crate::transcript::{Outcome, Round, Verdict};

impl Work<'_> {
    /// Judges by every principle and revises until nothing is violated or the rounds are spent; the
    /// last text is always judged.
    pub(super) async fn until_clean(&mut self, mut text: String) -> Result<End, RoundError> {
        for revisions in 0.. {
            let span = round_span(revisions + 1);
            match self.whole_round(&text, revisions).instrument(span).await? {
                Some(next) => text = next,
                None => break,
            }
        }
        Ok(self.verdict())
    }

    /// Judges a text, and has it revised where that is due; gives the text to go on with.
    async fn whole_round(
        &mut self,
        text: &str,
        revisions: u32,
    ) -> Result<Option<String>, RoundError> {
        let mut round = self.judge(text).await?;
        self.consider(text, revisions, &round.findings);
        let violated = any(&round.findings, Verdict::Violates);
        let done = if !violated && self.pipeline.recipe.revise == Revise::Violated {
            Some("nothing to mend")
        } else if revisions == self.pipeline.recipe.rounds {
            Some("the rounds are spent")
        } else {
            None
        };
        if let Some(why) = done {
            why.clone_into(&mut round.why);
            self.rounds.push(round);
            return Ok(None);
        }
        let next = self.mend(text, &mut round).await?;
        self.rounds.push(round);
        Ok(next)
    }

    /// Notes which revision became the best text so far, and ends by what was found in it.
    fn verdict(&self) -> End {
        let Some(best) = &self.best else {
            return End::new(Outcome::Failed, "there is no text");
        };
        let list = |verdict| {
            let ids: Vec<&str> = best
                .findings
                .iter()
                .filter(|finding| finding.verdict == verdict)
                .map(|finding| finding.principle.as_str())
                .collect();
            ids.join(", ")
        };
        let (violated, unassessed) = (list(Verdict::Violates), list(Verdict::Error));
        if violated.is_empty() && unassessed.is_empty() {
            return End::new(Outcome::Compliant, "no principle is violated");
        }
        let mut why = Vec::new();
        if !violated.is_empty() {
            why.push(format!("still violated: {violated}"));
        }
        if !unassessed.is_empty() {
            why.push(format!("could not be assessed: {unassessed}"));
        }
        if let Some(round) = self
            .rounds
            .last()
            .filter(|round| round.revision.is_none() || !round.kept)
        {
            why.push(round.why.clone());
        }
        End::new(Outcome::Unresolved, why.join("; "))
    }

    pub(super) async fn judge(&mut self, text: &str) -> Result<Round, RoundError> {
        let found = critique(&self.bench, &self.principles, text).await?;
        let ids = self
            .principles
            .iter()
            .map(|principle| principle.id.clone())
            .collect();
        Ok(self.begin(ids, found))
    }
}
