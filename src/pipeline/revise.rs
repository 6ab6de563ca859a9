//! One record's way from draft to outcome.

use tracing::Instrument as _;

use super::builder::Listeners;
use super::keep::violation_points;
use super::span::{note_outcome, record_span, tell_findings};
use super::{Keep, Observer, Pipeline, PipelineError, PipelineEvent};
use crate::constitution::Principle;
use crate::model::Reach;
use crate::record::Record;
use crate::round::{Bench, Closed, Critique, Ledger, RoundError, RoundOptions, draft};
use crate::transcript::{
    Draft, FORMAT, Final, Finding, Held, Outcome, RecordEntry, Round, Times, Transcript, Verdict,
};

/// Takes one record to its outcome, within its span.
pub(super) async fn revise(
    pipeline: &Pipeline,
    record: &Record,
    observer: &dyn Observer,
) -> Result<Transcript, PipelineError> {
    let span = record_span(pipeline, record);
    let observer = Everybody {
        standing: &pipeline.listeners,
        own: observer,
    };
    let ended = to_outcome(pipeline, record, &observer)
        .instrument(span.clone())
        .await;
    if let Ok(transcript) = &ended {
        note_outcome(&span, transcript);
    }
    ended
}

/// Who listens to every record, and who listens to this one.
struct Everybody<'a> {
    standing: &'a Listeners,
    own: &'a dyn Observer,
}

impl Observer for Everybody<'_> {
    fn event(&self, event: &PipelineEvent<'_>) {
        self.own.event(event);
        for listener in &self.standing.0 {
            listener.event(event);
        }
    }
}

async fn to_outcome(
    pipeline: &Pipeline,
    record: &Record,
    observer: &dyn Observer,
) -> Result<Transcript, PipelineError> {
    let ledger = Ledger::default();
    let mut work = Work::new(pipeline, record, &ledger, observer);
    let end = match work.run().await {
        Ok(end) => end,
        Err(error) if error.reach() == Reach::Run => {
            observer.event(&PipelineEvent::Took(&ledger.close().took));
            return Err(PipelineError::Stopped(error));
        }
        Err(error) => {
            observer.event(&PipelineEvent::Failed(&error));
            End::new(Outcome::Failed, describe(&error))
        }
    };
    let Work {
        draft,
        rounds,
        best,
        ..
    } = work;
    let Closed {
        usage,
        journalled,
        took,
    } = ledger.close();
    observer.event(&PipelineEvent::Took(&took));
    let (end, held) = hold(pipeline, record, &rounds, end);
    let transcript = Transcript {
        format: FORMAT.to_owned(),
        run: pipeline.run.clone(),
        imported: None,
        record: RecordEntry::of(record),
        provenance: pipeline.provenance.clone(),
        final_answer: best.map(|best| Final {
            text: best.text,
            round: best.round,
        }),
        delivered: None,
        draft,
        rounds,
        outcome: end.outcome,
        why: end.why,
        held,
        usage,
        times: Some(Times {
            journalled,
            ..Times::default()
        }),
    };
    observer.event(&PipelineEvent::Ended(&transcript));
    Ok(transcript)
}

/// How a record ends that may have to wait for a person.
fn hold(pipeline: &Pipeline, record: &Record, rounds: &[Round], end: End) -> (End, Option<Held>) {
    let Some(rules) = &pipeline.recipe.hold else {
        return (end, None);
    };
    let reasons = rules.reasons(record, pipeline.seed, rounds, end.outcome);
    if reasons.is_empty() {
        return (end, None);
    }
    let told: Vec<String> = reasons.iter().map(ToString::to_string).collect();
    let why = format!("waits for a person: {}; else: {}", told.join(", "), end.why);
    let held = Held {
        reasons,
        otherwise: end.outcome,
        reviewers: rules.reviewers.get(),
    };
    (End::new(Outcome::Held, why), Some(held))
}

/// An error and what caused it, in one line.
pub(super) fn describe(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !line.ends_with(&said) {
            line = format!("{line}: {said}");
        }
        source = cause.source();
    }
    line
}

pub(super) struct End {
    pub(super) outcome: Outcome,
    pub(super) why: String,
}

impl End {
    pub(super) fn new(outcome: Outcome, why: impl Into<String>) -> Self {
        Self {
            outcome,
            why: why.into(),
        }
    }
}

/// A text that may be the final one.
pub(super) struct Candidate {
    pub(super) text: String,
    pub(super) round: u32,
    pub(super) points: f64,
    pub(super) findings: Vec<Finding>,
}

/// One record while it is worked on.
pub(super) struct Work<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) bench: Bench<'a>,
    pub(super) observer: &'a dyn Observer,
    pub(super) principles: Vec<&'a Principle>,
    pub(super) draft: Option<Draft>,
    pub(super) rounds: Vec<Round>,
    pub(super) best: Option<Candidate>,
}

impl<'a> Work<'a> {
    fn new(
        pipeline: &'a Pipeline,
        record: &'a Record,
        ledger: &'a Ledger,
        observer: &'a dyn Observer,
    ) -> Self {
        Self {
            pipeline,
            bench: Bench {
                record,
                cast: &pipeline.cast,
                prompts: &pipeline.prompts,
                instructions: &pipeline.instructions,
                options: RoundOptions {
                    principles_per_call: pipeline.recipe.principles_per_call,
                    contract_retries: pipeline.recipe.contract_retries,
                },
                ledger,
            },
            observer,
            principles: pipeline.constitution.applicable(record.tags()).collect(),
            draft: None,
            rounds: Vec::new(),
            best: None,
        }
    }

    pub(super) async fn run(&mut self) -> Result<End, RoundError> {
        let first = match draft(&self.bench).await? {
            Ok(first) => first,
            Err(why) => return Ok(End::new(Outcome::Failed, why)),
        };
        self.observer.event(&PipelineEvent::Drafted(&first));
        self.best = Some(Candidate {
            text: first.text.clone(),
            round: 0,
            points: f64::INFINITY,
            findings: Vec::new(),
        });
        let text = first.text.clone();
        self.draft = Some(first);
        if self.pipeline.recipe.assesses_everything() {
            self.until_clean(text).await
        } else {
            self.fixed_rounds(text).await
        }
    }

    pub(super) fn begin(&self, principles: Vec<String>, found: Critique) -> Round {
        let n = u32::try_from(self.rounds.len())
            .unwrap_or(u32::MAX)
            .saturating_add(1);
        tell_findings(n, &found.findings);
        self.observer.event(&PipelineEvent::Critiqued {
            round: n,
            findings: &found.findings,
            critique: found.text.as_deref(),
        });
        Round {
            n,
            principles,
            findings: found.findings,
            critique: found.text,
            critique_request: None,
            revision_request: None,
            critique_calls: found.calls,
            faults: found.faults,
            revision: None,
            kept: false,
            why: String::new(),
        }
    }

    /// Takes an assessed text as the best so far if it violates no more than the best one does.
    pub(super) fn consider(&mut self, text: &str, revisions: u32, findings: &[Finding]) {
        let points = violation_points(findings, &self.pipeline.constitution);
        let before = self.best.as_ref().map_or(f64::INFINITY, |best| best.points);
        let better = points <= before || self.pipeline.recipe.keep == Keep::Last;
        if let Some(round) = self.rounds.last_mut() {
            round.kept = better;
            round.why = if points < before {
                "it violates less".to_owned()
            } else if better {
                "it violates no more".to_owned()
            } else {
                format!("it violates more: {points} points against {before}")
            };
        }
        if better {
            self.best = Some(Candidate {
                text: text.to_owned(),
                round: revisions,
                points,
                findings: findings.to_vec(),
            });
        }
    }
}

pub(super) fn any(findings: &[Finding], verdict: Verdict) -> bool {
    findings.iter().any(|finding| finding.verdict == verdict)
}
