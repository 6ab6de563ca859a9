//! Which records wait for a person, and why.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::select::unit;
use crate::constitution::Severity;
use crate::digest::Digest;
use crate::record::Record;
use crate::transcript::{HoldReason, Outcome, Round, Verdict};

/// Which records wait for a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Hold {
    /// Those in which a violation at least so severe was found, mended or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Those that ended `unresolved`.
    pub unresolved: bool,
    /// Those in which something could not be assessed.
    pub critic_error: bool,
    /// This share of all records, drawn whatever was found in them: such a sample alone can say how
    /// often the critic is wrong.
    pub sample: f64,
    /// How many people must agree on a record.
    pub reviewers: NonZeroU32,
}

impl Default for Hold {
    fn default() -> Self {
        Self {
            severity: None,
            unresolved: false,
            critic_error: false,
            sample: 0.0,
            reviewers: NonZeroU32::MIN,
        }
    }
}

#[derive(Serialize)]
struct Lot<'a> {
    seed: u64,
    record: Digest,
    id: &'a str,
    of: &'static str,
}

impl Hold {
    /// Why a record that ended so waits for a person; it does not where there is no reason.
    pub(super) fn reasons(
        &self,
        record: &Record,
        seed: u64,
        rounds: &[Round],
        outcome: Outcome,
    ) -> Vec<HoldReason> {
        if outcome == Outcome::Failed {
            return Vec::new();
        }
        let findings = || rounds.iter().flat_map(|round| &round.findings);
        let is_severe = self.severity.is_some_and(|severity| {
            findings().any(|finding| {
                finding.verdict == Verdict::Violates && finding.severity >= Some(severity)
            })
        });
        let has_error = || findings().any(|finding| finding.verdict == Verdict::Error);
        let is_drawn = || {
            let lot = Digest::of_json(&Lot {
                seed,
                record: record.content_digest(),
                id: record.id().as_str(),
                of: "review sample",
            });
            unit(lot) < self.sample
        };
        let reasons = [
            (is_severe, HoldReason::Severity),
            (
                self.unresolved && outcome == Outcome::Unresolved,
                HoldReason::Unresolved,
            ),
            (self.critic_error && has_error(), HoldReason::CriticError),
            (self.sample > 0.0 && is_drawn(), HoldReason::Sample),
        ];
        let met = reasons.into_iter().filter(|(is_met, _)| *is_met);
        met.map(|(_, reason)| reason).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Conversation;
    use crate::transcript::{Assessor, Finding};

    fn round(verdict: Verdict, severity: Option<Severity>) -> Round {
        Round {
            n: 1,
            principles: vec!["p".to_owned()],
            findings: vec![Finding {
                principle: "p".to_owned(),
                verdict,
                evidence: Vec::new(),
                explanation: String::new(),
                severity,
                fix: None,
                by: Assessor::Model,
            }],
            critique: None,
            critique_request: None,
            revision_request: None,
            critique_calls: Vec::new(),
            faults: Vec::new(),
            revision: None,
            kept: false,
            why: String::new(),
        }
    }

    fn reasons(hold: &Hold, round: Round, outcome: Outcome) -> Vec<HoldReason> {
        let record = Record::new(Conversation::from_prompt("q"));
        hold.reasons(&record, 0, &[round], outcome)
    }

    #[test]
    fn each_rule_holds_for_its_reason() {
        let all = Hold {
            severity: Some(Severity::High),
            unresolved: true,
            critic_error: true,
            ..Hold::default()
        };
        let severe = round(Verdict::Violates, Some(Severity::Critical));
        assert_eq!(
            reasons(&all, severe.clone(), Outcome::Compliant),
            [HoldReason::Severity]
        );
        let mild = round(Verdict::Violates, Some(Severity::Medium));
        assert_eq!(reasons(&all, mild.clone(), Outcome::Compliant), []);
        assert_eq!(
            reasons(&all, mild, Outcome::Unresolved),
            [HoldReason::Unresolved]
        );
        assert_eq!(
            reasons(&all, round(Verdict::Error, None), Outcome::Unresolved),
            [HoldReason::Unresolved, HoldReason::CriticError]
        );
        assert_eq!(
            reasons(&Hold::default(), severe.clone(), Outcome::Unresolved),
            []
        );
        assert_eq!(reasons(&all, severe, Outcome::Failed), []);
    }

    #[test]
    fn the_sample_is_of_its_size_and_the_same_again() {
        let hold = Hold {
            sample: 0.1,
            ..Hold::default()
        };
        let drawn = |seed| -> Vec<bool> {
            (0..2000)
                .map(|number| {
                    let record = Record::new(Conversation::from_prompt(format!("{number}")));
                    !hold
                        .reasons(&record, seed, &[], Outcome::Compliant)
                        .is_empty()
                })
                .collect()
        };
        let first = drawn(1);
        let count = first.iter().filter(|is_drawn| **is_drawn).count();
        assert!((140..260).contains(&count), "{count} of 2,000");
        assert_eq!(first, drawn(1));
        assert_ne!(first, drawn(2));
    }
}
