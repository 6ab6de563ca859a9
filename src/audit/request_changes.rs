//! What differs between two requests as the journal keeps them, part by part.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::model::ModelRole;

/// One part of a request that is not what it was.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RequestChange {
    /// What a person calls it.
    pub part: String,
    /// What it was; `null` where it was not there.
    pub before: Value,
    /// What it is; `null` where it is gone.
    pub after: Value,
    /// Whether it is a longer text, in which a few words may have changed.
    #[serde(skip)]
    pub is_text: bool,
}

/// Collects what differs.
#[derive(Default)]
struct Changes(Vec<RequestChange>);

impl Changes {
    fn value(&mut self, part: impl Into<String>, before: &Value, after: &Value) {
        self.push(part.into(), before, after, false);
    }

    fn text(&mut self, part: impl Into<String>, before: &Value, after: &Value) {
        self.push(part.into(), before, after, true);
    }

    fn push(&mut self, part: String, before: &Value, after: &Value, is_text: bool) {
        if before != after {
            self.0.push(RequestChange {
                part,
                before: before.clone(),
                after: after.clone(),
                is_text,
            });
        }
    }
}

/// The parts in which two requests to one role differ, the short ones first. `critiqued` says that
/// the earlier one belongs to a round whose critique is free text.
#[must_use]
pub fn request_changes(
    before: &Value,
    after: &Value,
    role: ModelRole,
    critiqued: bool,
) -> Vec<RequestChange> {
    let mut changes = Changes::default();
    changes.value("scope (--fresh)", &before["scope"], &after["scope"]);
    changes.value("model", &before["model"], &after["model"]);
    sampling(&mut changes, &before["sampling"], &after["sampling"]);
    changes.value("sample", &before["sample"], &after["sample"]);
    changes.value(
        "log-probabilities",
        &before["top_logprobs"],
        &after["top_logprobs"],
    );
    format(&mut changes, &before["format"], &after["format"]);
    let names = MessageNames { role, critiqued };
    messages(&mut changes, &before["messages"], &after["messages"], names);
    changes.0
}

/// Each field of the sampling by its name in the settings.
fn sampling(changes: &mut Changes, before: &Value, after: &Value) {
    let empty = Map::new();
    let fields = |value: &Value| value.as_object().unwrap_or(&empty).clone();
    let (before, after) = (fields(before), fields(after));
    for name in both_keys(&before, &after) {
        let (old, new) = (field(&before, name), field(&after, name));
        if name == "extra" {
            sampling(changes, old, new);
        } else {
            changes.value(name, old, new);
        }
    }
}

fn both_keys<'a>(
    before: &'a Map<String, Value>,
    after: &'a Map<String, Value>,
) -> impl Iterator<Item = &'a String> {
    let new = after.keys().filter(|name| !before.contains_key(*name));
    before.keys().chain(new)
}

fn field<'a>(object: &'a Map<String, Value>, name: &str) -> &'a Value {
    object.get(name).unwrap_or(&Value::Null)
}

/// The means by which the reply is held to a form, and the schema where both have one.
fn format(changes: &mut Changes, before: &Value, after: &Value) {
    let (old, new) = (means(before), means(after));
    changes.value("form of the reply", &old.0, &new.0);
    if let (Some(old), Some(new)) = (old.1, new.1) {
        changes.text("schema of the reply", old, new);
    }
}

fn means(format: &Value) -> (Value, Option<&Value>) {
    match format.as_object().and_then(|object| object.iter().next()) {
        Some((means, schema)) => (Value::from(means.as_str()), Some(schema)),
        None => (format.clone(), None),
    }
}

/// How the messages of the earlier request are called.
#[derive(Clone, Copy)]
struct MessageNames {
    role: ModelRole,
    critiqued: bool,
}

impl MessageNames {
    fn of(self, messages: &[Value], place: usize) -> &'static str {
        let speaker = messages[place]["role"].as_str().unwrap_or_default();
        if matches!(speaker, "system" | "developer") {
            return "the instructions";
        }
        if self.role == ModelRole::Drafter {
            return "the conversation";
        }
        let chat = messages.len() > 1 && messages[messages.len() - 2]["role"] == "assistant";
        let revises = self.role == ModelRole::Reviser;
        let has_critique = revises && self.critiqued;
        match messages.len() - 1 - place {
            0 if !chat && revises => "the conversation, the answer and the findings",
            0 if !chat => "the conversation and the answer",
            0 if revises => "the revision request",
            0 => "the critique request",
            1 if has_critique => "the critique",
            2 if has_critique => "the critique request",
            1 | 3 if chat && speaker == "assistant" => self.answer_at(messages.len() - 1 - place),
            _ => "the conversation",
        }
    }

    fn answer_at(self, from_end: usize) -> &'static str {
        let has_critique = self.role == ModelRole::Reviser && self.critiqued;
        if (from_end == 3) == has_critique {
            "the answer"
        } else {
            "the conversation"
        }
    }
}

/// Each message that differs; only the first one where their number differs, too.
fn messages(changes: &mut Changes, before: &Value, after: &Value, names: MessageNames) {
    let none = Vec::new();
    let list = |value: &'_ Value| value.as_array().unwrap_or(&none).clone();
    let (before, after) = (list(before), list(after));
    let paired = before.iter().zip(&after).enumerate();
    let differing: Vec<_> = paired.filter(|(_, (old, new))| old != new).collect();
    let most = if before.len() == after.len() {
        differing.len()
    } else {
        1
    };
    changes.value(
        "number of messages",
        &before.len().into(),
        &after.len().into(),
    );
    for (place, (old, new)) in differing.into_iter().take(most) {
        let part = format!("message {}, {}", place + 1, names.of(&before, place));
        changes.value(format!("{part}: role"), &old["role"], &new["role"]);
        changes.text(part, &old["content"], &new["content"]);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parts(before: &Value, after: &Value, role: ModelRole) -> Vec<String> {
        let changes = request_changes(before, after, role, false);
        changes.into_iter().map(|change| change.part).collect()
    }

    fn request() -> Value {
        json!({
            "model": "qwen",
            "sampling": { "temperature": 0.5, "extra": { "min_p": 0.1 } },
            "format": { "json_schema": { "name": "critique" } },
            "sample": 0,
            "messages": [
                { "role": "system", "content": "Be strict." },
                { "role": "user", "content": "Material." },
            ],
        })
    }

    #[test]
    fn equal_requests_have_no_changes() {
        assert!(parts(&request(), &request(), ModelRole::Critic).is_empty());
    }

    #[test]
    fn each_part_is_named() {
        let changed = |pointer: &str, value: Value| {
            let mut after = request();
            *after.pointer_mut(pointer).expect("a part") = value;
            parts(&request(), &after, ModelRole::Critic)
        };
        assert_eq!(changed("/model", json!("other")), ["model"]);
        assert_eq!(changed("/sampling/temperature", json!(1)), ["temperature"]);
        assert_eq!(changed("/sampling/extra/min_p", json!(1)), ["min_p"]);
        assert_eq!(changed("/sampling", json!({})), ["temperature", "min_p"]);
        assert_eq!(changed("/sample", json!(1000)), ["sample"]);
        assert_eq!(changed("/format", json!("text")), ["form of the reply"]);
        assert_eq!(
            changed("/format/json_schema/name", json!("x")),
            ["schema of the reply"]
        );
        assert_eq!(
            changed("/messages/0/content", json!("x")),
            ["message 1, the instructions"]
        );
        assert_eq!(
            changed("/messages/1/content", json!("x")),
            ["message 2, the conversation and the answer"]
        );
        let mut scoped = request();
        scoped["scope"] = json!("now");
        assert_eq!(
            parts(&request(), &scoped, ModelRole::Critic),
            ["scope (--fresh)"]
        );
    }

    #[test]
    fn the_turns_of_a_chat_are_named_by_their_place() {
        let turns = ["user", "assistant", "user", "assistant", "user"];
        let messages: Vec<Value> = turns.iter().map(|role| json!({ "role": role })).collect();
        let named = |role, critiqued, count| -> Vec<&str> {
            let names = MessageNames { role, critiqued };
            let messages = &messages[..count];
            (0..count).map(|place| names.of(messages, place)).collect()
        };
        let talk = "the conversation";
        assert_eq!(
            named(ModelRole::Critic, true, 3),
            [talk, "the answer", "the critique request"]
        );
        assert_eq!(
            named(ModelRole::Reviser, true, 5),
            [
                talk,
                "the answer",
                "the critique request",
                "the critique",
                "the revision request"
            ]
        );
        assert_eq!(
            named(ModelRole::Reviser, false, 5),
            [talk, talk, talk, "the answer", "the revision request"]
        );
    }

    #[test]
    fn where_the_number_differs_only_the_first_message_that_does_is_told() {
        let mut after = request();
        after["messages"] = json!([
            { "role": "user", "content": "Other." },
            { "role": "assistant", "content": "Other." },
            { "role": "user", "content": "Other." },
        ]);
        assert_eq!(
            parts(&request(), &after, ModelRole::Critic),
            [
                "number of messages",
                "message 1, the instructions: role",
                "message 1, the instructions"
            ]
        );
    }
}
