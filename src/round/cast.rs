//! Who plays which role.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{ChatModel, ModelRole, Sampling, TokenUsage};

/// A model in one role: with that role's sampling and price.
#[derive(Clone, Debug)]
pub struct Assigned {
    /// The model.
    pub model: Arc<dyn ChatModel>,
    /// How its replies are sampled in this role.
    pub sampling: Sampling,
    /// What its tokens cost.
    pub price: Option<Price>,
}

impl Assigned {
    /// A model with the server's own sampling and no price.
    #[must_use]
    pub fn new(model: Arc<dyn ChatModel>) -> Self {
        Self {
            model,
            sampling: Sampling::default(),
            price: None,
        }
    }
}

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

/// Who plays which role; a role may have nobody.
#[derive(Clone, Debug, Default)]
pub struct Cast {
    /// Writes the first answer.
    pub drafter: Option<Assigned>,
    /// Finds what an answer violates.
    pub critic: Option<Assigned>,
    /// Writes a new answer in reply to findings.
    pub reviser: Option<Assigned>,
}

impl Cast {
    /// One model in every role.
    #[must_use]
    pub fn of_one(assigned: &Assigned) -> Self {
        Self {
            drafter: Some(assigned.clone()),
            critic: Some(assigned.clone()),
            reviser: Some(assigned.clone()),
        }
    }

    /// Who plays a role.
    #[must_use]
    pub fn get(&self, role: ModelRole) -> Option<&Assigned> {
        match role {
            ModelRole::Drafter => self.drafter.as_ref(),
            ModelRole::Critic => self.critic.as_ref(),
            ModelRole::Reviser => self.reviser.as_ref(),
            ModelRole::Judge => None,
        }
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
