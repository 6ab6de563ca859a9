//! Which transcripts are exported.

use std::collections::HashSet;

use super::{Decided, LeftOut};
use crate::constitution::Severity;
use crate::record::RecordId;
use crate::transcript::{Finding, Outcome, Round, Transcript, Verdict};

/// Which transcripts are exported: those that every filter lets through.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only where the final answer differs from the draft.
    pub changed: bool,
    /// Only where every principle was assessed on the final answer and none is violated.
    pub compliant: bool,
    /// Only with one of these outcomes; any, if empty.
    pub outcomes: Vec<Outcome>,
    /// Only where one of these principles was found violated, or criticised in free text; any, if
    /// empty.
    pub principles: Vec<String>,
    /// Only where a violation was at least so severe.
    pub severity: Option<Severity>,
    /// Only these records; any, if absent.
    pub records: Option<HashSet<RecordId>>,
    /// Only where people decided so; any decision but a rejection, if empty.
    pub decisions: Vec<Decided>,
    /// What is let through although it is not fit to train on.
    pub include: Include,
}

/// What is let through although it is not fit to train on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Include {
    /// Records that wait for a person.
    pub held: bool,
    /// Records that were not brought to their end.
    pub failed: bool,
    /// Transcripts in which something could not be assessed.
    pub error: bool,
}

impl Selection {
    /// Lets through what people decided.
    ///
    /// # Errors
    ///
    /// Why it is left out.
    pub fn check_decision(&self, decided: Decided) -> Result<(), LeftOut> {
        let is_named = self.decisions.contains(&decided);
        match decided {
            Decided::Rejected if !is_named => Err(LeftOut::Rejected),
            _ if is_named || self.decisions.is_empty() => Ok(()),
            _ => Err(LeftOut::OtherDecision),
        }
    }

    /// Lets a transcript through.
    ///
    /// # Errors
    ///
    /// Why it is left out.
    pub fn check(&self, transcript: &Transcript) -> Result<(), LeftOut> {
        let named = |records: &HashSet<RecordId>| records.contains(&transcript.record.id);
        if !self.records.as_ref().is_none_or(named) {
            return Err(LeftOut::NotNamed);
        }
        self.check_fitness(transcript)?;
        let outcome = transcript.outcome;
        if !self.outcomes.is_empty() && !self.outcomes.contains(&outcome) {
            return Err(LeftOut::OtherOutcome);
        }
        if self.changed && !transcript.changed() {
            return Err(LeftOut::Unchanged);
        }
        if self.compliant && outcome != Outcome::Compliant {
            return Err(LeftOut::NotCompliant);
        }
        if !self.principles.is_empty() && !any_round(transcript, |round| self.is_about(round)) {
            return Err(LeftOut::OtherPrinciple);
        }
        if self.severity.is_some() && !any_round(transcript, |round| self.is_severe(round)) {
            return Err(LeftOut::Milder);
        }
        Ok(())
    }

    /// Held and failed records, and those with an error, need their name said.
    fn check_fitness(&self, transcript: &Transcript) -> Result<(), LeftOut> {
        let named = |outcome| self.outcomes.contains(&outcome);
        let is_error = |finding: &Finding| finding.verdict == Verdict::Error;
        match transcript.outcome {
            Outcome::Held if !(self.include.held || named(Outcome::Held)) => Err(LeftOut::Held),
            Outcome::Failed if !(self.include.failed || named(Outcome::Failed)) => {
                Err(LeftOut::Failed)
            }
            _ if !self.include.error
                && any_round(transcript, |round| round.findings.iter().any(is_error)) =>
            {
                Err(LeftOut::Error)
            }
            _ => Ok(()),
        }
    }

    fn is_about(&self, round: &Round) -> bool {
        let asked = |id: &String| self.principles.contains(id);
        if round.critique.is_some() && round.findings.is_empty() {
            return round.principles.iter().any(asked);
        }
        self.violations(round).next().is_some()
    }

    fn is_severe(&self, round: &Round) -> bool {
        self.violations(round)
            .any(|finding| finding.severity >= self.severity)
    }

    /// The violations of the principles that were asked for.
    fn violations<'t>(&self, round: &'t Round) -> impl Iterator<Item = &'t Finding> {
        let asked = |id: &String| self.principles.is_empty() || self.principles.contains(id);
        round.findings.iter().filter(move |finding| {
            finding.verdict == Verdict::Violates && asked(&finding.principle)
        })
    }
}

fn any_round(transcript: &Transcript, test: impl Fn(&Round) -> bool) -> bool {
    transcript.rounds.iter().any(test)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::test_transcripts::{chat_run, clean, mended, unassessed};

    fn check(selection: &Selection, transcript: &Transcript) -> Option<LeftOut> {
        selection.check(transcript).err()
    }

    #[test]
    fn what_is_not_fit_needs_its_name_said() {
        let mut failed = clean();
        failed.outcome = Outcome::Failed;
        let mut held = clean();
        held.outcome = Outcome::Held;
        let none = Selection::default();
        assert_eq!(check(&none, &failed), Some(LeftOut::Failed));
        assert_eq!(check(&none, &held), Some(LeftOut::Held));
        assert_eq!(check(&none, &unassessed()), Some(LeftOut::Error));
        let all = Selection {
            include: Include {
                held: true,
                failed: true,
                error: true,
            },
            ..Selection::default()
        };
        for transcript in [&failed, &held, &unassessed()] {
            assert_eq!(check(&all, transcript), None);
        }
        let named = Selection {
            outcomes: vec![Outcome::Failed],
            ..Selection::default()
        };
        assert_eq!(check(&named, &failed), None);
        assert_eq!(check(&named, &held), Some(LeftOut::Held));
        assert_eq!(check(&named, &clean()), Some(LeftOut::OtherOutcome));
    }

    #[test]
    fn records_that_are_named_are_the_only_ones() {
        let naming = |id: &str| Selection {
            records: Some(HashSet::from([RecordId::new(id)])),
            ..Selection::default()
        };
        let transcript = mended();
        let id = transcript.record.id.as_str();
        assert_eq!(check(&naming(id), &transcript), None);
        let other = naming("nobody");
        assert_eq!(check(&other, &transcript), Some(LeftOut::NotNamed));
    }

    #[test]
    fn what_people_rejected_needs_its_name_said() {
        let none = Selection::default();
        assert_eq!(none.check_decision(Decided::Not), Ok(()));
        assert_eq!(none.check_decision(Decided::Edited), Ok(()));
        let rejected = none.check_decision(Decided::Rejected);
        assert_eq!(rejected, Err(LeftOut::Rejected));
        let some = Selection {
            decisions: vec![Decided::Rejected],
            ..Selection::default()
        };
        assert_eq!(some.check_decision(Decided::Rejected), Ok(()));
        let other = some.check_decision(Decided::Not);
        assert_eq!(other, Err(LeftOut::OtherDecision));
    }

    #[test]
    fn changed_and_compliant_are_asked_for_together() {
        let both = Selection {
            changed: true,
            compliant: true,
            ..Selection::default()
        };
        assert_eq!(check(&both, &mended()), None);
        assert_eq!(check(&both, &clean()), Some(LeftOut::Unchanged));
        assert_eq!(check(&both, &chat_run()), Some(LeftOut::NotCompliant));
    }

    #[test]
    fn principle_and_severity_are_of_the_same_violation() {
        let chosen = |principle: &str, severity| Selection {
            principles: vec![principle.to_owned()],
            severity,
            ..Selection::default()
        };
        let high = Some(Severity::High);
        assert_eq!(check(&chosen("be-kind", high), &mended()), None);
        let graver = chosen("be-kind", Some(Severity::Critical));
        assert_eq!(check(&graver, &mended()), Some(LeftOut::Milder));
        let other = chosen("be-brief", None);
        assert_eq!(check(&other, &mended()), Some(LeftOut::OtherPrinciple));
        // Free text has neither verdict nor severity, but the principle it was about.
        assert_eq!(check(&chosen("be-kind", None), &chat_run()), None);
        assert_eq!(
            check(&chosen("be-kind", high), &chat_run()),
            Some(LeftOut::Milder)
        );
    }
}
