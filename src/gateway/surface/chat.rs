//! Chat completions.

use serde_json::{Map, Value, json};

use super::Instead;
use crate::gateway::Failure;
use crate::gateway::conversation;
use crate::gateway::fields::Fields;
use crate::gateway::part::{Part, PartKind};
use crate::gateway::requested::Requested;

/// Fields of a message that hold what the model thought.
const REASONING: [&str; 2] = ["reasoning_content", "reasoning"];
/// Fields of a message that are judged, or hold no text of the model's.
const KNOWN: [&str; 7] = [
    "role",
    "content",
    "refusal",
    "tool_calls",
    "function_call",
    "reasoning_content",
    "reasoning",
];

/// What a request asks for.
pub(super) fn read(fields: &Fields<'_>) -> Result<Requested, Failure> {
    let messages = fields
        .get("messages")
        .ok_or_else(|| Failure::bad_field("messages", "`messages` must be given."))?;
    let format: Option<Value> = fields.read_as("response_format", "an object")?;
    let wants_json = format.is_some_and(|format| {
        matches!(format["type"].as_str(), Some("json_object" | "json_schema"))
    });
    Requested::read(
        fields,
        conversation::read("messages", messages)?,
        wants_json,
    )
}

/// Whether all of the answer will be text.
pub(super) fn can_be_judged(fields: &Fields<'_>) -> Result<(), Failure> {
    let modalities: Option<Vec<String>> = fields.read_as("modalities", "a list of texts")?;
    let is_text = modalities.is_none_or(|kinds| kinds.iter().all(|kind| kind == "text"));
    if is_text && fields.get("audio").is_none() {
        return Ok(());
    }
    let field = if is_text { "audio" } else { "modalities" };
    Err(Failure::bad_field(
        field,
        format!("`{field}` asks for an answer that is not text, which cannot be checked here."),
    ))
}

/// Every text of a completion.
pub(super) fn parts(answer: &Value) -> Option<Vec<Part>> {
    let choices = answer.get("choices")?.as_array()?;
    if choices.is_empty() {
        return None;
    }
    let mut parts = Vec::new();
    for (number, choice) in choices.iter().enumerate() {
        of_message(number, choice.get("message")?.as_object()?, &mut parts);
    }
    Some(parts)
}

fn of_message(choice: usize, message: &Map<String, Value>, parts: &mut Vec<Part>) {
    let first = parts.len();
    let place = |field: &str| format!("/choices/{choice}/message/{field}");
    let mut take = |kind, field: &str, place: String| {
        let text = message
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default();
        if !text.is_empty() {
            parts.push(Part::new(choice, kind, place, text));
        }
    };
    for field in REASONING {
        take(PartKind::Reasoning, field, place(field));
    }
    take(PartKind::Content, "content", place("content"));
    take(PartKind::Refusal, "refusal", place("refusal"));
    for (number, piece) in list(message.get("content")).iter().enumerate() {
        for (field, kind) in [("text", PartKind::Content), ("refusal", PartKind::Refusal)] {
            let text = piece.get(field).and_then(Value::as_str).unwrap_or_default();
            if !text.is_empty() {
                let place = place(&format!("content/{number}/{field}"));
                parts.push(Part::new(choice, kind, place, text));
            }
        }
    }
    for (number, call) in list(message.get("tool_calls")).iter().enumerate() {
        for field in ["function/arguments", "custom/input"] {
            let text = call.pointer(&format!("/{field}")).and_then(Value::as_str);
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                let place = place(&format!("tool_calls/{number}/{field}"));
                parts.push(Part::new(choice, PartKind::Arguments, place, text));
            }
        }
    }
    let legacy = message
        .get("function_call")
        .and_then(|call| call.get("arguments"));
    if let Some(text) = legacy
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
    {
        let place = place("function_call/arguments");
        parts.push(Part::new(choice, PartKind::Arguments, place, text));
    }
    if parts.len() == first {
        // What says nothing may violate a principle, too.
        parts.push(Part::new(choice, PartKind::Content, place("content"), ""));
    }
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Takes fields out of the messages that nobody can judge: a text must not pass in a field that the
/// gateway does not know.
pub(super) fn strip(answer: &mut Value) -> bool {
    let mut changed = false;
    for choice in answer["choices"].as_array_mut().into_iter().flatten() {
        let Some(message) = choice.get_mut("message").and_then(Value::as_object_mut) else {
            continue;
        };
        let before = message.len();
        message.retain(|name, value| KNOWN.contains(&name.as_str()) || holds_nothing(value));
        changed |= message.len() != before;
    }
    changed
}

fn holds_nothing(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => true,
    }
}

/// The chances of tokens are not those of a changed text.
pub(super) fn changed(answer: &mut Value, part: &Part) {
    if let Some(chances) = answer.pointer_mut(&format!("/choices/{}/logprobs", part.choice)) {
        *chances = Value::Null;
    }
}

/// Puts something else in the place of a choice.
pub(super) fn replace(answer: &mut Value, choice: usize, by: Instead<'_>) {
    let Some(choice) = answer.pointer_mut(&format!("/choices/{choice}")) else {
        return;
    };
    let (message, finish) = match by {
        Instead::Refusal(text) => (
            json!({ "role": "assistant", "content": null, "refusal": text }),
            "content_filter",
        ),
        Instead::Message(text) => (
            json!({ "role": "assistant", "content": text, "refusal": null }),
            "stop",
        ),
    };
    choice["message"] = message;
    choice["finish_reason"] = Value::from(finish);
    if let Some(chances) = choice.get_mut("logprobs") {
        *chances = Value::Null;
    }
}
