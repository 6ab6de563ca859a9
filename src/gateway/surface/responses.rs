//! Responses, in their plain text form: a text or a list of messages in, messages of text out.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::Instead;
use crate::gateway::Failure;
use crate::gateway::conversation;
use crate::gateway::fields::Fields;
use crate::gateway::gathered::Gathered;
use crate::gateway::part::{Part, PartKind};
use crate::gateway::requested::Requested;
use crate::message::{Conversation, Message, Role};

/// Fields that ask for more than text, or whose meaning stands somewhere else.
const UNSUPPORTED: [&str; 6] = [
    "background",
    "conversation",
    "previous_response_id",
    "prompt",
    "tools",
    "include",
];

/// What a request asks for.
pub(super) fn read(fields: &Fields<'_>) -> Result<Requested, Failure> {
    for name in UNSUPPORTED {
        if fields
            .get(name)
            .is_some_and(|raw| !matches!(raw, "false" | "[]" | "\"\""))
        {
            return Err(Failure::bad_field(
                name,
                format!(
                    "`{name}` is not supported here: responses are answered in their plain text form."
                ),
            ));
        }
    }
    let instructions: Option<String> = fields.read_as("instructions", "a text")?;
    let mut messages: Vec<Message> = instructions.map(Message::system).into_iter().collect();
    let raw = fields
        .get("input")
        .ok_or_else(|| Failure::bad_field("input", "`input` must be given."))?;
    if raw.starts_with('"') {
        let text: Option<String> = fields.read_as("input", "a text")?;
        messages.push(Message::user(text.unwrap_or_default()));
    } else {
        messages.extend(input(raw)?);
    }
    let text: Option<Value> = fields.read_as("text", "an object")?;
    let wants_json = text.is_some_and(|text| {
        matches!(
            text["format"]["type"].as_str(),
            Some("json_object" | "json_schema")
        )
    });
    Requested::read(fields, Conversation::from(messages), wants_json)
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    role: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
}

fn input(raw: &str) -> Result<Vec<Message>, Failure> {
    let items: Vec<Item<'_>> = serde_json::from_str(raw).map_err(|error| {
        Failure::bad_field(
            "input",
            format!("`input` must be a text or a list of messages: {error}."),
        )
    })?;
    let messages = items.into_iter().enumerate().map(|(place, item)| {
        let at = |field: &str| format!("input[{place}].{field}");
        if item.kind.as_deref().is_some_and(|kind| kind != "message") {
            let message = format!("`{}` is not supported here: only messages are.", at("type"));
            return Err(Failure::bad_field(at("type"), message));
        }
        let role = item
            .role
            .as_deref()
            .and_then(Role::from_name)
            .ok_or_else(|| {
                let message = format!(
                    "`{}` is none of system, developer, user and assistant.",
                    at("role")
                );
                Failure::bad_field(at("role"), message)
            })?;
        let text = conversation::content(item.content).map_err(|error| {
            let message = format!(
                "`{}` is neither a text nor a list of parts: {error}.",
                at("content")
            );
            Failure::bad_field(at("content"), message)
        })?;
        Ok(Message::new(role, text))
    });
    messages.collect()
}

/// Every text of a response; all of it is one choice.
pub(super) fn parts(answer: &Value) -> Option<Vec<Part>> {
    let output = answer.get("output")?.as_array()?;
    let mut parts = Vec::new();
    for (number, item) in output.iter().enumerate() {
        let mut take = |kind, place: String| {
            let text = answer
                .pointer(&place)
                .and_then(Value::as_str)
                .unwrap_or_default();
            if !text.is_empty() {
                parts.push(Part::new(0, kind, place, text));
            }
        };
        let place = format!("/output/{number}");
        let kind = item["type"].as_str();
        let texts = if kind == Some("reasoning") {
            PartKind::Reasoning
        } else {
            PartKind::Content
        };
        for field in ["summary", "content"] {
            for piece in 0..item[field].as_array().map_or(0, Vec::len) {
                take(texts, format!("{place}/{field}/{piece}/text"));
                take(
                    PartKind::Refusal,
                    format!("{place}/{field}/{piece}/refusal"),
                );
            }
        }
        take(PartKind::Arguments, format!("{place}/arguments"));
    }
    if parts.is_empty() {
        parts.push(Part::new(0, PartKind::Content, String::new(), ""));
    }
    Some(parts)
}

/// Takes out what is neither a message of text nor reasoning: a text must not pass in an item, or a
/// field of one, that the gateway does not know.
pub(super) fn strip(answer: &mut Value) -> bool {
    let mut changed = false;
    let Some(output) = answer.get_mut("output").and_then(Value::as_array_mut) else {
        return false;
    };
    let before = output.len();
    output.retain(|item| matches!(item["type"].as_str(), Some("message" | "reasoning")));
    changed |= output.len() != before;
    for item in output {
        for field in ["summary", "content"] {
            for piece in item[field].as_array_mut().into_iter().flatten() {
                changed |= strip_piece(piece);
            }
        }
    }
    // A text of all messages together, which clients make themselves.
    if let Some(fields) = answer.as_object_mut() {
        changed |= fields.shift_remove("output_text").is_some();
    }
    changed
}

fn strip_piece(piece: &mut Value) -> bool {
    let mut changed = false;
    for field in ["annotations", "logprobs"] {
        let list = piece.get_mut(field).and_then(Value::as_array_mut);
        if let Some(list) = list.filter(|list| !list.is_empty()) {
            list.clear();
            changed = true;
        }
    }
    changed
}

/// Puts something else in the place of the whole output.
pub(super) fn replace(answer: &mut Value, by: Instead<'_>) {
    let (status, details, content) = match by {
        Instead::Refusal(text) => (
            "incomplete",
            json!({ "reason": "content_filter" }),
            json!({ "type": "refusal", "refusal": text }),
        ),
        Instead::Message(text) => (
            "completed",
            Value::Null,
            json!({ "type": "output_text", "text": text, "annotations": [] }),
        ),
    };
    let id = answer["id"].as_str().unwrap_or("resp").to_owned();
    answer["status"] = Value::from(status);
    answer["incomplete_details"] = details;
    answer["output"] = json!([{
        "id": format!("msg_{id}"),
        "type": "message",
        "role": "assistant",
        "status": status,
        "content": [content],
    }]);
}

/// Takes the whole answer from the last event of a stream that somebody else makes; false when an
/// event cannot be read.
pub(super) fn take(data: &str, gathered: &mut Gathered) -> bool {
    #[derive(Deserialize)]
    struct Event<'a> {
        #[serde(borrow, rename = "type")]
        kind: Cow<'a, str>,
        #[serde(borrow, default)]
        response: Option<&'a RawValue>,
    }
    let Ok(event) = serde_json::from_str::<Event<'_>>(data) else {
        return false;
    };
    let is_last = matches!(
        event.kind.as_ref(),
        "response.completed" | "response.incomplete"
    );
    if let Some(response) = event.response.filter(|_| is_last) {
        let answer: Option<Value> = serde_json::from_str(response.get()).ok();
        gathered.whole(answer.as_ref().and_then(parts));
    }
    true
}

/// A failure as the last event of a stream.
pub(super) fn error_event(failure: &Failure) -> Value {
    json!({
        "type": "error",
        "code": failure.code.unwrap_or(failure.kind),
        "message": failure.message,
        "param": failure.param,
        "sequence_number": 0,
    })
}
