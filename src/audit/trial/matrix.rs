//! Expected verdicts against found ones.

use indexmap::IndexMap;
use serde::{Serialize, Serializer};

use crate::constitution::ExampleVerdict;
use crate::transcript::Verdict;

/// How often each verdict was found where each was expected. `error` is a column of its own, and
/// counts as no other verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Matrix([[u64; 4]; 3]);

impl Matrix {
    /// The verdicts that an example can expect, in the order of the rows.
    pub const EXPECTED: [Verdict; 3] =
        [Verdict::Violates, Verdict::Complies, Verdict::NotApplicable];
    /// The verdicts that can be found, in the order of the columns.
    pub const FOUND: [Verdict; 4] = [
        Verdict::Violates,
        Verdict::Complies,
        Verdict::NotApplicable,
        Verdict::Error,
    ];

    /// Counts one verdict.
    pub fn add(&mut self, expected: Verdict, found: Verdict) {
        let row = Self::EXPECTED
            .iter()
            .position(|verdict| *verdict == expected);
        let column = Self::FOUND.iter().position(|verdict| *verdict == found);
        if let (Some(row), Some(column)) = (row, column) {
            self.0[row][column] += 1;
        }
    }

    /// Adds what another one counted.
    pub fn merge(&mut self, other: &Self) {
        for (row, counts) in other.0.iter().enumerate() {
            for (column, count) in counts.iter().enumerate() {
                self.0[row][column] += count;
            }
        }
    }

    /// How often `found` was found where `expected` was expected.
    #[must_use]
    pub fn count(&self, expected: Verdict, found: Verdict) -> u64 {
        let row = Self::EXPECTED
            .iter()
            .position(|verdict| *verdict == expected);
        let column = Self::FOUND.iter().position(|verdict| *verdict == found);
        row.zip(column)
            .map_or(0, |(row, column)| self.0[row][column])
    }

    /// How often a verdict was found, whatever was expected.
    #[must_use]
    pub fn found(&self, found: Verdict) -> u64 {
        Self::EXPECTED
            .iter()
            .map(|expected| self.count(*expected, found))
            .sum()
    }

    /// How often a verdict was expected and any but `error` was found.
    #[must_use]
    pub fn assessed(&self, expected: Verdict) -> u64 {
        let assessed = Self::FOUND.iter().filter(|found| **found != Verdict::Error);
        assessed.map(|found| self.count(expected, *found)).sum()
    }
}

impl Serialize for Matrix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let row = |expected| -> IndexMap<&'static str, u64> {
            let found = Self::FOUND.iter();
            found
                .map(|found| (name(*found), self.count(expected, *found)))
                .collect()
        };
        let expected = Self::EXPECTED.iter();
        serializer.collect_map(expected.map(|expected| (name(*expected), row(*expected))))
    }
}

/// A verdict's name in JSON.
fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Complies => "complies",
        Verdict::Violates => "violates",
        Verdict::NotApplicable => "not_applicable",
        Verdict::Error => "error",
    }
}

/// The verdict that an example expects.
pub(super) fn expected(verdict: ExampleVerdict) -> Verdict {
    match verdict {
        ExampleVerdict::Complies => Verdict::Complies,
        ExampleVerdict::Violates => Verdict::Violates,
        ExampleVerdict::NotApplicable => Verdict::NotApplicable,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_error_is_in_its_own_column_and_in_no_sum_of_what_was_assessed() {
        let mut matrix = Matrix::default();
        matrix.add(Verdict::Violates, Verdict::Violates);
        matrix.add(Verdict::Violates, Verdict::Error);
        matrix.add(Verdict::Complies, Verdict::Violates);
        assert_eq!(matrix.found(Verdict::Violates), 2);
        assert_eq!(matrix.assessed(Verdict::Violates), 1);
        assert_eq!(matrix.found(Verdict::Error), 1);
        assert_eq!(
            json!(matrix)["violates"],
            json!({ "violates": 1, "complies": 0, "not_applicable": 0, "error": 1 })
        );
    }
}
