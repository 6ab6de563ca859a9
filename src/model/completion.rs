//! What a model answered.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// The reply to one [`ChatRequest`](super::ChatRequest).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Completion {
    /// The answer: the message's text, or the arguments of its first tool call when it has none.
    pub text: String,
    /// Why the model stopped.
    #[serde(default)]
    pub finish: Finish,
    /// The words in which the model refused, when it did so in the field made for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// What the model thought before it answered; never part of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    /// The first places of the answer, where their likeliest tokens were asked for and came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub first_tokens: Vec<super::TokenPlace>,
    /// The tokens spent; absent when the server does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<TokenUsage>,
    /// The reply as it came over the wire; absent for models that have no wire.
    #[serde(skip)]
    pub raw: Option<Bytes>,
    /// Under which key the journal holds this reply; absent without a journal.
    #[serde(skip)]
    pub call: Option<crate::digest::Digest>,
    /// Whether the journal gave this reply, so that nothing was asked of the model.
    #[serde(skip)]
    pub journalled: bool,
    /// The place among the calls in flight that this reply holds until it is kept.
    #[serde(skip)]
    pub place: super::HeldPlace,
}

impl Completion {
    /// A finished reply of free text.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// The bytes that the journal keeps: the wire's, or else this value as JSON.
    ///
    /// # Panics
    ///
    /// Never: the fields of a completion are plain data.
    #[must_use]
    pub fn to_raw(&self) -> Bytes {
        self.raw.clone().unwrap_or_else(|| {
            serde_json::to_vec(self)
                .expect("a completion is plain data")
                .into()
        })
    }
}

/// Why a model stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// The answer is complete.
    #[default]
    Stop,
    /// The token limit cut the answer off.
    Length,
    /// The provider's filter withheld the answer.
    ContentFilter,
    /// The answer is a tool call.
    ToolCalls,
    /// The server gave no reason, or one that redraft does not know.
    Unknown,
}

/// Tokens of one call, as the server counted them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenUsage {
    /// Tokens of the prompt, those from a prefix cache included.
    pub input: u64,
    /// Those tokens of the prompt that came from a prefix cache.
    pub cached: u64,
    /// Tokens of the reply, reasoning included.
    pub output: u64,
}
