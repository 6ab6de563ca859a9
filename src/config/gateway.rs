//! The shape of `gateway` in `redraft.yaml`.

use std::path::PathBuf;

use indexmap::IndexMap;
use serde::Deserialize;

use super::RecipeSettings;
use crate::gateway::{Durability, Mode, OnCriticError, OnUnresolved};

/// The gateway: which models it offers, and how it behaves.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GatewaySettings {
    /// Where it listens.
    pub listen: Option<String>,
    /// The file of its keys; absent: the store's name with `.keys.json` behind it.
    pub keys: Option<PathBuf>,
    /// Whether it also serves the pages of its store.
    pub pages: Option<bool>,
    /// The certificate and its key; absent: connections are not encrypted.
    pub tls: Option<TlsSettings>,
    /// Addresses and networks whose `x-forwarded-for` and `x-forwarded-proto` are believed.
    pub trusted_proxies: Vec<String>,
    /// The models that it offers, by their public names.
    pub models: IndexMap<String, OfferedSettings>,
    /// Seconds that a stream may wait for its outcome before it is opened.
    pub grace_seconds: Option<f64>,
    /// Seconds between two signs of life on a stream that waits.
    pub keep_alive_seconds: Option<f64>,
    /// Seconds that a whole answer may take.
    pub deadline_seconds: Option<f64>,
    /// Whether an answer waits until its transcript would survive a crash.
    pub durability: Option<Durability>,
    /// How many observed answers may wait for their critique.
    pub observations: Option<usize>,
    /// How many observed answers are criticised at once.
    pub observers: Option<usize>,
    /// The longest body of a request, in bytes.
    pub body_bytes: Option<usize>,
    /// Seconds that a body may take to come.
    pub body_seconds: Option<f64>,
    /// The longest head of a request, in bytes.
    pub head_bytes: Option<usize>,
    /// Seconds that a head may take to come.
    pub head_seconds: Option<f64>,
    /// Seconds for which a client may take nothing of its answer.
    pub write_seconds: Option<f64>,
    /// The longest answer that is held, in bytes.
    pub held_bytes: Option<usize>,
    /// The most connections at once.
    pub connections: Option<usize>,
    /// Seconds that a stop waits for what runs.
    pub stop_seconds: Option<f64>,
    /// Seconds between saying that the gateway is not ready and listening no more.
    pub farewell_seconds: Option<f64>,
}

/// Where certificate and key of the gateway are, in PEM.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsSettings {
    /// The certificate, and those that vouch for it.
    pub certificate: PathBuf,
    /// The certificate's private key.
    pub key: PathBuf,
}

/// A model as the gateway offers it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OfferedSettings {
    /// The name under `models`; absent: the public name.
    pub upstream: Option<String>,
    /// The constitution; absent: the one of the settings.
    pub constitution: Option<String>,
    /// The recipe; what is absent is as the settings have it.
    pub recipe: RecipeSettings,
    /// What becomes of its answers.
    pub mode: Option<Mode>,
    /// What is given when something stays violated.
    pub on_unresolved: Option<OnUnresolved>,
    /// What is given when critic or reviser fails.
    pub on_critic_error: Option<OnCriticError>,
    /// What is said in place of an answer.
    pub message: Option<String>,
    /// Tags of every request.
    pub tags: Vec<String>,
    /// The most revisions that a client may ask for; absent: it may not choose.
    pub client_rounds: Option<u32>,
}
