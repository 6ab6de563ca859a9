//! The older completions, in their plain form: one prompt, and texts that go on from it.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Instead;
use super::frames::{Common, Frames, pieces};
use crate::gateway::Failure;
use crate::gateway::fields::Fields;
use crate::gateway::gathered::{Gathered, Slot};
use crate::gateway::part::{Part, PartKind};
use crate::gateway::requested::Requested;
use crate::message::Conversation;

/// What a request asks for.
pub(super) fn read(fields: &Fields<'_>) -> Result<Requested, Failure> {
    let raw = fields
        .get("prompt")
        .ok_or_else(|| Failure::bad_field("prompt", "`prompt` must be given."))?;
    let prompt = serde_json::from_str::<String>(raw)
        .or_else(|_| serde_json::from_str::<[String; 1]>(raw).map(|[prompt]| prompt))
        .map_err(|_| {
            let message = "`prompt` must be one text: tokens, and several prompts at once, are not \
                           supported here.";
            Failure::bad_field("prompt", message)
        })?;
    if fields.read_as("echo", "true or false")?.unwrap_or(false) {
        let message = "`echo` is not supported here.";
        return Err(Failure::bad_field("echo", message));
    }
    Requested::read(fields, Conversation::from_prompt(prompt), false)
}

/// Every text of a completion.
pub(super) fn parts(answer: &Value) -> Option<Vec<Part>> {
    let choices = answer.get("choices")?.as_array()?;
    if choices.is_empty() {
        return None;
    }
    let parts = choices.iter().enumerate().map(|(number, choice)| {
        let text = choice.get("text")?.as_str()?;
        let place = format!("/choices/{number}/text");
        Some(Part::new(number, PartKind::Content, place, text))
    });
    parts.collect()
}

/// Puts something else in the place of a choice.
pub(super) fn replace(answer: &mut Value, choice: usize, by: Instead<'_>) {
    let Some(choice) = answer.pointer_mut(&format!("/choices/{choice}")) else {
        return;
    };
    let (text, finish) = match by {
        Instead::Refusal(text) => (text, "content_filter"),
        Instead::Message(text) => (text, "stop"),
    };
    choice["text"] = Value::from(text);
    choice["finish_reason"] = Value::from(finish);
    if let Some(chances) = choice.get_mut("logprobs") {
        *chances = Value::Null;
    }
}

/// The whole stream.
pub(super) fn frames(answer: &Value, include_usage: bool) -> Bytes {
    let common = |usage| Common::new(answer, "text_completion", usage);
    let each = common(include_usage.then_some(&Value::Null));
    let mut frames = Frames::default();
    let choices = answer["choices"].as_array().map_or(&[][..], Vec::as_slice);
    for (place, choice) in choices.iter().enumerate() {
        let index = choice
            .get("index")
            .cloned()
            .unwrap_or_else(|| Value::from(place));
        let text = choice["text"].as_str().unwrap_or_default();
        let one = |text: &str, logprobs: &Value, finish: &Value| json!([{ "index": index, "text": text, "logprobs": logprobs, "finish_reason": finish }]);
        if choice["logprobs"].is_null() {
            for piece in pieces(text) {
                frames.chunk(&each, &one(piece, &Value::Null, &Value::Null), None);
            }
        } else {
            frames.chunk(&each, &one(text, &choice["logprobs"], &Value::Null), None);
        }
        let note = answer.get("redraft").filter(|_| place + 1 == choices.len());
        let end = one("", &Value::Null, &choice["finish_reason"]);
        frames.chunk(&each, &end, note);
    }
    if let Some(usage) = answer
        .get("usage")
        .filter(|usage| include_usage && !usage.is_null())
    {
        frames.chunk(&common(Some(usage)), &json!([]), None);
    }
    frames.done()
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<ChunkChoice>,
}

#[derive(Deserialize)]
struct ChunkChoice {
    #[serde(default)]
    index: usize,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    finish_reason: Option<String>,
}

/// Takes the texts of one chunk that somebody else streams; false when it is none.
pub(super) fn take(data: &str, gathered: &mut Gathered) -> bool {
    let Ok(chunk) = serde_json::from_str::<Chunk>(data) else {
        return false;
    };
    for choice in chunk.choices {
        let slot = Slot {
            choice: choice.index,
            kind: PartKind::Content,
            number: 0,
        };
        gathered.add(slot, choice.text.as_deref().unwrap_or_default());
        if choice.finish_reason.is_some() {
            gathered.ends(choice.index);
        }
    }
    true
}
