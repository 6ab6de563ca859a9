//! Who plays which role.

use std::sync::Arc;

use crate::model::{ChatModel, ModelRole, Price, Sampling};

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
