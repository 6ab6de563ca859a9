//! The shape of a constitution file.

use serde::Deserialize;

use super::Principle;

/// A constitution as it stands in its file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConstitutionFile {
    pub(super) constitution: String,
    #[serde(default = "first_version")]
    pub(super) version: String,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) include: Vec<String>,
    #[serde(default)]
    pub(super) principles: Vec<Principle>,
}

fn first_version() -> String {
    "1.0".to_owned()
}
