//! What a model is asked: messages, sampling and the form of the reply, free of any wire format.

use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{JsonText, Messages};

/// One request to a model. Equal requests have equal JSON, which is what the journal looks up.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChatRequest {
    /// How the reply is sampled.
    pub sampling: Sampling,
    /// The form that the reply must have.
    pub format: ReplyFormat,
    /// Which of several replies to the same request this asks for, from 0.
    pub sample: u32,
    /// With how many of the likeliest tokens each place of the reply comes; absent: with none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_logprobs: Option<u8>,
    /// The chat, oldest message first.
    pub messages: Messages,
    /// Whose call this is. It decides who is asked and when, never what is asked.
    #[serde(skip)]
    pub origin: Origin,
}

/// The record that a call is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// A number that is the same for every call of the record: such calls have one home among
    /// several endpoints, whose prefix cache knows how they begin.
    pub home: u64,
    /// The place of the record among those of the run; calls of earlier ones go first.
    pub place: u64,
}

impl ChatRequest {
    /// A request for free text, the first sample, with the server's own sampling.
    #[must_use]
    pub fn new(messages: impl Into<Messages>) -> Self {
        Self {
            messages: messages.into(),
            sampling: Sampling::default(),
            format: ReplyFormat::Text,
            sample: 0,
            top_logprobs: None,
            origin: Origin::default(),
        }
    }
}

/// How a reply is sampled; what is absent is left to the server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sampling {
    /// From 0, which is greedy; most servers stop at 2. Bai et al. 2022 sample at 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Nucleus sampling: the share of probability that is sampled from, above 0 and up to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// The most tokens that the reply may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// The server's own seed, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Texts that end the reply.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<String>,
    /// Other fields of the request body, sent as they are: `min_p`, `reasoning_effort`, ….
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub extra: IndexMap<String, Value>,
}

impl Sampling {
    /// This sampling, with what is absent taken from `base`.
    #[must_use]
    pub fn or(self, base: &Self) -> Self {
        let mut extra = base.extra.clone();
        extra.extend(self.extra);
        Self {
            temperature: self.temperature.or(base.temperature),
            top_p: self.top_p.or(base.top_p),
            max_tokens: self.max_tokens.or(base.max_tokens),
            seed: self.seed.or(base.seed),
            stop: if self.stop.is_empty() {
                base.stop.clone()
            } else {
                self.stop
            },
            extra,
        }
    }
}

/// The form that a reply must have.
///
/// A caller asks for [`Text`](Self::Text) or [`Structured`](Self::Structured); the
/// [`structured`](super::structured) wrapper turns the latter into the strongest of the other
/// three that the server understands.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyFormat {
    /// Free text.
    Text,
    /// JSON that fits a schema, by whatever means the server has.
    Structured(Arc<ReplySchema>),
    /// `response_format` of type `json_schema`.
    JsonSchema(Arc<ReplySchema>),
    /// A call, which must be made, of one tool with these parameters.
    Tool(Arc<ReplySchema>),
    /// `response_format` of type `json_object`; the prompt says the schema.
    JsonObject,
}

/// A named JSON schema for replies.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReplySchema {
    /// The schema's name, or the tool's.
    pub name: String,
    /// One sentence on what such a reply is, for the model.
    pub description: String,
    /// The JSON schema, in the subset that strict structured outputs accept.
    pub schema: JsonText,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_role_leaves_open_comes_from_its_model() {
        let model = Sampling {
            temperature: Some(1.0),
            max_tokens: Some(512),
            extra: IndexMap::from([("min_p".to_owned(), Value::from(0.05))]),
            ..Sampling::default()
        };
        let critic = Sampling {
            temperature: Some(0.0),
            ..Sampling::default()
        };
        let merged = critic.or(&model);
        assert_eq!(merged.temperature, Some(0.0));
        assert_eq!(merged.max_tokens, Some(512));
        assert_eq!(merged.extra.len(), 1);
    }
}
