//! What the rest of a run will take, from some records of it.

use std::time::Duration;

use serde::Serialize;

use crate::model::ModelRole;
use crate::transcript::Transcript;

/// The 95th percentile of the normal distribution: what lies between it and its mirror is 90 %.
const Z: f64 = 1.644_853_626_951_472;

/// A figure for the rest of a run, and between which bounds nine in ten such runs end.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Projection {
    /// What is likely.
    pub likely: f64,
    /// The 90 % interval; absent where fewer than two records were seen.
    pub interval: Option<[f64; 2]>,
}

/// What the rest of a run will take.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// Rows of the dataset.
    pub rows: u64,
    /// Transcripts that the estimate stands on.
    pub seen: u64,
    /// Transcripts that are still to be made.
    pub remaining: u64,
    /// Calls that the journal does not answer.
    pub calls: Projection,
    /// Tokens of their prompts.
    pub input: Projection,
    /// Tokens of their replies.
    pub output: Projection,
    /// What they cost; absent where no model has a price.
    pub cost: Option<Projection>,
    /// How long they take in seconds, as fast as those that were just made; absent where none was.
    pub seconds: Option<Projection>,
}

impl Estimate {
    /// The estimate that transcripts give: new ones, which took `elapsed` together, and those known
    /// from before.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn of(
        rows: u64,
        new: &[Transcript],
        known: &[Transcript],
        remaining: u64,
        elapsed: Duration,
    ) -> Self {
        let spent: Vec<Spent> = new.iter().chain(known).map(Spent::of).collect();
        let figure = |of: fn(&Spent) -> f64| {
            let figures: Vec<f64> = spent.iter().map(of).collect();
            project(&figures, remaining)
        };
        let calls = figure(|spent| spent.calls);
        let made: f64 = spent[..new.len()].iter().map(|spent| spent.calls).sum();
        let seconds = (!new.is_empty()).then(|| {
            if made > 0.0 {
                return calls.times(elapsed.as_secs_f64() / made);
            }
            Projection {
                likely: remaining as f64 * elapsed.as_secs_f64() / new.len() as f64,
                interval: None,
            }
        });
        let is_priced = spent.iter().any(|spent| spent.cost.is_some());
        Self {
            rows,
            seen: spent.len() as u64,
            remaining,
            calls,
            input: figure(|spent| spent.input),
            output: figure(|spent| spent.output),
            cost: is_priced.then(|| figure(|spent| spent.cost.unwrap_or_default())),
            seconds,
        }
    }
}

/// What one record took, without what the journal gave.
#[derive(Clone, Copy, Debug, Default)]
struct Spent {
    calls: f64,
    input: f64,
    output: f64,
    cost: Option<f64>,
}

impl Spent {
    /// Tokens are not told apart by call, so that a role's are shared out by its calls.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    fn of(transcript: &Transcript) -> Self {
        let journalled = |role: &ModelRole| {
            let times = transcript.times.as_ref();
            let known = times.and_then(|times| times.journalled.get(role));
            known.copied().unwrap_or(0)
        };
        let mut spent = Self::default();
        for (role, usage) in &transcript.usage {
            let made = usage.calls.saturating_sub(journalled(role)) as f64;
            let share = made / usage.calls.max(1) as f64;
            spent.calls += made;
            spent.input += usage.input as f64 * share;
            spent.output += usage.output as f64 * share;
            if let Some(cost) = usage.cost {
                *spent.cost.get_or_insert(0.0) += cost * share;
            }
        }
        spent
    }
}

impl Projection {
    fn times(self, factor: f64) -> Self {
        Self {
            likely: self.likely * factor,
            interval: self
                .interval
                .map(|bounds| bounds.map(|bound| bound * factor)),
        }
    }
}

/// The sum over `remaining` further records, with the prediction interval of Student's t: it holds
/// what the mean may be off by, and what the further records vary by.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn project(seen: &[f64], remaining: u64) -> Projection {
    let (n, m) = (seen.len() as f64, remaining as f64);
    if seen.is_empty() {
        let (likely, interval) = (0.0, None);
        return Projection { likely, interval };
    }
    let mean = seen.iter().sum::<f64>() / n;
    let likely = mean * m;
    let interval = (seen.len() > 1).then(|| {
        let squares: f64 = seen.iter().map(|x| (x - mean).powi(2)).sum();
        let deviation = (squares / (n - 1.0)).sqrt();
        let spread = student(n - 1.0) * deviation * (m + m * m / n).sqrt();
        [(likely - spread).max(0.0), likely + spread]
    });
    Projection { likely, interval }
}

/// The 95th percentile of Student's t by its expansion in the normal one (Abramowitz and Stegun
/// 26.7.5); within a hundredth from four degrees of freedom.
fn student(freedom: f64) -> f64 {
    let z = Z;
    z + (z.powi(3) + z) / (4.0 * freedom)
        + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * freedom.powi(2))
        + (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z)
            / (384.0 * freedom.powi(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_percentiles_are_those_of_the_tables() {
        for (freedom, known) in [(4.0, 2.132), (9.0, 1.833), (49.0, 1.677)] {
            assert!((student(freedom) - known).abs() < 0.01, "{freedom}");
        }
    }

    #[test]
    fn records_that_are_all_alike_leave_no_doubt() {
        let projection = project(&[4.0; 10], 1000);
        assert!((projection.likely - 4000.0).abs() < 1e-9);
        let [low, high] = projection.interval.unwrap();
        assert!((high - low).abs() < 1e-9);
        assert_eq!(project(&[4.0], 10).interval, None);
    }

    /// Nine in ten intervals hold what comes out.
    #[test]
    fn the_interval_holds_what_it_says() {
        let mut state = 7_u64;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            // Two calls, four or six: as records of the preset `audit` make.
            f64::from(u32::try_from((state >> 33) % 3).unwrap_or(0)).mul_add(2.0, 2.0)
        };
        let held = (0..1000).filter(|_| {
            let seen: Vec<f64> = (0..20).map(|_| next()).collect();
            let [low, high] = project(&seen, 200).interval.unwrap();
            let sum: f64 = (0..200).map(|_| next()).sum();
            (low..=high).contains(&sum)
        });
        let held = held.count();
        assert!((860..=940).contains(&held), "{held} of 1000");
    }
}
