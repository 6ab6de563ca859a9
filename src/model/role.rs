//! The four roles that a model can have.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a model is asked to do; one model may have every role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelRole {
    /// Writes the first answer.
    Drafter,
    /// Finds what an answer violates.
    Critic,
    /// Writes a new answer in reply to findings.
    Reviser,
    /// Compares answers.
    Judge,
}

impl ModelRole {
    /// The role's lower-case name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drafter => "drafter",
            Self::Critic => "critic",
            Self::Reviser => "reviser",
            Self::Judge => "judge",
        }
    }
}

impl fmt::Display for ModelRole {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
