//! The shape of `redraft.yaml`.

use std::path::PathBuf;

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;

use super::forms::{OneOrMany, name_or_mapping, switch_or_mapping};
use super::{GatewaySettings, RecipeSettings};
use crate::model::{Concurrency, Price, Sampling};

/// A settings file; everything is optional.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SettingsFile {
    /// The constitution: a path, from the settings file's folder, or a shipped name.
    pub constitution: Option<String>,
    /// How records are worked on.
    pub recipe: RecipeSettings,
    /// The models, each under a name of the user's own.
    pub models: IndexMap<String, ModelSettings>,
    /// Which model plays which role.
    pub roles: Roles,
    /// The store's file.
    pub store: Option<PathBuf>,
    /// A folder whose templates replace shipped ones.
    pub prompts: Option<PathBuf>,
    /// The seed of every draw.
    pub seed: Option<u64>,
    /// How many calls to one endpoint run at once: a number, or `auto`.
    pub concurrency: Option<Concurrency>,
    /// The gateway.
    pub gateway: GatewaySettings,
    /// The private key that signs a checkpoint when a run ends.
    pub audit_key: Option<PathBuf>,
}

/// One model.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelSettings {
    /// The name that the server knows it by.
    pub model: String,
    /// Where the server is.
    pub base_url: OneOrMany,
    /// The environment variable that holds the key.
    pub api_key_env: Option<String>,
    /// How replies are held to a schema: `auto`, `json_schema`, `tool`, `json_object` or `text`.
    pub structured: Option<String>,
    /// How replies are sampled.
    pub sampling: Sampling,
    /// Other fields of the request body, sent as they are.
    pub extra: IndexMap<String, Value>,
    /// What its tokens cost, per million.
    pub price: Option<Price>,
    /// Seconds that one call may take, its body included.
    pub timeout: Option<u64>,
    /// Seconds that connecting may take.
    pub connect_timeout: Option<u64>,
    /// Seconds until the reply begins.
    pub first_byte_timeout: Option<u64>,
    /// Seconds that a reply which has begun may stop in between.
    pub idle_timeout: Option<u64>,
    /// The most requests in a minute.
    pub rpm: Option<u32>,
    /// The most tokens in a minute, prompts and replies together.
    pub tpm: Option<u32>,
    /// Whether calls go into batches, at the batch price and within a day; and how they gather.
    #[serde(deserialize_with = "batch")]
    pub batch: Option<BatchSettings>,
}

/// How the calls of one model go into batches.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BatchSettings {
    /// The most requests of one batch.
    pub max_requests: Option<usize>,
    /// The most bytes of one input file.
    pub max_bytes: Option<usize>,
    /// A batch is closed when no request has joined it for so many seconds.
    pub gather_seconds: Option<f64>,
    /// The longest wait between two looks at a batch, in seconds.
    pub poll_seconds: Option<f64>,
}

/// Which model plays which role; what is absent is played by the only model there is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Roles {
    /// Writes the first answer.
    #[serde(deserialize_with = "role")]
    pub drafter: Option<RoleSettings>,
    /// Finds what an answer violates.
    #[serde(deserialize_with = "role")]
    pub critic: Option<RoleSettings>,
    /// Writes a new answer in reply to findings.
    #[serde(deserialize_with = "role")]
    pub reviser: Option<RoleSettings>,
}

/// One role: a model's name, and sampling of its own.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleSettings {
    /// The name under `models`.
    pub model: String,
    /// How replies are sampled in this role; what is absent is as the model has it.
    #[serde(default)]
    pub sampling: Sampling,
}

impl From<String> for RoleSettings {
    fn from(model: String) -> Self {
        Self {
            model,
            ..Self::default()
        }
    }
}

fn batch<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<BatchSettings>, D::Error> {
    switch_or_mapping(deserializer)
}

fn role<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<RoleSettings>, D::Error> {
    name_or_mapping(deserializer).map(Some)
}
