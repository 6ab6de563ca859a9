//! What a trial says of a principle: precision, recall, evidence, and how steady the verdicts are.

use serde::Serialize;

use super::{Matrix, Tried};
use crate::audit::{Interval, wilson};
use crate::transcript::Verdict;

/// A share with its 95 % interval (Wilson).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Share {
    /// How many have what is counted.
    pub hits: u64,
    /// Of how many.
    pub of: u64,
    /// The interval of the share; from 0 to 1 where nothing was counted.
    pub interval: Interval,
}

impl Share {
    fn new(hits: u64, of: u64) -> Self {
        Self {
            hits,
            of,
            interval: wilson(hits, of),
        }
    }
}

/// What came of the examples of one principle, or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// How many examples were tried.
    pub examples: u64,
    /// Every verdict that was found.
    pub matrix: Matrix,
    evidence: (u64, u64),
    flips: (u64, u64),
}

impl Score {
    /// Counts what came of one example.
    pub fn add(&mut self, tried: &Tried<'_>) {
        self.examples += 1;
        for finding in &tried.findings {
            self.matrix.add(tried.expected(), finding.verdict);
            if let Some(found) = tried.finds_evidence(finding) {
                count(&mut self.evidence, found);
            }
        }
        if let Some(flips) = tried.flips() {
            count(&mut self.flips, flips);
        }
    }

    /// Adds what another one counted.
    pub fn merge(&mut self, other: &Self) {
        self.examples += other.examples;
        self.matrix.merge(&other.matrix);
        for (sum, part) in [
            (&mut self.evidence, other.evidence),
            (&mut self.flips, other.flips),
        ] {
            sum.0 += part.0;
            sum.1 += part.1;
        }
    }

    /// How many of the violations found were expected.
    #[must_use]
    pub fn precision(&self) -> Share {
        let hits = self.matrix.count(Verdict::Violates, Verdict::Violates);
        Share::new(hits, self.matrix.found(Verdict::Violates))
    }

    /// How many of the violations expected were found, of those that could be assessed.
    #[must_use]
    pub fn recall(&self) -> Share {
        let hits = self.matrix.count(Verdict::Violates, Verdict::Violates);
        Share::new(hits, self.matrix.assessed(Verdict::Violates))
    }

    /// How many of the violations found quote the evidence, where the example has some.
    #[must_use]
    pub fn evidence(&self) -> Share {
        Share::new(self.evidence.0, self.evidence.1)
    }

    /// How many examples had other verdicts at other times, of those that were judged more than once.
    #[must_use]
    pub fn flips(&self) -> Share {
        Share::new(self.flips.0, self.flips.1)
    }

    /// How many verdicts are that nothing could be assessed.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.matrix.found(Verdict::Error)
    }
}

fn count((hits, of): &mut (u64, u64), hit: bool) {
    *hits += u64::from(hit);
    *of += 1;
}
