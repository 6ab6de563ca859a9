//! Why a round could not be brought to an end.

use crate::model::{ModelError, ModelRole, Reach};
use crate::prompt::PromptError;

/// A round could not be brought to an end.
#[derive(Debug, thiserror::Error)]
pub enum RoundError {
    /// A model gave no completion.
    #[error("the {role} gave no reply")]
    Model {
        /// Whose call it was.
        role: ModelRole,
        /// Why.
        #[source]
        source: ModelError,
    },
    /// There is nobody to ask.
    #[error("no model has the role {role}")]
    Missing {
        /// The role that nobody has.
        role: ModelRole,
    },
    /// A prompt could not be made.
    #[error(transparent)]
    Prompt(#[from] PromptError),
}

impl RoundError {
    /// Whether a server is to blame, so that other records would meet the same failure.
    #[must_use]
    pub fn blames_server(&self) -> bool {
        matches!(self, Self::Model { source, .. } if source.blames_server())
    }

    /// How far the failure reaches.
    #[must_use]
    pub fn reach(&self) -> Reach {
        match self {
            Self::Model { source, .. } => source.reach(),
            Self::Missing { .. } => Reach::Record,
            Self::Prompt(_) => Reach::Run,
        }
    }
}
