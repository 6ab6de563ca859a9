//! The client for OpenAI itself and for every server that speaks its chat completions: vLLM,
//! llama.cpp's server, Ollama and the rest.
//!
//! This is the only place that knows the wire format. A request goes out as a `RequestBody`
//! through async-openai's bring-your-own-types call; underneath it a tower service of ours sees
//! status, headers and the whole body, so that every failure has a [`ModelError`](super::ModelError)
//! of its own; what comes back is kept as it came and read leniently.
//!
//! async-openai logs a whole body at `ERROR` when it cannot read it. The service hands it only
//! bodies that are JSON, so that this does not happen; a subscriber should filter the target
//! `async_openai` nevertheless.

mod api_key;
mod base_url;
mod batch_client;
mod client;
mod content;
mod direct;
mod durations;
mod endpoint;
mod error_body;
mod excerpt;
mod http_client;
mod list_models;
mod logprobs;
mod rate_headers;
mod relay;
mod reply;
mod request_body;
mod retry_after;
mod retry_hint;
mod secrets;
mod service;
#[cfg(test)]
pub(crate) mod test_server;
mod thinking;
mod time_limits;

pub use api_key::ApiKey;
pub use base_url::{BaseUrl, BaseUrlError};
pub(in crate::model) use batch_client::BatchClient;
pub use client::OpenAi;
pub use endpoint::{Endpoint, EndpointError, MaxTokensField};
pub use list_models::{ListModelsError, list_models};
pub use relay::{Relay, Relayed};
pub use request_body::RESERVED_FIELDS;
