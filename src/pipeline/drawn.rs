//! The way of the recipe `cai`: a fixed number of rounds, each about one drawn principle; then the
//! checks judge the final text.

use tracing::Instrument as _;

use super::revise::{Candidate, End, Work, any};
use super::select::draw;
use super::span::round_span;
use super::{CritiqueStyle, Revise};
use crate::constitution::Principle;
use crate::round::{
    Critique, RoundError, critique, critique_in_chat, judge_by_checks,
    revise as revise_by_findings, revise_in_chat, rewrite_by_checks,
};
use crate::transcript::{Outcome, Verdict};

/// What a drawn round leads to.
enum Step {
    /// A new text.
    Next(String),
    /// The next round, with the same text.
    Same,
    /// The end: there is no revision to go on with.
    Stop(String),
}

impl<'a> Work<'a> {
    /// Runs a fixed number of rounds, each about one drawn principle, then has the checks judge the
    /// final text.
    pub(super) async fn fixed_rounds(&mut self, mut text: String) -> Result<End, RoundError> {
        let drawable: Vec<&Principle> = self
            .principles
            .iter()
            .copied()
            .filter(|principle| !principle.is_settled_by_checks())
            .collect();
        let mut stopped = None;
        for n in 1..=self.pipeline.recipe.rounds {
            let Some(principle) = draw(&drawable, self.pipeline.seed, self.bench.record, n) else {
                break;
            };
            let round = self.drawn_round(principle, &text, n);
            match round.instrument(round_span(n)).await? {
                Step::Next(next) => text = next,
                Step::Same => {}
                Step::Stop(why) => {
                    stopped = Some(why);
                    break;
                }
            }
        }
        let end = match stopped {
            Some(why) => End::new(Outcome::Unresolved, why),
            None if drawable.is_empty() => End::new(Outcome::Compliant, "no principle is violated"),
            None => {
                let (ran, wanted) = (self.rounds.len(), self.pipeline.recipe.rounds);
                let why = format!("{ran} of {wanted} rounds ran; the last text was not assessed");
                End::new(Outcome::Revised, why)
            }
        };
        let violated = self.close_by_checks(text);
        if violated.is_empty() {
            return Ok(end);
        }
        let why = format!("still violated: {}; {}", violated.join(", "), end.why);
        Ok(End::new(Outcome::Unresolved, why))
    }

    async fn drawn_round(
        &mut self,
        principle: &'a Principle,
        text: &str,
        n: u32,
    ) -> Result<Step, RoundError> {
        let found = match self.pipeline.recipe.critique {
            CritiqueStyle::Structured => critique(&self.bench, &[principle], text).await?,
            CritiqueStyle::Text => critique_in_chat(&self.bench, principle, text).await?,
            CritiqueStyle::None => Critique::default(),
        };
        let mut round = self.begin(vec![principle.id.clone()], found);
        if self.pipeline.recipe.revise == Revise::Violated
            && !any(&round.findings, Verdict::Violates)
        {
            "nothing to mend".clone_into(&mut round.why);
            self.rounds.push(round);
            return Ok(Step::Same);
        }
        let asked = match self.pipeline.recipe.critique {
            CritiqueStyle::Structured => {
                revise_by_findings(
                    &self.bench,
                    &self.pipeline.constitution,
                    text,
                    &round.findings,
                )
                .await?
            }
            CritiqueStyle::Text if round.critique.is_none() => {
                "the critique was empty".clone_into(&mut round.why);
                self.rounds.push(round);
                return Ok(Step::Stop("the critic gave nothing to go on".to_owned()));
            }
            CritiqueStyle::Text | CritiqueStyle::None => {
                revise_in_chat(&self.bench, principle, text, round.critique.as_deref()).await?
            }
        };
        let next = self.take(text, None, Some(asked), "", &mut round);
        let step = match (next, &round.revision) {
            (Some(next), _) => {
                round.kept = true;
                "the round's revision is the next text".clone_into(&mut round.why);
                self.best = Some(Candidate {
                    text: next.clone(),
                    round: n,
                    points: 0.0,
                    findings: Vec::new(),
                });
                Step::Next(next)
            }
            (None, Some(_)) => Step::Same,
            (None, None) => Step::Stop(round.why.clone()),
        };
        self.rounds.push(round);
        Ok(step)
    }

    /// Has the checks judge the last text, and mend it once where they can; gives the ids of the
    /// principles that it violates even then.
    fn close_by_checks(&mut self, text: String) -> Vec<String> {
        let checked: Vec<&Principle> = self
            .principles
            .iter()
            .copied()
            .filter(|principle| !principle.checks.is_empty())
            .collect();
        if checked.is_empty() {
            return Vec::new();
        }
        let ids = checked
            .iter()
            .map(|principle| principle.id.clone())
            .collect();
        let found = Critique {
            findings: judge_by_checks(&checked, &text),
            ..Critique::default()
        };
        let mut round = self.begin(ids, found);
        if !any(&round.findings, Verdict::Violates) {
            "nothing to mend".clone_into(&mut round.why);
            self.rounds.push(round);
            return Vec::new();
        }
        let rewritten = rewrite_by_checks(&checked, &round.findings, &text);
        let mended = self.take(
            &text,
            rewritten,
            None,
            "the checks cannot mend it",
            &mut round,
        );
        let last = mended.unwrap_or(text);
        let left = judge_by_checks(&checked, &last);
        round.kept = round.revision.is_some();
        if round.kept {
            "the checks mended the last text".clone_into(&mut round.why);
            self.best = Some(Candidate {
                text: last,
                round: round.n,
                points: 0.0,
                findings: Vec::new(),
            });
        }
        self.rounds.push(round);
        left.into_iter()
            .filter(|finding| finding.verdict == Verdict::Violates)
            .map(|finding| finding.principle)
            .collect()
    }
}
