//! The endpoints for answers: what a request of each holds, where the texts of its answer stand, and
//! how a refusal looks there. One file per endpoint; `Surface` chooses among them.

mod chat;

use serde_json::Value;

use super::Failure;
use super::fields::Fields;
use super::part::Part;
use super::requested::Requested;

/// An endpoint for answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Surface {
    /// `POST /v1/chat/completions`.
    Chat,
}

/// What stands in a choice's place when it does not leave as it is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Instead<'a> {
    /// A refusal, in these words.
    Refusal(&'a str),
    /// Another answer, in these words.
    Message(&'a str),
}

impl Surface {
    /// The path below `/v1`, here and at the model's server.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Chat => "chat/completions",
        }
    }

    /// What a request asks for.
    pub(super) fn read(self, fields: &Fields<'_>) -> Result<Requested, Failure> {
        match self {
            Self::Chat => chat::read(fields),
        }
    }

    /// Whether a request asks for an answer that cannot be held and judged.
    pub(super) fn can_be_judged(self, fields: &Fields<'_>) -> Result<(), Failure> {
        match self {
            Self::Chat => chat::can_be_judged(fields),
        }
    }

    /// Every text of an answer; `None` when the JSON is no answer.
    pub(super) fn parts(self, answer: &Value) -> Option<Vec<Part>> {
        match self {
            Self::Chat => chat::parts(answer),
        }
    }

    /// Takes out what nobody can judge; says whether anything was.
    pub(super) fn strip(self, answer: &mut Value) -> bool {
        match self {
            Self::Chat => chat::strip(answer),
        }
    }

    /// The tokens of prompt and answer, as the model's server counted them.
    pub(super) fn tokens(self, answer: &Value) -> (u64, u64) {
        let count = |names: [&str; 2]| {
            let usage = answer.get("usage");
            let counted = names.iter().find_map(|name| usage?.get(name)?.as_u64());
            counted.unwrap_or(0)
        };
        let prompt = count(["prompt_tokens", "input_tokens"]);
        (prompt, count(["completion_tokens", "output_tokens"]))
    }

    /// Puts a changed text in its place.
    pub(super) fn put(self, answer: &mut Value, part: &Part, text: &str) {
        if let Some(place) = answer.pointer_mut(&part.place) {
            *place = Value::from(text);
        }
        match self {
            Self::Chat => chat::changed(answer, part),
        }
    }

    /// Puts something else in the place of a whole choice.
    pub(super) fn replace(self, answer: &mut Value, choice: usize, by: Instead<'_>) {
        match self {
            Self::Chat => chat::replace(answer, choice, by),
        }
    }
}
