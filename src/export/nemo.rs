//! `nemo`: chats as NeMo-Aligner fine-tunes on them: instructions apart, the user's turns masked.

use serde::Serialize;

use super::row::json;
use super::texts::{Texts, answers};
use super::{Format, Item, LeftOut};
use crate::message::{Message, Role};

/// NeMo-Aligner's chats.
#[derive(Debug)]
pub(super) struct Nemo(pub(super) Texts);

#[derive(Serialize)]
struct Row<'a> {
    system: String,
    conversations: Vec<Turn<'a>>,
    mask: &'static str,
    dataset: &'a str,
}

#[derive(Serialize)]
struct Turn<'a> {
    from: &'static str,
    value: &'a str,
    label: Option<&'a str>,
}

impl Format for Nemo {
    fn rows(&mut self, item: &Item<'_>) -> Result<Vec<Vec<u8>>, LeftOut> {
        let answers = answers(item.transcript, self.0)?;
        let conversation = item.transcript.record.conversation.messages();
        let leading = conversation
            .iter()
            .take_while(|message| is_instruction(message))
            .count();
        let (instructions, turns) = conversation.split_at(leading);
        let instructions: Vec<&str> = instructions
            .iter()
            .map(|message| message.content.as_str())
            .collect();
        let row = |answer| {
            let mut conversations: Vec<Turn<'_>> = turns
                .iter()
                .map(|message| turn(message.role, &message.content))
                .collect();
            conversations.push(turn(Role::Assistant, answer));
            Row {
                system: instructions.join("\n\n"),
                conversations,
                mask: "User",
                dataset: &item.transcript.run,
            }
        };
        Ok(answers.into_iter().map(|text| json(&row(text))).collect())
    }
}

fn is_instruction(message: &Message) -> bool {
    matches!(message.role, Role::System | Role::Developer)
}

fn turn(role: Role, value: &str) -> Turn<'_> {
    let from = match role {
        Role::System | Role::Developer => "System",
        Role::User => "User",
        Role::Assistant => "Assistant",
        Role::Tool => "Tool",
    };
    Turn {
        from,
        value,
        label: None,
    }
}
