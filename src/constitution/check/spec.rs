//! Checks as they stand in a constitution file.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One check: exactly one of `pattern`, `words`, `length` and `json`, and maybe a rewrite.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckSpec {
    /// A detector or regular expression that must, or must not, match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<PatternSpec>,
    /// Words that must, or must not, occur.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<WordsSpec>,
    /// Bounds on the answer's length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<LengthSpec>,
    /// The answer is JSON that fits a schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<JsonSpec>,
    /// The text that takes the place of each match of a pattern, or of words, that must be absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rewrite: Option<String>,
}

/// Whether something must be there, or must not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Must {
    /// It must not be there.
    #[default]
    Absent,
    /// It must be there.
    Present,
}

/// Exactly one of a named detector and a regular expression.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatternSpec {
    /// The name of a detector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A regular expression in the syntax of the `regex` crate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regex: Option<String>,
    /// Whether it must match.
    #[serde(default)]
    pub must: Must,
}

/// Exactly one of `any_of` and `all_of`: whole words or phrases, whatever their case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WordsSpec {
    /// At least one must be there, or none of them may be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub any_of: Vec<String>,
    /// Every one must be there; goes only with `must: present`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub all_of: Vec<String>,
    /// Whether they must be there.
    #[serde(default)]
    pub must: Must,
}

/// Bounds on the answer's length, each inclusive; words are runs between white space.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LengthSpec {
    /// The fewest words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_words: Option<usize>,
    /// The most words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_words: Option<usize>,
    /// The fewest characters (Unicode scalar values).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_chars: Option<usize>,
    /// The most characters (Unicode scalar values).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_chars: Option<usize>,
}

/// The answer is JSON, and fits a schema if there is one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JsonSpec {
    /// A JSON schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
}
