//! Why a record waits for a person.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Outcome;

/// Why a record waits for a person, and how it would have ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The rules of the recipe that hold it.
    pub reasons: Vec<HoldReason>,
    /// The outcome that it would have had.
    pub otherwise: Outcome,
    /// How many people must agree on it.
    pub reviewers: u32,
}

/// A rule that holds a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldReason {
    /// A violation was as severe as the recipe says.
    Severity,
    /// Something is still violated.
    Unresolved,
    /// Something could not be assessed.
    CriticError,
    /// It was drawn, whatever was found in it.
    Sample,
}

impl HoldReason {
    /// The reason's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Severity => "severity",
            Self::Unresolved => "unresolved",
            Self::CriticError => "critic_error",
            Self::Sample => "sample",
        }
    }
}

impl fmt::Display for HoldReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Severity => "a severe violation",
            Self::Unresolved => "something is still violated",
            Self::CriticError => "something could not be assessed",
            Self::Sample => "it is in the random sample",
        })
    }
}
