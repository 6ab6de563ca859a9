//! What each round gained, as the critic inside the loop sees it and as the one outside does.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::audit::{Bootstrap, Estimated};

/// What rounds gained.
#[derive(Clone, Debug, Default)]
pub struct Gains {
    rounds: BTreeMap<Option<u32>, Round>,
}

#[derive(Clone, Debug, Default)]
struct Round {
    number: u64,
    inside: Bootstrap,
    outside: Bootstrap,
    difference: Bootstrap,
}

/// What one round gained per record, in severity points of violations that are gone less those that
/// are new.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Gain {
    /// The round; absent for the whole way from the draft to the final answer.
    pub round: Option<u32>,
    /// As the critic inside the loop sees it; absent where that critic gave no verdicts.
    pub inside: Option<Estimated>,
    /// As the critic outside sees it.
    pub outside: Option<Estimated>,
    /// The first less the second, over the records that both saw.
    pub difference: Option<Estimated>,
}

impl Gains {
    /// Counts what a round, or all of them, gained in one record. Only where both critics compare the same principles
    /// in both texts is there an `inside`.
    pub(super) fn add(&mut self, round: Option<u32>, inside: Option<f64>, outside: f64) {
        let round = self.rounds.entry(round).or_default();
        round.number += 1;
        round.outside.add(round.number, outside);
        if let Some(inside) = inside {
            round.inside.add(round.number, inside);
            round.difference.add(round.number, inside - outside);
        }
    }

    /// The whole way, then round by round.
    pub fn rounds(&self) -> impl Iterator<Item = Gain> {
        self.rounds.iter().map(|(number, round)| Gain {
            round: *number,
            inside: round.inside.estimate(),
            outside: round.outside.estimate(),
            difference: round.difference.estimate(),
        })
    }
}

impl Gain {
    /// Whether the critic inside the loop surely sees a gain, surely a larger one than the critic
    /// outside, and the latter surely sees none: then the loop optimises its critic.
    #[must_use]
    pub fn pleases_its_critic_alone(&self) -> bool {
        let above = |estimated: Option<Estimated>| {
            estimated.is_some_and(|estimated| estimated.interval.low > 0.0)
        };
        above(self.inside) && above(self.difference) && !above(self.outside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gain(cases: impl Iterator<Item = (f64, f64)>) -> Gain {
        let mut gains = Gains::default();
        for (inside, outside) in cases {
            gains.add(Some(2), Some(inside), outside);
        }
        gains.rounds().next().expect("a round")
    }

    #[test]
    fn a_gain_that_only_the_own_critic_sees_is_named() {
        let alternating = |number: u32| if number.is_multiple_of(2) { 1.0 } else { -1.0 };
        let alone = gain((0..100).map(|number| (1.0, alternating(number))));
        assert!(alone.pleases_its_critic_alone(), "{alone:?}");
        let both = gain((0..100).map(|_| (1.0, 1.0)));
        assert!(!both.pleases_its_critic_alone(), "{both:?}");
        let neither = gain((0..100).map(|number| (alternating(number), 0.0)));
        assert!(!neither.pleases_its_critic_alone(), "{neither:?}");
    }

    #[test]
    fn a_few_cases_prove_nothing() {
        let few = gain([(1.0, 0.0), (0.0, 0.0), (-1.0, 0.0)].into_iter());
        assert!(!few.pleases_its_critic_alone());
    }

    #[test]
    fn a_critic_without_verdicts_has_no_gain() {
        let mut gains = Gains::default();
        gains.add(Some(1), None, 2.0);
        let gain = gains.rounds().next().expect("a round");
        assert!(gain.inside.is_none() && gain.difference.is_none());
        let outside = gain.outside.expect("a mean");
        assert!((outside.mean - 2.0).abs() < 1e-12);
    }
}
