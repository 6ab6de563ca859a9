//! A request's messages as a conversation: what critic and transcript know of what was said before.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Failure;
use crate::message::{Conversation, Message, Role};

#[derive(Deserialize)]
struct Turn<'a> {
    #[serde(borrow)]
    role: Cow<'a, str>,
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tool_calls: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Piece<'a> {
    #[serde(borrow, rename = "type", default)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    refusal: Option<Cow<'a, str>>,
}

/// Reads a list of chat messages that stands in the field `name`.
///
/// # Errors
///
/// When it is no such list, or holds a role that is none.
pub(super) fn read(name: &str, raw: &str) -> Result<Conversation, Failure> {
    let wrong = |error: &serde_json::Error| {
        Failure::bad_field(
            name,
            format!("`{name}` must be a list of messages: {error}."),
        )
    };
    let turns: Vec<Turn<'_>> = serde_json::from_str(raw).map_err(|error| wrong(&error))?;
    if turns.is_empty() {
        return Err(Failure::bad_field(
            name,
            format!("`{name}` must not be empty."),
        ));
    }
    let messages = turns.into_iter().enumerate().map(|(place, turn)| {
        let at = format!("{name}[{place}]");
        let role = match turn.role.as_ref() {
            "function" => Some(Role::Tool),
            role => Role::from_name(role),
        };
        let role = role.ok_or_else(|| {
            let message =
                format!("`{at}.role` is none of system, developer, user, assistant and tool.");
            Failure::bad_field(format!("{at}.role"), message)
        })?;
        let mut text = content(turn.content).map_err(|error| {
            let message = format!("`{at}.content` is neither a text nor a list of parts: {error}.");
            Failure::bad_field(format!("{at}.content"), message)
        })?;
        if let Some(calls) = turn.tool_calls.filter(|raw| raw.get() != "null") {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str("[tool calls] ");
            text.push_str(calls.get());
        }
        Ok(Message::new(role, text))
    });
    Ok(Conversation::from(
        messages.collect::<Result<Vec<_>, Failure>>()?,
    ))
}

/// A message's text; parts that are no text are named in its place.
pub(super) fn content(raw: Option<&RawValue>) -> Result<String, serde_json::Error> {
    let Some(raw) = raw.map(RawValue::get).filter(|raw| *raw != "null") else {
        return Ok(String::new());
    };
    if raw.starts_with('"') {
        return serde_json::from_str(raw);
    }
    let mut text = String::new();
    for piece in serde_json::from_str::<Vec<Piece<'_>>>(raw)? {
        if let Some(piece) = piece.text.or(piece.refusal) {
            text.push_str(&piece);
        } else {
            text.push('[');
            text.push_str(&piece.kind);
            text.push(']');
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_parts_and_tool_calls_become_turns() {
        let raw = r#"[
            {"role":"system","content":"Be brief.","name":"x"},
            {"role":"user","content":[{"type":"text","text":"What is "},{"type":"image_url","image_url":{"url":"data:"}},{"type":"text","text":"this?"}]},
            {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"look","arguments":"{}"}}]},
            {"role":"tool","tool_call_id":"c","content":"a cat"}
        ]"#;
        let conversation = read("messages", raw).unwrap();
        let texts: Vec<_> = conversation
            .messages()
            .iter()
            .map(|m| (m.role.as_str(), m.content.as_str()))
            .collect();
        assert_eq!(texts[0], ("system", "Be brief."));
        assert_eq!(texts[1], ("user", "What is [image_url]this?"));
        assert!(
            texts[2].1.starts_with("[tool calls] [{\"id\":\"c\""),
            "{texts:?}"
        );
        assert_eq!(texts[3], ("tool", "a cat"));
    }

    #[test]
    fn what_is_no_message_is_named() {
        for (raw, param) in [
            ("[]", "messages"),
            ("{}", "messages"),
            (r#"[{"role":"narrator","content":"x"}]"#, "messages[0].role"),
            (r#"[{"role":"user","content":7}]"#, "messages[0].content"),
            (
                r#"[{"role":"user","content":"\ud800"}]"#,
                "messages[0].content",
            ),
            (
                r#"[{"role":"user","content":"a","content":"b"}]"#,
                "messages",
            ),
        ] {
            let failure = read("messages", raw).expect_err(raw);
            assert_eq!(failure.param.as_deref(), Some(param), "{raw}");
        }
    }
}
