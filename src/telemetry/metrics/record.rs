//! What records and runs count: transcripts, calls, rows.

use super::Metrics;
use super::families::CRITIC_ERRORS;
use super::labels::{
    CallEndLabels, CallLabels, KindLabels, OutcomeLabels, PrincipleLabels, RoleLabels, TokenLabels,
    VerdictLabels,
};
use crate::model::ModelRole;
use crate::pipeline::{Observer, PipelineEvent};
use crate::round::{CallEnd, Called, Took};
use crate::transcript::{Finding, Transcript, Verdict};

const CALL: &str = CRITIC_ERRORS[0];
const REPLY: &str = CRITIC_ERRORS[1];
const UNASSESSED: &str = CRITIC_ERRORS[2];

/// How a row of a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowEnd {
    /// Its record has a new transcript.
    Sealed,
    /// Its record had one already.
    Known,
    /// It cannot be used.
    Rejected,
    /// Its pair has a label.
    Labelled,
}

impl RowEnd {
    fn as_str(self) -> &'static str {
        match self {
            Self::Sealed => "sealed",
            Self::Known => "known",
            Self::Rejected => "rejected",
            Self::Labelled => "labelled",
        }
    }
}

/// Metrics listen to a pipeline, and count each of its records once.
impl Observer for Metrics {
    fn event(&self, event: &PipelineEvent<'_>) {
        match event {
            PipelineEvent::Took(took) => self.count_took(took),
            PipelineEvent::Ended(transcript) => self.count_transcript(transcript),
            PipelineEvent::Drafted(_)
            | PipelineEvent::Critiqued { .. }
            | PipelineEvent::Revised { .. }
            | PipelineEvent::Failed(_) => {}
        }
    }
}

impl Metrics {
    /// Counts what a transcript tells: its outcome, rounds and findings. What its calls took is not
    /// in it: [`count_took`](Self::count_took).
    pub fn count_transcript(&self, transcript: &Transcript) {
        let families = &self.families;
        let outcome = OutcomeLabels {
            outcome: transcript.outcome.as_str(),
        };
        families.records.get_or_create(&outcome).inc();
        if transcript.changed() {
            families.changed.inc();
        }
        #[expect(clippy::cast_precision_loss, reason = "rounds are few")]
        families.rounds.observe(transcript.rounds.len() as f64);
        for round in &transcript.rounds {
            round
                .findings
                .iter()
                .for_each(|finding| self.count_finding(finding));
            self.count_critic_errors(REPLY, round.faults.len() as u64);
        }
    }

    /// Counts the calls of a record, and how long it took.
    pub fn count_took(&self, took: &Took) {
        self.families.record_own.observe(took.own().as_secs_f64());
        let asking = took.asking();
        if !asking.is_zero() {
            self.families.record_upstream.observe(asking.as_secs_f64());
        }
        took.calls.iter().for_each(|call| self.count_call(call));
    }

    /// Counts one call.
    pub fn count_call(&self, call: &Called) {
        let families = &self.families;
        let role = call.role.as_str();
        let model = self.models.admit(&call.model);
        families
            .calls
            .get_or_create(&CallEndLabels {
                role,
                model: model.clone(),
                end: call.how.as_str(),
            })
            .inc();
        if call.again {
            families
                .asked_again
                .get_or_create(&RoleLabels { role })
                .inc();
        }
        if call.how == CallEnd::Failed && call.role == ModelRole::Critic {
            self.count_critic_errors(CALL, 1);
        }
        if call.how == CallEnd::Journalled {
            return;
        }
        families
            .call_seconds
            .get_or_create(&CallLabels { role, model })
            .observe(call.took.as_secs_f64());
        if let Some(usage) = call.usage {
            for (kind, tokens) in [
                ("input", usage.input),
                ("cached", usage.cached),
                ("output", usage.output),
            ] {
                let labels = TokenLabels { role, kind };
                families.tokens.get_or_create(&labels).inc_by(tokens);
            }
        }
        if let Some(cost) = call.cost {
            families
                .cost
                .get_or_create(&RoleLabels { role })
                .inc_by(cost);
        }
    }

    /// Counts a row of a run.
    pub fn count_row(&self, end: RowEnd) {
        let labels = KindLabels { kind: end.as_str() };
        self.families.rows.get_or_create(&labels).inc();
    }

    fn count_finding(&self, finding: &Finding) {
        let verdict = match finding.verdict {
            Verdict::Complies => "complies",
            Verdict::Violates => "violates",
            Verdict::NotApplicable => "not_applicable",
            Verdict::Error => "error",
        };
        let families = &self.families;
        families
            .findings
            .get_or_create(&VerdictLabels { verdict })
            .inc();
        match finding.verdict {
            Verdict::Violates => {
                let labels = PrincipleLabels {
                    principle: self.principles.admit(&finding.principle),
                };
                families.violations.get_or_create(&labels).inc();
            }
            Verdict::Error => self.count_critic_errors(UNASSESSED, 1),
            Verdict::Complies | Verdict::NotApplicable => {}
        }
    }

    fn count_critic_errors(&self, kind: &'static str, errors: u64) {
        if errors > 0 {
            let labels = KindLabels { kind };
            self.families
                .critic_errors
                .get_or_create(&labels)
                .inc_by(errors);
        }
    }
}
