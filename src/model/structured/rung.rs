//! The means by which a reply can be held to a schema, strongest first.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::schema_prompt::with_schema_told;
use crate::model::{ChatRequest, ReplyFormat, ReplySchema};

/// One means to get JSON that fits a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    /// `response_format` of type `json_schema`.
    JsonSchema,
    /// A call of one tool, which must be made.
    Tool,
    /// `response_format` of type `json_object`; the prompt tells the schema.
    JsonObject,
    /// Nothing but the prompt, which tells the schema.
    Text,
}

impl Rung {
    /// Every rung, strongest first.
    pub const ALL: [Self; 4] = [Self::JsonSchema, Self::Tool, Self::JsonObject, Self::Text];

    /// The rung's name in settings and in the journal.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::JsonSchema => "json_schema",
            Self::Tool => "tool",
            Self::JsonObject => "json_object",
            Self::Text => "text",
        }
    }

    /// `request`, asked by this means.
    pub(super) fn ask(self, request: &ChatRequest, schema: &Arc<ReplySchema>) -> ChatRequest {
        let (messages, format) = match self {
            Self::JsonSchema => (
                request.messages.clone(),
                ReplyFormat::JsonSchema(Arc::clone(schema)),
            ),
            Self::Tool => (
                request.messages.clone(),
                ReplyFormat::Tool(Arc::clone(schema)),
            ),
            Self::JsonObject => (
                with_schema_told(&request.messages, schema),
                ReplyFormat::JsonObject,
            ),
            Self::Text => (
                with_schema_told(&request.messages, schema),
                ReplyFormat::Text,
            ),
        };
        ChatRequest {
            messages,
            sampling: request.sampling.clone(),
            format,
            sample: request.sample,
            top_logprobs: request.top_logprobs,
            origin: request.origin,
        }
    }
}

impl fmt::Display for Rung {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A name that is no rung.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is none of auto, json_schema, tool, json_object, text")]
pub struct UnknownRung(String);

impl FromStr for Rung {
    type Err = UnknownRung;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|rung| rung.as_str() == name)
            .ok_or_else(|| UnknownRung(name.to_owned()))
    }
}

/// The setting `structured` of a model: `auto`, or the name of a rung.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum StructuredSetting {
    /// Find out which rung works.
    #[default]
    Auto,
    /// Use this one, and no other.
    Pinned(Rung),
    /// Use what was found out earlier, or else this one, and find nothing out.
    Presumed(Rung),
}

impl FromStr for StructuredSetting {
    type Err = UnknownRung;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "auto" => Ok(Self::Auto),
            name => name.parse().map(Self::Pinned),
        }
    }
}

impl TryFrom<String> for StructuredSetting {
    type Error = UnknownRung;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        name.parse()
    }
}

impl From<StructuredSetting> for &'static str {
    fn from(setting: StructuredSetting) -> Self {
        match setting {
            StructuredSetting::Auto => "auto",
            StructuredSetting::Pinned(rung) | StructuredSetting::Presumed(rung) => rung.as_str(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_and_written_by_name() {
        for name in ["auto", "json_schema", "tool", "json_object", "text"] {
            let setting: StructuredSetting =
                serde_json::from_value(name.into()).expect("a setting");
            assert_eq!(serde_json::to_value(setting).expect("JSON"), name);
        }
        let error = "yaml".parse::<StructuredSetting>().expect_err("no rung");
        assert!(error.to_string().contains("json_object"), "{error}");
    }
}
