//! What a run of comparisons came to: labels, position bias, and agreement with labels that were
//! given.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::{Serialize, Serializer};

use super::work::Labelled;
use super::{Label, LabelSource, Preference, PrincipleVote, Side};
use crate::audit::{AgreementTable, Interval, wilson};

/// What a run of comparisons came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Tally {
    /// Rows whose answers were to be compared.
    pub pairs: u64,
    /// How many preferences have which label; with a label for each principle, a pair has several.
    pub labels: BTreeMap<Label, u64>,
    /// How many questions were answered by what, in one order each.
    pub sources: BTreeMap<LabelSource, u64>,
    /// How the place of an answer weighs.
    pub position_bias: Bias,
    /// How the labels agree with the columns `chosen` and `rejected`.
    #[serde(serialize_with = "as_agreement")]
    pub agreement: AgreementTable,
    /// The same for each principle, in the order in which they first spoke.
    pub principles: IndexMap<String, PrincipleTally>,
}

/// What one principle came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PrincipleTally {
    /// How many of its votes have which label.
    pub labels: BTreeMap<Label, u64>,
    /// How the place of an answer weighs.
    pub position_bias: Bias,
    /// How its votes agree with the columns `chosen` and `rejected`.
    #[serde(serialize_with = "as_agreement")]
    pub agreement: AgreementTable,
}

/// How the place of an answer weighs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bias {
    /// Votes with both orders.
    pub votes: u64,
    /// Of those, votes whose orders prefer different answers.
    pub differing: u64,
    /// What the answers that were shown first got, added up over both orders.
    first: f64,
}

#[derive(Serialize)]
struct WrittenBias {
    votes: u64,
    differing: u64,
    rate: Option<f64>,
    interval: Interval,
    first_shown: Option<f64>,
}

impl Bias {
    /// The share of votes whose orders prefer different answers.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn rate(&self) -> Option<f64> {
        (self.votes > 0).then(|| self.differing as f64 / self.votes as f64)
    }

    /// What the answer that was shown first got on average: 0.5 where the place says nothing.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn first_shown(&self) -> Option<f64> {
        (self.votes > 0).then(|| self.first / (2 * self.votes) as f64)
    }

    fn add(&mut self, vote: &PrincipleVote) {
        let (Some(differs), [Some(one), Some(other)]) = (
            vote.position_bias,
            [vote.orders[0].soft, vote.orders[1].soft],
        ) else {
            return;
        };
        self.votes += 1;
        self.differing += u64::from(differs);
        self.first += one + (1.0 - other);
    }
}

impl Serialize for Bias {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        WrittenBias {
            votes: self.votes,
            differing: self.differing,
            rate: self.rate(),
            interval: wilson(self.differing, self.votes),
            first_shown: self.first_shown(),
        }
        .serialize(serializer)
    }
}

fn as_agreement<S: Serializer>(table: &AgreementTable, serializer: S) -> Result<S::Ok, S::Error> {
    let agreement = table.agreement();
    let there_is_one = agreement.judged > 0;
    there_is_one.then_some(agreement).serialize(serializer)
}

impl Tally {
    /// Counts a row.
    pub(super) fn add(&mut self, labelled: &Labelled) {
        self.pairs += 1;
        for preference in &labelled.preferences {
            self.add_preference(preference, labelled.given);
        }
    }

    fn add_preference(&mut self, preference: &Preference, given: Option<(Side, Side)>) {
        *self.labels.entry(preference.label).or_default() += 1;
        compare(&mut self.agreement, preference.label, given);
        for vote in &preference.principles {
            self.position_bias.add(vote);
            for order in &vote.orders {
                *self.sources.entry(order.by).or_default() += 1;
            }
            let tally = self.principles.entry(vote.principle.clone()).or_default();
            *tally.labels.entry(vote.label).or_default() += 1;
            tally.position_bias.add(vote);
            compare(&mut tally.agreement, vote.label, given);
        }
    }

    /// How many preferences have a label.
    #[must_use]
    pub fn count(&self, label: Label) -> u64 {
        self.labels.get(&label).copied().unwrap_or_default()
    }
}

/// Counts a case of both raters: whether each prefers the side that the toss names. Ties, and what
/// has no preference, are left out.
fn compare(table: &mut AgreementTable, label: Label, given: Option<(Side, Side)>) {
    if let (Some(preferred), Some((given, tossed))) = (label.side(), given) {
        table.add(given == tossed, preferred == tossed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prefer::OrderVote;
    use crate::record::RecordId;

    fn labelled(one: f64, other: f64, tossed: Side) -> Labelled {
        let order = |first, soft| OrderVote {
            first,
            soft: Some(soft),
            by: LabelSource::Votes,
            votes: vec![Some(soft)],
            why: None,
            calls: Vec::new(),
        };
        let orders = [order(Side::A, one), order(Side::B, other)];
        let columns = ["chosen".to_owned(), "rejected".to_owned()];
        let vote = PrincipleVote::of("p", 1.0, orders);
        Labelled {
            id: RecordId::new("r"),
            preferences: vec![Preference::of(vec![vote], &columns)],
            lines: Vec::new(),
            given: Some((Side::A, tossed)),
            server_failure: None,
        }
    }

    #[test]
    fn a_run_by_hand() {
        let mut tally = Tally::default();
        // Agrees three times, disagrees once, ties once; its orders differ in the tie alone.
        for (one, other, tossed) in [
            (0.9, 0.7, Side::A),
            (0.8, 0.6, Side::B),
            (1.0, 1.0, Side::B),
            (0.3, 0.1, Side::A),
            (0.75, 0.25, Side::A),
        ] {
            tally.add(&labelled(one, other, tossed));
        }
        assert_eq!((tally.pairs, tally.count(Label::A)), (5, 3));
        assert_eq!((tally.count(Label::B), tally.count(Label::Tie)), (1, 1));
        let agreement = tally.agreement.agreement();
        assert_eq!((agreement.judged, agreement.agreed), (4, 3));
        // Given: A, B, B, A of the tossed sides' cases; the critic names the toss once of four.
        // By chance 2/4 · 1/4 + 2/4 · 3/4 = 0.5; (0.75 − 0.5) / 0.5.
        assert!((agreement.kappa.expect("a κ") - 0.5).abs() < 1e-12);
        let bias = tally.position_bias;
        assert_eq!((bias.votes, bias.differing, bias.rate()), (5, 1, Some(0.2)));
        // (0.9 + 0.3 + 0.8 + 0.4 + 1.0 + 0.0 + 0.3 + 0.9 + 0.75 + 0.75) / 10
        assert!((bias.first_shown().expect("a mean") - 0.61).abs() < 1e-12);
        assert_eq!(tally.sources[&LabelSource::Votes], 10);
        assert_eq!(tally.principles["p"].labels[&Label::A], 3);
    }
}
