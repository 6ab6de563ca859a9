//! `sft`: whole chats, the answer as their last turn.

use serde::Serialize;

use super::row::{Turn, chat, json};
use super::texts::{Texts, answers};
use super::{Format, Item, LeftOut};

/// Whole chats, to fine-tune on.
#[derive(Debug)]
pub(super) struct Sft(pub(super) Texts);

#[derive(Serialize)]
struct Row<'a> {
    messages: Vec<Turn<'a>>,
}

impl Format for Sft {
    fn rows(&mut self, item: &Item<'_>) -> Result<Vec<Vec<u8>>, LeftOut> {
        let answers = answers(item.transcript, self.0)?;
        let conversation = item.transcript.record.conversation.messages();
        let row = |answer| Row {
            messages: chat(conversation, answer),
        };
        Ok(answers.into_iter().map(|text| json(&row(text))).collect())
    }
}
