//! Spans of a record and of its rounds, and one event for each finding, named as OpenTelemetry's
//! conventions for generative AI name them.
//!
//! They cost next to nothing while nobody listens, and hold no texts: what a finding quotes and says
//! is told only where somebody asked for texts.

use tracing::field::Empty;
use tracing::{Level, Span};

use super::Pipeline;
use crate::record::Record;
use crate::round::CONTENT;
use crate::transcript::{Assessor, Finding, Transcript, Verdict};

/// The target of the events that are findings.
pub const FINDING: &str = "redraft::finding";

/// The span of a record.
pub(super) fn record_span(pipeline: &Pipeline, record: &Record) -> Span {
    tracing::info_span!(
        "redraft.record",
        redraft.record = record.id().as_str(),
        redraft.run = pipeline.run,
        redraft.constitution = pipeline.constitution.name(),
        redraft.outcome = Empty,
        redraft.rounds = Empty,
        redraft.changed = Empty,
    )
}

/// Puts into the span of a record how it ended.
pub(super) fn note_outcome(span: &Span, transcript: &Transcript) {
    span.record("redraft.outcome", transcript.outcome.as_str());
    // OpenTelemetry's whole numbers have a sign; others would arrive as texts.
    let rounds = i64::try_from(transcript.rounds.len()).unwrap_or(i64::MAX);
    span.record("redraft.rounds", rounds);
    span.record("redraft.changed", transcript.changed());
}

/// The span of a round, from 1.
pub(super) fn round_span(n: u32) -> Span {
    tracing::info_span!("redraft.round", redraft.round = i64::from(n))
}

/// Tells each finding of a round.
pub(super) fn tell_findings(round: u32, findings: &[Finding]) {
    if !tracing::enabled!(target: FINDING, Level::DEBUG) {
        return;
    }
    let with_texts = tracing::enabled!(target: CONTENT, Level::TRACE);
    for finding in findings {
        let explanation = with_texts.then_some(finding.explanation.as_str());
        let evidence = with_texts.then(|| serde_json::json!(finding.evidence).to_string());
        tracing::event!(
            name: "gen_ai.evaluation.result",
            target: FINDING,
            Level::DEBUG,
            gen_ai.evaluation.name = finding.principle,
            gen_ai.evaluation.score.label = label(finding.verdict),
            gen_ai.evaluation.score.value = score(finding.verdict),
            gen_ai.evaluation.explanation = explanation,
            "error.type" = (finding.verdict == Verdict::Error).then_some("unassessed"),
            redraft.round = i64::from(round),
            redraft.severity = finding.severity.map(|severity| severity.to_string()),
            redraft.assessor = match finding.by {
                Assessor::Checks => "checks",
                Assessor::Model => "model",
            },
            redraft.evidence = evidence,
        );
    }
}

fn label(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Complies => "complies",
        Verdict::Violates => "violates",
        Verdict::NotApplicable => "not_applicable",
        Verdict::Error => "error",
    }
}

fn score(verdict: Verdict) -> Option<f64> {
    match verdict {
        Verdict::Complies => Some(1.0),
        Verdict::Violates => Some(0.0),
        Verdict::NotApplicable | Verdict::Error => None,
    }
}
