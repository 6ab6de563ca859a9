//! How a record ended.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a record ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Every applicable principle was assessed on the final text, and none is violated.
    Compliant,
    /// A fixed number of rounds ran; the last text was not assessed.
    Revised,
    /// Something is still violated, or could not be assessed.
    Unresolved,
    /// The record waits for a person.
    Held,
    /// A call failed for good, or gave no answer to work on: the record was not brought to its end.
    Failed,
}

impl Outcome {
    /// Every outcome, the best first.
    pub const ALL: [Self; 5] = [
        Self::Compliant,
        Self::Revised,
        Self::Unresolved,
        Self::Held,
        Self::Failed,
    ];

    /// The outcome's lower-case name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Compliant => "compliant",
            Self::Revised => "revised",
            Self::Unresolved => "unresolved",
            Self::Held => "held",
            Self::Failed => "failed",
        }
    }

    /// The outcome of that lower-case name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|outcome| outcome.as_str() == name)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}
