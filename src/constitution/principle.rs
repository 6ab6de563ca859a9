//! One written rule, with what belongs to it.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::check::{Check, CheckSpec, Hit};

/// One written rule, as it stands in a constitution file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Principle {
    /// Its name, kebab-case, unique in the constitution.
    pub id: String,
    /// A short title for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The principle, in plain words.
    pub text: String,
    /// How grave a violation is, where the critic does not say.
    #[serde(default)]
    pub severity: Severity,
    /// Its weight when principles are drawn and when texts are compared.
    #[serde(default = "one")]
    pub weight: f64,
    /// The records it is about; absent for every record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applies_to: Option<AppliesTo>,
    /// What the critic is asked; absent to have it made from `text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critique: Option<String>,
    /// What the reviser is asked; absent to have it made from `text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The question for comparing two answers; absent to have it made from `text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preference: Option<String>,
    /// Machine tests that run before any model is asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckSpec>,
    /// Whether the checks alone settle the verdict; absent: they do when there are checks and no
    /// `critique`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_by_checks: Option<bool>,
    /// Few-shot examples for the critic, and the principle's own tests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<Example>,
    /// The checks, compiled when the constitution was loaded.
    #[serde(skip)]
    pub(super) compiled: Vec<Check>,
}

fn one() -> f64 {
    1.0
}

impl Principle {
    /// Whether the checks alone settle the verdict, so that no model is asked.
    #[must_use]
    pub fn is_settled_by_checks(&self) -> bool {
        self.settled_by_checks
            .unwrap_or(!self.checks.is_empty() && self.critique.is_none())
    }

    /// Whether the principle is about a record with these tags.
    #[must_use]
    pub fn applies_to(&self, tags: &[String]) -> bool {
        self.applies_to
            .as_ref()
            .is_none_or(|scope| scope.tags.iter().any(|tag| tags.contains(tag)))
    }

    /// What the checks find in a text; nothing when they pass, or when there are none.
    pub fn hits(&self, text: &str) -> impl Iterator<Item = Hit> {
        self.compiled.iter().flat_map(|check| check.hits(text))
    }

    /// The text after every check that can mend it has; absent when none of them changes it.
    #[must_use]
    pub fn rewrite(&self, text: &str) -> Option<String> {
        let mut mended = None;
        for check in &self.compiled {
            let current = mended.as_deref().unwrap_or(text);
            if let Some(Cow::Owned(next)) = check.rewrite(current) {
                mended = Some(next);
            }
        }
        mended.filter(|mended| mended != text)
    }

    /// The title, or else the id.
    #[must_use]
    pub fn display_title(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.id)
    }
}

/// Which records a principle is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppliesTo {
    /// Records with at least one of these tags.
    pub tags: Vec<String>,
}

/// How grave a violation is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A blemish.
    Low,
    /// Worth a revision.
    #[default]
    Medium,
    /// The answer should not leave like this.
    High,
    /// The answer must not leave like this.
    Critical,
}

impl Severity {
    /// Every severity, the mildest first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The severity's lower-case name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// What one violation counts for when texts are compared: each step doubles it.
    #[must_use]
    pub fn points(self) -> f64 {
        match self {
            Self::Low => 1.0,
            Self::Medium => 2.0,
            Self::High => 4.0,
            Self::Critical => 8.0,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// One example: an answer, and what the principle says about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// What was asked.
    pub prompt: String,
    /// The answer that is judged.
    pub answer: String,
    /// What a good critic says.
    pub verdict: ExampleVerdict,
    /// An exact quote of the answer; absent for an omission, or when nothing is violated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// The critique that a good critic would write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critique: Option<String>,
    /// The answer, mended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
}

/// The verdicts that an example can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExampleVerdict {
    /// The answer keeps the principle.
    Complies,
    /// The answer does not.
    Violates,
    /// The principle has nothing to say about the answer.
    NotApplicable,
}
