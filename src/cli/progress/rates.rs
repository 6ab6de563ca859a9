//! How fast it goes now: over the last minute, not since the start.

use std::collections::VecDeque;
use std::time::Duration;

/// How far back a rate looks.
const WINDOW: Duration = Duration::from_secs(60);
/// How far apart the counts are that are remembered.
const EVERY: Duration = Duration::from_secs(1);

/// Counts that grow, at one moment since the start.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sample {
    pub(super) at: Duration,
    pub(super) rows: u64,
    pub(super) tokens: u64,
}

/// The counts of the last minute.
#[derive(Debug, Default)]
pub(super) struct Rates {
    samples: VecDeque<Sample>,
}

impl Rates {
    /// Begins anew at these counts.
    pub(super) fn begin(&mut self, start: Sample) {
        self.samples.clear();
        self.samples.push_back(start);
    }

    /// Rows and tokens a second up to `now`, which is remembered.
    pub(super) fn up_to(&mut self, now: Sample) -> (f64, f64) {
        let newest = self.samples.back();
        if newest.is_none_or(|newest| now.at.saturating_sub(newest.at) >= EVERY) {
            self.samples.push_back(now);
        }
        // One from before the window stays, so that the window is always covered.
        while self.samples.len() > 2
            && let Some(second) = self.samples.get(1)
            && now.at.saturating_sub(second.at) >= WINDOW
        {
            self.samples.pop_front();
        }
        let oldest = self.samples.front().copied().unwrap_or_default();
        let seconds = now.at.saturating_sub(oldest.at).as_secs_f64();
        (
            rate(now.rows.saturating_sub(oldest.rows), seconds),
            rate(now.tokens.saturating_sub(oldest.tokens), seconds),
        )
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn rate(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 {
        count as f64 / seconds
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(seconds: u64, rows: u64) -> Sample {
        Sample {
            at: Duration::from_secs(seconds),
            rows,
            tokens: rows * 10,
        }
    }

    #[test]
    fn what_was_long_ago_does_not_count() {
        let mut rates = Rates::default();
        rates.begin(sample(0, 0));
        for second in 1..=100 {
            rates.up_to(sample(second, second * 50));
        }
        for second in 101..=200 {
            rates.up_to(sample(second, 5000 + (second - 100) * 2));
        }
        let (rows, tokens) = rates.up_to(sample(201, 5202));
        assert!((rows - 2.0).abs() < 0.01, "{rows}");
        assert!((tokens - 20.0).abs() < 0.1, "{tokens}");
        assert!(rates.samples.len() < 70);
    }

    #[test]
    fn rows_of_an_earlier_process_do_not_count() {
        let mut rates = Rates::default();
        rates.begin(sample(0, 1_000_000));
        let (rows, _) = rates.up_to(sample(2, 1_000_010));
        assert!((rows - 5.0).abs() < 0.01, "{rows}");
        assert!(rates.up_to(sample(0, 0)).0 < 0.01);
    }
}
