//! Parts that rows of several formats have in common.

use serde::Serialize;
use serde_json::{Map, Value};

use super::Item;
use crate::message::{Message, Role};

/// Compact JSON of a row.
pub(super) fn json(row: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(row).expect("a row is plain data")
}

/// A turn, borrowed.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Turn<'a> {
    pub(super) role: Role,
    pub(super) content: &'a str,
}

/// The turns of a conversation.
pub(super) fn turns(messages: &[Message]) -> Vec<Turn<'_>> {
    messages
        .iter()
        .map(|message| Turn {
            role: message.role,
            content: &message.content,
        })
        .collect()
}

/// An answer as the one turn that it is.
pub(super) fn answer(content: &str) -> [Turn<'_>; 1] {
    [Turn {
        role: Role::Assistant,
        content,
    }]
}

/// The turns of a conversation and its answer.
pub(super) fn chat<'a>(messages: &'a [Message], content: &'a str) -> Vec<Turn<'a>> {
    let mut chat = turns(messages);
    chat.extend(answer(content));
    chat
}

/// The prompt as one text: what the user said last.
pub(super) fn last_question(messages: &[Message]) -> &str {
    let asked = messages.iter().rfind(|message| message.role == Role::User);
    asked.or(messages.last()).map_or("", |turn| &turn.content)
}

/// Puts over the columns of a row those that its transcript was imported with and that redraft
/// could not make of it: what came in this form goes out in it again.
pub(super) fn with_imported(mut row: Map<String, Value>, item: &Item<'_>, form: &str) -> Vec<u8> {
    let imported = item.transcript.imported.as_ref();
    if imported.is_some_and(|imported| imported.from == form)
        && let Some(extra) = &item.transcript.record.extra
        && let Ok(extra) = serde_json::from_str::<Map<String, Value>>(extra.get())
    {
        row.extend(extra);
    }
    json(&row)
}
