//! What is written of a pair: the column `redraft` of its row.

use serde::Serialize;

use super::label::{differ, mean, rounded};
use super::{Label, LabelSource, Side};
use crate::digest::Digest;

/// Which answer of a pair is preferred, and by which votes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Preference {
    /// The hard label.
    pub label: Label,
    /// The column of the preferred answer; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred: Option<String>,
    /// The soft label: how probable it is that the answer in the first column is the better one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soft: Option<f64>,
    /// Whether the two orders prefer different answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position_bias: Option<bool>,
    /// What each principle says.
    pub principles: Vec<PrincipleVote>,
    /// Why there is no soft label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What one principle says of a pair.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PrincipleVote {
    /// The principle's id.
    pub principle: String,
    /// The hard label.
    pub label: Label,
    /// The mean of both orders; absent unless both could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soft: Option<f64>,
    /// Whether the two orders prefer different answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position_bias: Option<bool>,
    /// Both orders: first with the answer of the first column shown as A, then as B.
    pub orders: [OrderVote; 2],
    /// What the principle weighs in a mean.
    #[serde(skip)]
    pub weight: f64,
}

/// What the critic said while the answers stood in one order.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OrderVote {
    /// The answer that was shown first.
    pub first: Side,
    /// How probable it is that the answer in the first column is the better one: the mean of the
    /// replies that could be read, clamped where they were thought about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soft: Option<f64>,
    /// What the replies were read by.
    pub by: LabelSource,
    /// The same of each reply; `null` for one that could not be read.
    pub votes: Vec<Option<f64>>,
    /// Why the last such reply could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The journalled calls.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<Digest>,
}

impl PrincipleVote {
    /// The vote of both orders. One that could not be read leaves the other without its
    /// counterweight, so that neither counts.
    #[must_use]
    pub fn of(principle: &str, weight: f64, orders: [OrderVote; 2]) -> Self {
        let both = match (orders[0].soft, orders[1].soft) {
            (Some(one), Some(other)) => Some((one, other)),
            _ => None,
        };
        let soft = both.map(|(one, other)| rounded(f64::midpoint(one, other)));
        Self {
            principle: principle.to_owned(),
            label: soft.map_or(Label::Unreadable, Label::of),
            soft,
            position_bias: both.map(|(one, other)| differ(one, other)),
            orders,
            weight,
        }
    }

    fn order(&self, number: usize) -> Option<(f64, f64)> {
        self.soft?;
        Some((self.orders[number].soft?, self.weight))
    }
}

impl Preference {
    /// What the principles say together: the mean of those that could be read, by their weight.
    #[must_use]
    pub fn of(principles: Vec<PrincipleVote>, columns: &[String; 2]) -> Self {
        let order = |number: usize| {
            let votes = principles.iter();
            mean(votes.filter_map(|vote| vote.order(number))).map(rounded)
        };
        let Some((one, other)) = order(0).zip(order(1)) else {
            let why = principles.iter().flat_map(|vote| &vote.orders);
            let why = why.filter_map(|order| order.why.as_deref()).next_back();
            let why = why.unwrap_or("no principle has a weight").to_owned();
            return Self {
                principles,
                ..Self::without(Label::Unreadable, why)
            };
        };
        let soft = rounded(f64::midpoint(one, other));
        let label = Label::of(soft);
        Self {
            label,
            preferred: label.side().map(|side| columns[side as usize].clone()),
            soft: Some(soft),
            position_bias: Some(differ(one, other)),
            principles,
            why: None,
        }
    }

    /// No preference, and why.
    #[must_use]
    pub fn without(label: Label, why: impl Into<String>) -> Self {
        Self {
            label,
            preferred: None,
            soft: None,
            position_bias: None,
            principles: Vec::new(),
            why: Some(why.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(first: Side, soft: Option<f64>) -> OrderVote {
        OrderVote {
            first,
            soft,
            by: LabelSource::Logprobs,
            votes: vec![soft],
            why: soft.is_none().then(|| "the reply says “hm”".to_owned()),
            calls: Vec::new(),
        }
    }

    fn vote(weight: f64, one: Option<f64>, other: Option<f64>) -> PrincipleVote {
        PrincipleVote::of("p", weight, [order(Side::A, one), order(Side::B, other)])
    }

    fn columns() -> [String; 2] {
        ["chosen".to_owned(), "rejected".to_owned()]
    }

    #[test]
    fn both_orders_are_averaged_and_their_disagreement_is_told() {
        let agreed = vote(1.0, Some(0.8), Some(0.6));
        assert_eq!((agreed.soft, agreed.label), (Some(0.7), Label::A));
        assert_eq!(agreed.position_bias, Some(false));
        // The first one is liked in either order: 0.9, and 1 − 0.7.
        let biased = vote(1.0, Some(0.9), Some(0.3));
        assert_eq!((biased.soft, biased.label), (Some(0.6), Label::A));
        assert_eq!(biased.position_bias, Some(true));
        let even = vote(1.0, Some(0.9), Some(0.1));
        assert_eq!((even.label, even.position_bias), (Label::Tie, Some(true)));
    }

    #[test]
    fn one_order_alone_is_no_preference() {
        let half = vote(1.0, Some(0.9), None);
        assert_eq!((half.soft, half.label), (None, Label::Unreadable));
        let preference = Preference::of(vec![half], &columns());
        assert_eq!(preference.label, Label::Unreadable);
        assert_eq!((preference.soft, preference.preferred), (None, None));
        assert_eq!(preference.why.as_deref(), Some("the reply says “hm”"));
    }

    #[test]
    fn an_ensemble_is_the_weighted_mean_of_what_could_be_read() {
        let votes = vec![
            vote(3.0, Some(0.2), Some(0.4)),
            vote(1.0, Some(0.9), Some(0.7)),
            vote(5.0, None, Some(1.0)),
        ];
        let preference = Preference::of(votes, &columns());
        // (0.3 · 3 + 0.8 · 1) / 4
        assert_eq!(preference.soft, Some(0.425));
        assert_eq!(preference.label, Label::B);
        assert_eq!(preference.preferred.as_deref(), Some("rejected"));
        // (0.2 · 3 + 0.9) / 4 = 0.375, (0.4 · 3 + 0.7) / 4 = 0.475: both prefer b.
        assert_eq!(preference.position_bias, Some(false));
        assert_eq!(preference.principles.len(), 3);
    }
}
