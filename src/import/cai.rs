//! Rows of cai-conversation-harmless, of either release: one round each.

use serde_json::{Map, Value};

use super::trace::{ImportError, Step, Trace, optional, text};
use crate::message::{Message, Role};

/// Reads a row.
pub(super) fn read(row: &Map<String, Value>) -> Result<Trace, ImportError> {
    let question = text(row, "init_prompt")?;
    let revision = text(row, "revision_response")?;
    let conversation =
        earlier_turns(row, &question, &revision).unwrap_or_else(|| vec![Message::user(&*question)]);
    Ok(Trace {
        conversation,
        draft: text(row, "init_response")?,
        steps: vec![Step {
            principles: Vec::new(),
            critique_request: optional(row, "critic_prompt")?,
            critique: optional(row, "critic_response")?,
            revision_request: optional(row, "revision_prompt")?,
            revision: Some(revision),
        }],
        output: None,
    })
}

/// The whole conversation, where `messages` holds it: turns that end with the question and its
/// revised answer.
fn earlier_turns(row: &Map<String, Value>, question: &str, revision: &str) -> Option<Vec<Message>> {
    let mut turns: Vec<Message> = serde_json::from_value(row.get("messages")?.clone()).ok()?;
    let answer = turns.pop()?;
    let asked = turns.iter().rfind(|turn| turn.role == Role::User)?;
    let is_it = answer.role == Role::Assistant && answer.content == revision;
    (is_it && asked.content == question).then_some(turns)
}
