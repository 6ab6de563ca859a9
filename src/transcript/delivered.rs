//! What a client of the gateway was given, where that is not the final answer alone.

use serde::{Deserialize, Serialize};

/// What a client was given in place of the final answer, or with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivered {
    /// How it was given.
    pub how: Delivery,
    /// The text that stood in this one's place; empty where none did.
    pub text: String,
    /// Why, where the outcome does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// How something was given to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Delivery {
    /// As a refusal.
    Refused,
    /// As the operator's message, in place of the answer.
    Replaced,
    /// As it is, with a note of what is wrong with it.
    Annotated,
    /// Not at all: the client was given an error.
    Withheld,
}

impl Delivery {
    /// The lower-case word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Replaced => "replaced",
            Self::Annotated => "annotated",
            Self::Withheld => "withheld",
        }
    }
}
