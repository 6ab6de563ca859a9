//! One example, and what was found in it, as often as it was judged.

use super::matrix::expected;
use crate::constitution::{Example, Principle};
use crate::transcript::{Finding, Verdict};

/// One example and what was found in it.
#[derive(Clone, Debug)]
pub struct Tried<'a> {
    /// The principle that the example belongs to.
    pub principle: &'a Principle,
    /// Which of the principle's examples it is, from 1.
    pub number: usize,
    /// The example.
    pub example: &'a Example,
    /// What was found, one finding for each time that it was judged.
    pub findings: Vec<Finding>,
}

impl Tried<'_> {
    /// The verdict that the example expects.
    #[must_use]
    pub fn expected(&self) -> Verdict {
        expected(self.example.verdict)
    }

    /// Whether every finding has the verdict that was expected; a strict reader wants the evidence
    /// found as well.
    #[must_use]
    pub fn passes(&self, strict: bool) -> bool {
        let as_expected = |finding: &Finding| {
            finding.verdict == self.expected()
                && (!strict || self.finds_evidence(finding) != Some(false))
        };
        self.findings.iter().all(as_expected)
    }

    /// Whether some finding is that it could not be assessed.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        let mut findings = self.findings.iter();
        findings.any(|finding| finding.verdict == Verdict::Error)
    }

    /// Whether a finding quotes what the example says is the evidence, or a part of it; absent where
    /// the example has none, or no violation was found.
    #[must_use]
    pub fn finds_evidence(&self, finding: &Finding) -> Option<bool> {
        let wanted = self.example.evidence.as_deref()?;
        if finding.verdict != Verdict::Violates {
            return None;
        }
        let answer = &self.example.answer;
        let mut quotes = finding.evidence.iter();
        Some(quotes.any(|quote| share_a_place(answer, quote, wanted)))
    }

    /// Whether the verdicts differ from one time to the next, errors aside; absent where there are
    /// not two to compare.
    #[must_use]
    pub fn flips(&self) -> Option<bool> {
        let verdicts = self.findings.iter().map(|finding| finding.verdict);
        let assessed: Vec<Verdict> = verdicts
            .filter(|verdict| *verdict != Verdict::Error)
            .collect();
        let (first, others) = assessed.split_first()?;
        (!others.is_empty()).then(|| others.iter().any(|other| other != first))
    }
}

/// Whether two quotes of a text have a place in common.
fn share_a_place(text: &str, one: &str, other: &str) -> bool {
    let places = |quote: &str| -> Vec<(usize, usize)> {
        let found = text.match_indices(quote).map(|(start, _)| start);
        found.map(|start| (start, start + quote.len())).collect()
    };
    let others = places(other);
    let overlaps = |(start, end): (usize, usize)| {
        others
            .iter()
            .any(|(from, until)| start < *until && *from < end)
    };
    places(one).into_iter().any(overlaps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_meet_where_they_overlap() {
        let text = "Call Ann, or call Bob.";
        assert!(share_a_place(text, "call Bob", "or call"));
        assert!(share_a_place(text, "Call Ann, or call Bob.", "Bob"));
        assert!(!share_a_place(text, "Call Ann", "call Bob"));
    }
}
