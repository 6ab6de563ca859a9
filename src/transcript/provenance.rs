//! Provenance: all that decided a transcript besides the record itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::constitution::Constitution;
use crate::digest::Digest;
use crate::model::ModelRole;

/// All that decides a transcript besides the record: the same provenance, record and journal give
/// the same bytes. Only of an imported transcript something is not known, and absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Which constitution judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constitution: Option<ConstitutionMark>,
    /// The digest of the prompt templates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompts: Option<Digest>,
    /// The recipe, every knob of it.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub recipe: Value,
    /// Per role, the model's name and sampling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<BTreeMap<ModelRole, Value>>,
    /// The seed of every draw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// The version of redraft that wrote the transcript.
    pub redraft: String,
}

/// Which constitution judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConstitutionMark {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The digest of all its principles, included ones too.
    pub digest: Digest,
}

impl ConstitutionMark {
    /// The mark of a constitution.
    #[must_use]
    pub fn of(constitution: &Constitution) -> Self {
        Self {
            name: constitution.name().to_owned(),
            version: constitution.version().to_owned(),
            digest: constitution.digest(),
        }
    }
}
