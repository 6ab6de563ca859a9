//! The endpoints for answers: what a request of each holds, where the texts of its answer stand, and
//! how a refusal looks there. One file per endpoint; `Surface` chooses among them.

mod chat;
mod chat_chunks;
mod chat_frames;
mod completions;
mod frames;
mod response_frames;
mod responses;

use bytes::Bytes;
use serde_json::Value;

use super::Failure;
use super::fields::Fields;
use super::gathered::Gathered;
use super::part::Part;
use super::requested::Requested;

/// An endpoint for answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Surface {
    /// `POST /v1/chat/completions`.
    Chat,
    /// `POST /v1/completions`.
    Completions,
    /// `POST /v1/responses`.
    Responses,
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
            Self::Completions => "completions",
            Self::Responses => "responses",
        }
    }

    /// The whole path, here.
    pub(super) fn route(self) -> &'static str {
        match self {
            Self::Chat => "/v1/chat/completions",
            Self::Completions => "/v1/completions",
            Self::Responses => "/v1/responses",
        }
    }

    /// What a request asks for.
    pub(super) fn read(self, fields: &Fields<'_>) -> Result<Requested, Failure> {
        match self {
            Self::Chat => chat::read(fields),
            Self::Completions => completions::read(fields),
            Self::Responses => responses::read(fields),
        }
    }

    /// Whether a request asks for an answer that cannot be held and judged.
    pub(super) fn can_be_judged(self, fields: &Fields<'_>) -> Result<(), Failure> {
        match self {
            Self::Chat => chat::can_be_judged(fields),
            Self::Completions | Self::Responses => Ok(()),
        }
    }

    /// Every text of an answer; `None` when the JSON is no answer.
    pub(super) fn parts(self, answer: &Value) -> Option<Vec<Part>> {
        match self {
            Self::Chat => chat::parts(answer),
            Self::Completions => completions::parts(answer),
            Self::Responses => responses::parts(answer),
        }
    }

    /// Takes out what nobody can judge; says whether anything was.
    pub(super) fn strip(self, answer: &mut Value) -> bool {
        match self {
            Self::Chat => chat::strip(answer),
            Self::Completions => false,
            Self::Responses => responses::strip(answer),
        }
    }

    /// An answer as the events of a stream, the end included.
    pub(super) fn frames(self, answer: &Value, include_usage: bool) -> Bytes {
        match self {
            Self::Chat => chat_frames::frames(answer, include_usage),
            Self::Completions => completions::frames(answer, include_usage),
            Self::Responses => response_frames::frames(answer),
        }
    }

    /// The last event of a stream that fails.
    pub(super) fn error_frame(self, failure: &Failure) -> Bytes {
        let mut frames = frames::Frames::default();
        match self {
            Self::Chat | Self::Completions => frames.data(&failure.envelope()),
            Self::Responses => frames.event("error", &responses::error_event(failure)),
        }
        frames.bytes()
    }

    /// Takes the texts of one event of a stream; false when it cannot be read.
    pub(super) fn take(self, data: &str, gathered: &mut Gathered) -> bool {
        match self {
            Self::Chat => chat_chunks::take(data, gathered),
            Self::Completions => completions::take(data, gathered),
            Self::Responses => responses::take(data, gathered),
        }
    }

    /// Puts a changed text in its place.
    pub(super) fn put(self, answer: &mut Value, part: &Part, text: &str) {
        // An answer without any text has no place for one.
        let place = Some(&part.place).filter(|place| !place.is_empty());
        match place.and_then(|place| answer.pointer_mut(place)) {
            Some(place) => *place = Value::from(text),
            None => self.replace(answer, part.choice, Instead::Message(text)),
        }
        match self {
            Self::Chat | Self::Completions => chat::changed(answer, part),
            Self::Responses => {}
        }
    }

    /// Puts something else in the place of a whole choice.
    pub(super) fn replace(self, answer: &mut Value, choice: usize, by: Instead<'_>) {
        match self {
            Self::Chat => chat::replace(answer, choice, by),
            Self::Completions => completions::replace(answer, choice, by),
            Self::Responses => responses::replace(answer, by),
        }
    }
}

/// The tokens of prompt and answer, as the model's server counted them.
pub(super) fn tokens(answer: &Value) -> (u64, u64) {
    let usage = answer.get("usage");
    let count = |names: [&str; 2]| {
        let mut counted = names.iter().filter_map(|name| usage?.get(name)?.as_u64());
        counted.next().unwrap_or(0)
    };
    let prompt = count(["prompt_tokens", "input_tokens"]);
    (prompt, count(["completion_tokens", "output_tokens"]))
}
