//! Judging every example, many at once.

use std::num::NonZeroU32;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use indexmap::IndexMap;

use super::{Score, Tried};
use crate::constitution::{Constitution, Example, Principle};
use crate::message::Conversation;
use crate::pipeline::{Judgement, Pipeline, PipelineError};
use crate::record::Record;
use crate::round::judge_by_checks;
use crate::transcript::{Finding, UsageByRole};

/// How a constitution is tried.
#[derive(Clone, Copy, Debug)]
pub struct TrialOptions<'a> {
    /// How often an example is judged where a model may judge it.
    pub repeat: NonZeroU32,
    /// How many examples are judged at once.
    pub at_once: usize,
    /// The principles to try, by their ids; all of them where there are none.
    pub only: &'a [String],
    /// Whether to try those principles alone that checks settle.
    pub checks_only: bool,
}

/// What came of a constitution's examples.
#[derive(Debug, Default)]
pub struct Trial<'a> {
    /// Every example, in the order of the constitution.
    pub tried: Vec<Tried<'a>>,
    /// What the calls used, by role.
    pub usage: UsageByRole,
    /// How many of the calls the journal answered.
    pub journalled: u64,
}

impl Trial<'_> {
    /// The score of each principle, in their order.
    #[must_use]
    pub fn scores(&self) -> IndexMap<&str, Score> {
        let mut scores: IndexMap<&str, Score> = IndexMap::new();
        for tried in &self.tried {
            scores.entry(&tried.principle.id).or_default().add(tried);
        }
        scores
    }

    /// The score of all principles together.
    #[must_use]
    pub fn score(&self) -> Score {
        let mut whole = Score::default();
        for tried in &self.tried {
            whole.add(tried);
        }
        whole
    }
}

/// One example, about to be judged once.
#[derive(Clone, Copy)]
struct Case<'a> {
    principle: &'a Principle,
    number: usize,
    example: &'a Example,
    sample: u32,
}

/// Judges every example as a round's critique would, checks first. The critic is shown the
/// principle's other examples, and never the one that it judges. Without a pipeline, principles that
/// checks do not settle are left out.
///
/// # Errors
///
/// When a model cannot be used at all; what fails for one example alone is its verdict.
pub async fn try_examples<'a>(
    constitution: &'a Constitution,
    pipeline: Option<&Pipeline>,
    options: TrialOptions<'_>,
    each: impl Fn(),
) -> Result<Trial<'a>, PipelineError> {
    let has_critic = pipeline.is_some() && !options.checks_only;
    let cases = cases(constitution, has_critic, options);
    let judged: Vec<Judgement> = stream::iter(cases.iter().zip(1..))
        .map(|(case, place)| judge(*case, place, pipeline))
        .buffered(options.at_once.max(1))
        .inspect_ok(|_| each())
        .try_collect()
        .await?;
    let mut trial = Trial::default();
    for (case, judgement) in cases.iter().zip(judged) {
        trial.journalled += judgement.journalled;
        for (role, usage) in &judgement.usage {
            trial.usage.entry(*role).or_default().merge(usage);
        }
        trial.put(case, judgement.findings);
    }
    Ok(trial)
}

impl<'a> Trial<'a> {
    /// Puts findings with their example; the samples of one example follow one another.
    fn put(&mut self, case: &Case<'a>, findings: Vec<Finding>) {
        match self.tried.last_mut().filter(|_| case.sample > 1) {
            Some(tried) => tried.findings.extend(findings),
            None => self.tried.push(Tried {
                principle: case.principle,
                number: case.number,
                example: case.example,
                findings,
            }),
        }
    }
}

/// Every example to judge, as often as it is to be judged: once where checks settle the principle.
fn cases<'a>(
    constitution: &'a Constitution,
    has_critic: bool,
    options: TrialOptions<'_>,
) -> Vec<Case<'a>> {
    let mut cases = Vec::new();
    for principle in constitution.principles() {
        let is_settled = principle.is_settled_by_checks();
        let is_wanted = options.only.is_empty() || options.only.contains(&principle.id);
        if !is_wanted || !(has_critic || is_settled) {
            continue;
        }
        let most = if is_settled { 1 } else { options.repeat.get() };
        for (example, number) in principle.examples.iter().zip(1..) {
            cases.extend((1..=most).map(|sample| Case {
                principle,
                number,
                example,
                sample,
            }));
        }
    }
    cases
}

async fn judge(
    case: Case<'_>,
    place: u64,
    pipeline: Option<&Pipeline>,
) -> Result<Judgement, PipelineError> {
    let Case {
        principle, example, ..
    } = case;
    let answer = &example.answer;
    match pipeline {
        Some(pipeline) if !principle.is_settled_by_checks() => {
            let record = Record::new(Conversation::from_prompt(&example.prompt))
                .with_answer(answer)
                .as_sample(case.sample)
                .at_place(place);
            let principle = without(principle, example);
            pipeline.judge(&record, &[&principle], answer).await
        }
        _ => Ok(Judgement {
            findings: judge_by_checks(&[principle], answer),
            ..Judgement::default()
        }),
    }
}

/// The principle without an example: who is shown the answer to a question is not tested by it.
fn without(principle: &Principle, example: &Example) -> Principle {
    let is_other =
        |other: &Example| other.prompt != example.prompt || other.answer != example.answer;
    let mut principle = principle.clone();
    principle.examples.retain(is_other);
    principle
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constitution::shipped_names;

    fn options(repeat: u32) -> TrialOptions<'static> {
        TrialOptions {
            repeat: NonZeroU32::new(repeat).unwrap(),
            at_once: 8,
            only: &[],
            checks_only: false,
        }
    }

    #[tokio::test]
    async fn the_shipped_checks_find_in_their_examples_what_these_show() {
        for name in shipped_names() {
            let constitution = Constitution::load(name).unwrap();
            let trial = try_examples(&constitution, None, options(3), || {})
                .await
                .unwrap();
            let failed = trial.tried.iter().filter(|tried| !tried.passes(true));
            let failed: Vec<_> = failed
                .map(|tried| (&tried.principle.id, tried.number))
                .collect();
            assert!(failed.is_empty(), "{name}: {failed:?}");
            assert!(trial.tried.iter().all(|tried| tried.findings.len() == 1));
        }
    }
}
