//! Findings on which two critics differ, the worst first.

use std::cmp::Ordering;

use serde::Serialize;

use super::TextPlace;
use crate::constitution::Severity;
use crate::record::RecordId;
use crate::transcript::{Finding, Verdict};

/// A finding on which two critics differ.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Disagreement {
    /// The record.
    pub record: RecordId,
    /// Which of its texts.
    #[serde(flatten)]
    pub place: TextPlace,
    /// Whether that is the answer the record ends with.
    pub is_final: bool,
    /// The principle.
    pub principle: String,
    /// What the principle weighs: severity points times weight.
    pub points: f64,
    /// What the critic inside the loop found.
    pub inside: Opinion,
    /// What the critic outside found.
    pub outside: Opinion,
}

/// One critic's finding.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Opinion {
    /// The verdict.
    pub verdict: Verdict,
    /// What it quotes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// Why.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub explanation: String,
    /// How grave the violation is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
}

impl From<&Finding> for Opinion {
    fn from(finding: &Finding) -> Self {
        Self {
            verdict: finding.verdict,
            evidence: finding.evidence.clone(),
            explanation: finding.explanation.clone(),
            severity: finding.severity,
        }
    }
}

impl Disagreement {
    /// The worse one first: what weighs more; a violation that only the critic outside sees before
    /// one that only the critic inside saw, and a final answer before other texts.
    fn order(&self, other: &Self) -> Ordering {
        let missed = |one: &Self| one.outside.verdict == Verdict::Violates;
        let weight = other.points.total_cmp(&self.points);
        weight
            .then_with(|| other.is_final.cmp(&self.is_final))
            .then_with(|| missed(other).cmp(&missed(self)))
    }
}

/// The worst few of many, in the order in which they came where they are as bad.
#[derive(Clone, Debug)]
pub(super) struct Worst {
    most: usize,
    kept: Vec<Disagreement>,
}

impl Worst {
    pub(super) fn of(most: usize) -> Self {
        Self {
            most,
            kept: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, one: Disagreement) {
        let is_no_worse = |kept: &Disagreement| kept.order(&one) != Ordering::Greater;
        let place = self.kept.partition_point(is_no_worse);
        if place < self.most {
            self.kept.insert(place, one);
            self.kept.truncate(self.most);
        }
    }

    pub(super) fn into_list(self) -> Vec<Disagreement> {
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(record: &str, points: f64, is_final: bool, missed: bool) -> Disagreement {
        let opinion = |verdict| Opinion {
            verdict,
            evidence: Vec::new(),
            explanation: String::new(),
            severity: None,
        };
        let (inside, outside) = if missed {
            (Verdict::Complies, Verdict::Violates)
        } else {
            (Verdict::Violates, Verdict::Complies)
        };
        Disagreement {
            record: RecordId::new(record),
            place: TextPlace::Draft,
            is_final,
            principle: "p".to_owned(),
            points,
            inside: opinion(inside),
            outside: opinion(outside),
        }
    }

    #[test]
    fn the_worst_come_first_and_the_rest_is_dropped() {
        let mut worst = Worst::of(4);
        for (record, points, is_final, missed) in [
            ("mild", 1.0, true, true),
            ("grave", 8.0, false, false),
            ("grave and final", 8.0, true, false),
            ("grave, final and missed", 8.0, true, true),
            ("as grave", 8.0, false, false),
        ] {
            worst.add(one(record, points, is_final, missed));
        }
        let kept = worst.into_list();
        let names: Vec<&str> = kept.iter().map(|one| one.record.as_str()).collect();
        let expected = [
            "grave, final and missed",
            "grave and final",
            "grave",
            "as grave",
        ];
        assert_eq!(names, expected);
    }
}
