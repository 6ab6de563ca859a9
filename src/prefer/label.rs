//! From shares to labels: means, clamping, ties.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// Shares that are no further apart are equal: what is left is rounding.
const TIE: f64 = 1e-6;

/// One of the two answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The answer in the first column.
    A,
    /// The answer in the second column.
    B,
}

/// What came of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Label {
    /// The answer `a` is preferred.
    A,
    /// The answer `b` is preferred.
    B,
    /// Neither is.
    Tie,
    /// The critic answered, and no answer could be read as a choice.
    Unreadable,
    /// There was nothing to ask.
    Incomparable,
    /// A call gave no reply.
    Failed,
}

impl Label {
    /// Every label.
    pub const ALL: [Self; 6] = [
        Self::A,
        Self::B,
        Self::Tie,
        Self::Unreadable,
        Self::Incomparable,
        Self::Failed,
    ];

    /// The label's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
            Self::Tie => "tie",
            Self::Unreadable => "unreadable",
            Self::Incomparable => "incomparable",
            Self::Failed => "failed",
        }
    }

    /// The hard label of a soft one: of the probability that `a` is the better answer.
    #[must_use]
    pub fn of(soft: f64) -> Self {
        if (soft - 0.5).abs() <= TIE {
            Self::Tie
        } else if soft > 0.5 {
            Self::A
        } else {
            Self::B
        }
    }

    /// The side that is preferred, if one is.
    #[must_use]
    pub fn side(self) -> Option<Side> {
        match self {
            Self::A => Some(Side::A),
            Self::B => Some(Side::B),
            Self::Tie | Self::Unreadable | Self::Incomparable | Self::Failed => None,
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// The bounds within which a label that was thought about is held.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Clamp {
    low: f64,
    high: f64,
}

/// Text that is no pair of bounds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no pair of bounds; two numbers from 0 to 1 are, such as 0.4,0.6")]
pub struct ClampError(String);

impl Default for Clamp {
    /// The bounds of Bai et al. 2022.
    fn default() -> Self {
        Self {
            low: 0.4,
            high: 0.6,
        }
    }
}

impl FromStr for Clamp {
    type Err = ClampError;

    fn from_str(text: &str) -> Result<Self, ClampError> {
        let parsed = text.split_once(',').and_then(|(low, high)| {
            let (low, high) = (low.trim().parse().ok()?, high.trim().parse().ok()?);
            // What lies on one side of the middle would choose by itself.
            let fits = (0.0..=0.5).contains(&low) && (0.5..=1.0).contains(&high) && low < high;
            fits.then_some(Self { low, high })
        });
        parsed.ok_or_else(|| ClampError(text.to_owned()))
    }
}

impl fmt::Display for Clamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{},{}", self.low, self.high)
    }
}

impl Clamp {
    /// The share, or the bound that it passes.
    #[must_use]
    pub fn apply(self, share: f64) -> f64 {
        share.clamp(self.low, self.high)
    }
}

/// The mean of shares by their weights; none where there is no weight.
pub(super) fn mean(shares: impl IntoIterator<Item = (f64, f64)>) -> Option<f64> {
    let (mut sum, mut weights) = (0.0, 0.0);
    for (share, weight) in shares {
        sum += share * weight;
        weights += weight;
    }
    (weights > 0.0).then(|| sum / weights)
}

/// Whether two orders prefer different answers: the place decides, not the answer.
pub(super) fn differ(one: f64, other: f64) -> bool {
    let sides = (Label::of(one).side(), Label::of(other).side());
    matches!(sides, (Some(one), Some(other)) if one != other)
}

/// A share as it is written: six places tell it well enough, and are the same everywhere.
pub(super) fn rounded(share: f64) -> f64 {
    (share * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_a_preference() {
        for (soft, label) in [
            (0.5, Label::Tie),
            (0.500_000_5, Label::Tie),
            (0.51, Label::A),
            (0.49, Label::B),
            (1.0, Label::A),
            (0.0, Label::B),
        ] {
            assert_eq!(Label::of(soft), label, "{soft}");
        }
        // 0.9 for the first one in either order: the place speaks, and nothing else.
        let soft = mean([(0.9, 1.0), (1.0 - 0.9, 1.0)]).expect("two shares");
        assert_eq!(Label::of(soft), Label::Tie);
    }

    #[test]
    fn means_by_hand() {
        let near = |found: Option<f64>, wanted: f64| {
            assert!((found.expect("a mean") - wanted).abs() < 1e-12, "{found:?}");
        };
        near(mean([(0.8, 1.0), (0.6, 1.0)]), 0.7);
        // (0.9 · 3 + 0.1 · 1) / 4
        near(mean([(0.9, 3.0), (0.1, 1.0)]), 0.7);
        assert_eq!(mean([]), None);
        assert_eq!(mean([(0.9, 0.0)]), None);
    }

    #[test]
    fn clamping_keeps_the_side_and_takes_the_certainty() {
        let clamp = Clamp::default();
        for (share, clamped) in [(0.99, 0.6), (0.02, 0.4), (0.55, 0.55), (0.5, 0.5)] {
            assert!((clamp.apply(share) - clamped).abs() < 1e-12, "{share}");
        }
        let wide: Clamp = "0.1, 1".parse().expect("bounds");
        assert_eq!(wide.to_string(), "0.1,1");
        for odd in [
            "", "0.4", "0.6,0.4", "0.6,0.7", "-1,1", "0.4,2", "0.5,0.5", "NaN,1",
        ] {
            assert!(odd.parse::<Clamp>().is_err(), "{odd}");
        }
    }

    #[test]
    fn orders_differ_only_where_both_choose() {
        assert!(differ(0.9, 0.2));
        assert!(!differ(0.9, 0.6));
        assert!(!differ(0.9, 0.5));
    }
}
