//! Findings: what one principle says about one answer.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::constitution::Severity;

/// What one principle says about one answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The principle's id.
    pub principle: String,
    /// Whether the answer keeps the principle.
    pub verdict: Verdict,
    /// Exact quotes of the answer; none for an omission, or when nothing is violated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// Why the verdict is what it is, where there is something to say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub explanation: String,
    /// How grave a violation is; absent for other verdicts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// What the assessor suggests to change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// Who assessed.
    pub by: Assessor,
}

/// Whether an answer keeps a principle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It does.
    Complies,
    /// It does not.
    Violates,
    /// The principle has nothing to say about this answer.
    NotApplicable,
    /// It could not be assessed; never turned into another verdict.
    Error,
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Complies => "complies",
            Self::Violates => "violates",
            Self::NotApplicable => "not applicable",
            Self::Error => "error",
        })
    }
}

/// Who made a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Assessor {
    /// The principle's own checks.
    Checks,
    /// The critic.
    Model,
}
