//! The bootstrap (Efron 1979, doi 10.1214/aos/1176344552) of a mean and of Cohen's κ, in one pass: each case
//! counts in each replicate as often as a Poisson draw says, so that no case is kept (Chamandy et al. 2012).

use serde::Serialize;

use super::{AgreementTable, Interval};

/// How many replicates there are: enough for percentiles of 2.5 and 97.5.
const REPLICATES: usize = 1000;

/// A mean and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimated {
    /// How many cases there were.
    pub cases: u64,
    /// Their mean.
    pub mean: f64,
    /// The mean's 95 % interval, from the percentiles of the replicates.
    pub interval: Interval,
}

/// A mean under way. Two of them that are given the same cases with the same numbers draw alike, so
/// that their difference is a paired one.
#[derive(Clone, Debug)]
pub struct Bootstrap {
    cases: u64,
    sum: f64,
    sums: Vec<f64>,
    weights: Vec<u32>,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self {
            cases: 0,
            sum: 0.0,
            sums: vec![0.0; REPLICATES],
            weights: vec![0; REPLICATES],
        }
    }
}

impl Bootstrap {
    /// Adds the case of that number.
    pub fn add(&mut self, number: u64, value: f64) {
        self.cases += 1;
        self.sum += value;
        let replicates = self.sums.iter_mut().zip(&mut self.weights);
        for ((sum, weight), replicate) in replicates.zip(0_u64..) {
            let drawn = draw(number, replicate);
            *weight += drawn;
            *sum += value * f64::from(drawn);
        }
    }

    /// The mean with its interval; nothing where there was no case.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn estimate(&self) -> Option<Estimated> {
        if self.cases == 0 {
            return None;
        }
        let replicates = self.sums.iter().zip(&self.weights);
        let mut means: Vec<f64> = replicates
            .filter(|(_, weight)| **weight > 0)
            .map(|(sum, weight)| sum / f64::from(*weight))
            .collect();
        Some(Estimated {
            cases: self.cases,
            mean: self.sum / self.cases as f64,
            interval: middle(&mut means)?,
        })
    }
}

/// Cohen's κ of two raters under way. Cases of one number, such as all verdicts on one record, are drawn
/// together: they are not independent of each other.
#[derive(Clone, Debug)]
pub struct KappaBootstrap {
    replicates: Vec<AgreementTable>,
}

impl Default for KappaBootstrap {
    fn default() -> Self {
        Self {
            replicates: vec![AgreementTable::default(); REPLICATES],
        }
    }
}

impl KappaBootstrap {
    /// Adds a case that belongs to that number: whether each rater chose the first.
    pub fn add(&mut self, number: u64, one: bool, other: bool) {
        for (table, replicate) in self.replicates.iter_mut().zip(0_u64..) {
            table.add_times(one, other, u64::from(draw(number, replicate)));
        }
    }

    /// The 95 % interval of κ, from the percentiles of the replicates; nothing where most of those have
    /// no κ, as with few cases, or cases that are all alike.
    #[must_use]
    pub fn interval(&self) -> Option<Interval> {
        let tables = self.replicates.iter();
        let mut kappas: Vec<f64> = tables.filter_map(|table| table.agreement().kappa).collect();
        if 2 * kappas.len() < REPLICATES {
            return None;
        }
        middle(&mut kappas)
    }
}

/// The middle 95 % of some numbers.
fn middle(numbers: &mut [f64]) -> Option<Interval> {
    numbers.sort_by(f64::total_cmp);
    let last = numbers.len().checked_sub(1)?;
    let at = |share: usize| numbers[(last * share + 500) / 1000];
    Some(Interval {
        low: at(25),
        high: at(975),
    })
}

/// How often the cases of a number count in a replicate.
fn draw(number: u64, replicate: u64) -> u32 {
    poisson(uniform(number, replicate))
}

/// A number from 0 to 1 that depends on nothing else (`SplitMix64`, Steele et al. 2014).
#[expect(clippy::cast_precision_loss, reason = "53 bits are kept")]
fn uniform(number: u64, replicate: u64) -> f64 {
    let mut mixed = number
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(replicate.wrapping_mul(0xd1b5_4a32_d192_ed03));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
}

/// The draw of a Poisson distribution with mean 1 that stands at this share of it.
fn poisson(share: f64) -> u32 {
    let mut probability = (-1.0_f64).exp();
    let mut reached = probability;
    let mut drawn = 0;
    while share >= reached && drawn < 16 {
        drawn += 1;
        probability /= f64::from(drawn);
        reached += probability;
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_follow_the_distribution() {
        let mut counts = [0_u32; 4];
        let mut sum = 0;
        for number in 0..20_000 {
            let drawn = poisson(uniform(number, 3));
            sum += drawn;
            counts[drawn.min(3) as usize] += 1;
        }
        // 0.3679, 0.3679, 0.1839 and the rest 0.0803 of 20,000.
        assert!((7_200..7_520).contains(&counts[0]), "{counts:?}");
        assert!((7_200..7_520).contains(&counts[1]), "{counts:?}");
        assert!((3_550..3_810).contains(&counts[2]), "{counts:?}");
        assert!((19_700..20_300).contains(&sum), "{sum}");
    }

    #[test]
    fn an_interval_is_about_as_wide_as_theory_says() {
        let mut bootstrap = Bootstrap::default();
        // A share of 0.3 in 1,000 cases: 0.3 ± 1.96 · √(0.21 / 1,000) = 0.3 ± 0.0284.
        for number in 0..1_000 {
            bootstrap.add(number, f64::from(u8::from(number % 10 < 3)));
        }
        let estimated = bootstrap.estimate().expect("a mean");
        assert!((estimated.mean - 0.3).abs() < 1e-12);
        assert!(
            (estimated.interval.low - 0.2716).abs() < 0.005,
            "{estimated:?}"
        );
        assert!(
            (estimated.interval.high - 0.3284).abs() < 0.005,
            "{estimated:?}"
        );
    }

    #[test]
    fn equal_cases_have_no_spread_and_no_case_has_no_mean() {
        let mut bootstrap = Bootstrap::default();
        assert_eq!(bootstrap.estimate(), None);
        for number in 0..50 {
            bootstrap.add(number, 2.0);
        }
        let interval = bootstrap.estimate().expect("a mean").interval;
        assert_eq!((interval.low, interval.high), (2.0, 2.0));
    }

    #[test]
    fn kappa_is_about_as_sure_as_theory_says() {
        // 40 and 40 agreed of 100: κ is 0.6, with a standard error of √(0.8 · 0.2 / 100) / 0.5 = 0.08.
        let mut bootstrap = KappaBootstrap::default();
        for number in 0..100 {
            let (one, is_agreed) = (number % 2 == 0, number % 10 < 8);
            bootstrap.add(number, one, one == is_agreed);
        }
        let interval = bootstrap.interval().expect("an interval");
        assert!((interval.low - 0.443).abs() < 0.04, "{interval:?}");
        assert!((interval.high - 0.757).abs() < 0.04, "{interval:?}");

        // The same cases, ten to a record, are as sure as ten records.
        let mut together = KappaBootstrap::default();
        for number in 0..100 {
            let (one, is_agreed) = (number % 2 == 0, number / 10 < 8);
            together.add(number / 10, one, one == is_agreed);
        }
        let wide = together.interval().expect("an interval");
        assert!(
            wide.high - wide.low > 1.8 * (interval.high - interval.low),
            "{wide:?}"
        );
    }

    #[test]
    fn where_all_cases_are_alike_there_is_no_kappa_to_be_sure_of() {
        let mut bootstrap = KappaBootstrap::default();
        assert_eq!(bootstrap.interval(), None);
        for number in 0..50 {
            bootstrap.add(number, true, true);
        }
        assert_eq!(bootstrap.interval(), None);
    }
}
