//! What tokens cost.

use serde::{Deserialize, Serialize};

use super::TokenUsage;

/// What a million tokens cost, in whatever currency the user counts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Per million tokens of prompts.
    pub input: f64,
    /// Per million tokens of replies.
    pub output: f64,
    /// Per million tokens of prompts that a prefix cache served; absent: as `input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached: Option<f64>,
}

impl Price {
    /// What these tokens cost.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "token counts are far below 2^52"
    )]
    pub fn of(&self, usage: TokenUsage) -> f64 {
        let fresh = usage.input.saturating_sub(usage.cached) as f64;
        let cached = usage.cached.min(usage.input) as f64;
        let cached_price = self.cached.unwrap_or(self.input);
        (fresh * self.input + cached * cached_price + usage.output as f64 * self.output) / 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cached_tokens_have_their_own_price() {
        let price = Price {
            input: 2.0,
            output: 10.0,
            cached: Some(0.5),
        };
        let usage = TokenUsage {
            input: 1_000_000,
            cached: 400_000,
            output: 100_000,
        };
        assert!((price.of(usage) - (1.2 + 0.2 + 1.0)).abs() < 1e-9);
    }
}
