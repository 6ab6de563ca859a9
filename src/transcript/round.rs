//! The texts of a transcript: the draft, each round's findings and revision, and the final answer.

use serde::{Deserialize, Serialize};

use super::Finding;
use crate::digest::Digest;

/// The first answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// The answer.
    pub text: String,
    /// Where it came from.
    pub source: DraftSource,
    /// The journalled call that wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<Digest>,
    /// What is odd about it: cut off by a token limit, a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Where a draft came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DraftSource {
    /// The record had an answer.
    Given,
    /// The drafter wrote it.
    Model,
}

/// One critique and, where it asked for one, the revision that followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// The round's number, from 1.
    pub n: u32,
    /// The ids of the principles that this round asked about.
    pub principles: Vec<String>,
    /// One finding per principle; none where the critique is free text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// The critique in free text, where the recipe asks for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critique: Option<String>,
    /// What the critic was asked, where no journalled call says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critique_request: Option<String>,
    /// What the reviser was asked, where no journalled call says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision_request: Option<String>,
    /// The journalled calls that made the critique, in the order they were asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub critique_calls: Vec<Digest>,
    /// What was wrong with the critic's replies, where they were asked for again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
    /// The revision, if one was asked for and given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    /// Whether the revision took the place of the text that this round assessed.
    pub kept: bool,
    /// Why it was kept or not, or why there is none.
    pub why: String,
}

/// A full new answer, written in reply to findings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// The new answer.
    pub text: String,
    /// Who wrote it.
    pub by: RevisionAuthor,
    /// The journalled calls that wrote it, the last of which gave the text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<Digest>,
}

/// Who wrote a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevisionAuthor {
    /// The rewrites of violated checks.
    Checks,
    /// The reviser.
    Model,
    /// The reviser, after the rewrites of violated checks.
    ChecksAndModel,
}

/// The answer that the record ends with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Final {
    /// The answer.
    pub text: String,
    /// The round whose revision it is; 0 is the draft.
    pub round: u32,
}
