//! How far two raters agree: the share of cases, and Cohen's κ (Cohen 1960, doi
//! 10.1177/001316446002000104), which takes off what chance alone would give.

use serde::Serialize;

use super::{Interval, wilson};

/// How far two raters of the same cases agree, who choose between two things.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AgreementTable {
    /// Both chose the first.
    pub both_first: u64,
    /// One rater chose the first, the other the second.
    pub first_second: u64,
    /// The other way round.
    pub second_first: u64,
    /// Both chose the second.
    pub both_second: u64,
}

/// What an [`AgreementTable`] comes to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Agreement {
    /// Cases that both raters judged.
    pub judged: u64,
    /// Cases in which they agree.
    pub agreed: u64,
    /// The share of those; absent where nothing was judged.
    pub accuracy: Option<f64>,
    /// The share's 95 % interval.
    pub interval: Interval,
    /// Cohen's κ: 1 for full agreement, 0 for that of chance; absent where chance alone would give
    /// full agreement.
    pub kappa: Option<f64>,
}

impl AgreementTable {
    /// Counts a case: whether each rater chose the first.
    pub fn add(&mut self, one: bool, other: bool) {
        self.add_times(one, other, 1);
    }

    /// Counts so many cases that are alike.
    pub fn add_times(&mut self, one: bool, other: bool, times: u64) {
        let cell = match (one, other) {
            (true, true) => &mut self.both_first,
            (true, false) => &mut self.first_second,
            (false, true) => &mut self.second_first,
            (false, false) => &mut self.both_second,
        };
        *cell += times;
    }

    /// What the counts come to.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn agreement(&self) -> Agreement {
        let agreed = self.both_first + self.both_second;
        let judged = agreed + self.first_second + self.second_first;
        let share = |count: u64| count as f64 / judged as f64;
        let accuracy = (judged > 0).then(|| share(agreed));
        let one = share(self.both_first + self.first_second);
        let other = share(self.both_first + self.second_first);
        let by_chance = one * other + (1.0 - one) * (1.0 - other);
        Agreement {
            judged,
            agreed,
            accuracy,
            interval: wilson(agreed, judged),
            kappa: accuracy
                .filter(|_| by_chance < 1.0)
                .map(|accuracy| (accuracy - by_chance) / (1.0 - by_chance)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kappa(both_first: u64, first_second: u64, second_first: u64, both_second: u64) -> f64 {
        let table = AgreementTable {
            both_first,
            first_second,
            second_first,
            both_second,
        };
        table.agreement().kappa.expect("a κ")
    }

    #[test]
    fn kappa_by_hand() {
        // 35 of 50 agree: 0.7. By chance 25/50 · 30/50 + 25/50 · 20/50 = 0.5. (0.7 − 0.5) / 0.5.
        assert!((kappa(20, 5, 10, 15) - 0.4).abs() < 1e-12);
        // 60 of 100 agree. By chance 0.7 · 0.6 + 0.3 · 0.4 = 0.54. 0.06 / 0.46.
        assert!((kappa(45, 25, 15, 15) - 0.06 / 0.46).abs() < 1e-12);
        assert!((kappa(7, 0, 0, 3) - 1.0).abs() < 1e-12);
        assert!((kappa(0, 5, 5, 0) + 1.0).abs() < 1e-12);
    }

    #[test]
    fn cases_go_where_they_belong() {
        let mut table = AgreementTable::default();
        for (one, other) in [(true, true), (true, false), (true, false), (false, true)] {
            table.add(one, other);
        }
        let agreement = table.agreement();
        assert_eq!((agreement.judged, agreement.agreed), (4, 1));
        assert_eq!((table.first_second, table.second_first), (2, 1));
        assert_eq!(agreement.accuracy, Some(0.25));
    }

    #[test]
    fn where_chance_decides_all_there_is_no_kappa() {
        let table = AgreementTable {
            both_first: 9,
            ..AgreementTable::default()
        };
        assert_eq!(table.agreement().kappa, None);
        let nothing = AgreementTable::default().agreement();
        assert_eq!((nothing.accuracy, nothing.kappa), (None, None));
    }
}
