//! What the steps of a measurement say: when there were enough, and which number of calls at once
//! is the best.

use super::endpoint::Step;

/// More calls at once must bring so much more to be worth it.
const WORTH_IT: f64 = 1.07;
/// A step in which a larger share of the calls fails is the last one.
const TOO_MANY_FAILURES: f64 = 0.2;
/// A step in which a larger share fails is beyond what the server takes.
const FEW_FAILURES: f64 = 0.02;

/// Whether too many calls of the last step failed for a further one.
pub(super) fn mostly_failed(steps: &[Step]) -> bool {
    steps
        .last()
        .is_some_and(|step| step.fails_more_than(TOO_MANY_FAILURES))
}

/// Whether neither of the last two steps brought more than the best one before them.
pub(super) fn no_growth(steps: &[Step]) -> bool {
    let [before @ .., one, two] = steps else {
        return false;
    };
    let best = before
        .iter()
        .map(|step| step.per_second)
        .fold(0.0, f64::max);
    best > 0.0 && one.per_second.max(two.per_second) < WORTH_IT * best
}

/// The fewest calls at once that bring about as much as any number did, of those that hardly fail
/// where there are such.
pub(super) fn best(steps: &[Step]) -> usize {
    let calm = |step: &&Step| !step.fails_more_than(FEW_FAILURES);
    let calm: Vec<&Step> = steps.iter().filter(calm).collect();
    let steps = if calm.is_empty() {
        steps.iter().collect()
    } else {
        calm
    };
    let most = steps.iter().map(|step| step.per_second).fold(0.0, f64::max);
    let enough = steps.iter().find(|step| step.per_second * WORTH_IT >= most);
    enough.map_or(1, |step| step.concurrency)
}

impl Step {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    fn fails_more_than(&self, share: f64) -> bool {
        self.failed as f64 > share * (self.answered + self.failed) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_at_which_calls_are_refused_is_not_the_best() {
        let step = |concurrency, failed, per_second| Step {
            concurrency,
            answered: 300,
            failed,
            per_second,
            tokens_per_second: None,
            p50_ms: 100.0,
            p95_ms: 120.0,
        };
        let steps = [step(16, 0, 147.0), step(32, 0, 265.0), step(64, 32, 293.0)];
        assert_eq!(best(&steps), 32);
        assert_eq!(best(&steps[2..]), 64);
    }
}
