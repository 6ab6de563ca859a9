//! The critic against people: on the texts and principles that both judged.

use indexmap::IndexMap;
use serde::Serialize;

use super::{PersonVerdict, Review, finding_on};
use crate::audit::{Agreement, AgreementTable, Interval, KappaBootstrap, wilson};
use crate::digest::Digest;
use crate::record::RecordId;
use crate::transcript::{Assessor, Finding, HoldReason, Transcript, Verdict};

/// What critic and people said.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    principles: IndexMap<String, Tables>,
}

/// Counts of one principle: over all reviewed records, and over the random sample alone.
#[derive(Clone, Debug, Default)]
struct Tables {
    all: AgreementTable,
    sample: AgreementTable,
    kappa: KappaBootstrap,
}

/// What critic and people said about one principle.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct PrincipleMeasured {
    /// How far they agree.
    pub agreement: Agreement,
    /// The 95 % interval of κ, by a bootstrap over records; absent where too little was judged.
    pub kappa_interval: Option<Interval>,
    /// How many texts the critic flags that people judged.
    pub flagged: u64,
    /// How many of them people call a violation, too.
    pub confirmed: u64,
    /// Of what the critic flags, the share that people call a violation, too.
    pub precision: Option<f64>,
    /// Its 95 % interval.
    pub precision_interval: Interval,
    /// Of what people call a violation in the random sample, the share that the critic flags; in
    /// other records, which are held because the critic flagged something, it would say nothing.
    pub recall: Option<f64>,
    /// Its 95 % interval.
    pub recall_interval: Interval,
    /// Findings of the random sample.
    pub sampled: u64,
}

impl Measured {
    /// Counts the verdicts of one review of a transcript.
    pub fn add(&mut self, transcript: &Transcript, review: &Review) {
        let held = transcript.held.as_ref();
        let is_sampled = held.is_some_and(|held| held.reasons.contains(&HoldReason::Sample));
        let number = number(&transcript.record.id);
        for verdict in &review.verdicts {
            let Some(flagged) = flagged(transcript, verdict) else {
                continue;
            };
            let tables = self.principles.entry(verdict.principle.clone());
            let tables = tables.or_default();
            tables.all.add(flagged, verdict.violates);
            tables.kappa.add(number, flagged, verdict.violates);
            if is_sampled {
                tables.sample.add(flagged, verdict.violates);
            }
        }
    }

    /// Per principle, in the order in which people first spoke of them.
    pub fn principles(&self) -> impl Iterator<Item = (&str, PrincipleMeasured)> {
        let principles = self.principles.iter();
        principles.map(|(id, tables)| (id.as_str(), tables.measured()))
    }
}

impl Tables {
    fn measured(&self) -> PrincipleMeasured {
        let AgreementTable {
            both_first,
            first_second,
            ..
        } = self.all;
        let (flagged, confirmed) = (both_first + first_second, both_first);
        let (found, missed) = (self.sample.both_first, self.sample.second_first);
        PrincipleMeasured {
            agreement: self.all.agreement(),
            kappa_interval: self.kappa.interval(),
            flagged,
            confirmed,
            precision: share(confirmed, flagged),
            precision_interval: wilson(confirmed, flagged),
            recall: share(found, found + missed),
            recall_interval: wilson(found, found + missed),
            sampled: self.sample.agreement().judged,
        }
    }
}

/// A number for a record, by which its verdicts are drawn together.
fn number(record: &RecordId) -> u64 {
    let digest = Digest::of(record.as_str().as_bytes());
    let (first, _) = digest.as_bytes().split_at(8);
    first
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn share(hits: u64, total: u64) -> Option<f64> {
    (total > 0).then(|| hits as f64 / total as f64)
}

/// Whether the critic said that the text violates the principle; nothing where it gave no verdict on
/// that text, or checks did.
fn flagged(transcript: &Transcript, verdict: &PersonVerdict) -> Option<bool> {
    let by_critic = |finding: &Finding| finding.by == Assessor::Model;
    let found = finding_on(transcript, verdict.text, &verdict.principle, by_critic);
    match found?.verdict {
        Verdict::Violates => Some(true),
        Verdict::Complies | Verdict::NotApplicable => Some(false),
        Verdict::Error => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::test_transcripts::mended;
    use crate::review::decision::tests::review;
    use crate::review::{Decision, JudgedText};
    use crate::transcript::{Held, Outcome};

    fn judged(text: JudgedText, violates: bool) -> Review {
        let mut review = review("ann", Decision::Approve);
        review.verdicts = vec![PersonVerdict {
            text,
            principle: "be-kind".to_owned(),
            violates,
        }];
        review
    }

    #[test]
    fn recall_is_of_the_random_sample_alone() {
        let plain = mended();
        let mut sampled = mended();
        sampled.held = Some(Held {
            reasons: vec![HoldReason::Sample],
            otherwise: Outcome::Compliant,
            reviewers: 1,
        });
        let mut measured = Measured::default();
        // The critic flags the draft, and not the final answer.
        measured.add(&plain, &judged(JudgedText::Draft, true));
        measured.add(&plain, &judged(JudgedText::Draft, false));
        measured.add(&sampled, &judged(JudgedText::Draft, true));
        measured.add(&sampled, &judged(JudgedText::Final, true));
        let (id, kind) = measured.principles().next().expect("a principle");
        assert_eq!(id, "be-kind");
        assert_eq!((kind.agreement.judged, kind.agreement.agreed), (4, 2));
        assert_eq!(kind.precision, Some(2.0 / 3.0));
        assert_eq!((kind.recall, kind.sampled), (Some(0.5), 2));
    }

    #[test]
    fn where_the_critic_was_silent_nothing_is_compared() {
        let mut measured = Measured::default();
        let mut review = judged(JudgedText::Draft, true);
        review.verdicts[0].principle = "nobody".to_owned();
        measured.add(&mended(), &review);
        assert_eq!(measured.principles().count(), 0);
    }
}
