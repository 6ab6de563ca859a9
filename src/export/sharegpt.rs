//! `sharegpt`: conversations of `from` and `value`.

use serde::Serialize;

use super::row::json;
use super::texts::{Texts, answers};
use super::{Format, Item, LeftOut};
use crate::message::Role;

/// `ShareGPT` conversations.
#[derive(Debug)]
pub(super) struct ShareGpt(pub(super) Texts);

#[derive(Serialize)]
struct Row<'a> {
    conversations: Vec<Turn<'a>>,
}

#[derive(Serialize)]
struct Turn<'a> {
    from: &'static str,
    value: &'a str,
}

impl Format for ShareGpt {
    fn rows(&mut self, item: &Item<'_>) -> Result<Vec<Vec<u8>>, LeftOut> {
        let answers = answers(item.transcript, self.0)?;
        let conversation = item.transcript.record.conversation.messages();
        let row = |answer| {
            let mut conversations: Vec<Turn<'_>> = conversation
                .iter()
                .map(|message| Turn {
                    from: speaker(message.role),
                    value: &message.content,
                })
                .collect();
            conversations.push(Turn {
                from: speaker(Role::Assistant),
                value: answer,
            });
            Row { conversations }
        };
        Ok(answers.into_iter().map(|text| json(&row(text))).collect())
    }
}

fn speaker(role: Role) -> &'static str {
    match role {
        Role::System | Role::Developer => "system",
        Role::User => "human",
        Role::Assistant => "gpt",
        Role::Tool => "tool",
    }
}
