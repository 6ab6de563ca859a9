//! `prompt-completion`: the conversation, and apart from it the answer.

use serde::Serialize;

use super::row::{Turn, answer, json, turns};
use super::texts::{Texts, answers};
use super::{Format, Item, LeftOut};

/// Prompt and answer apart.
#[derive(Debug)]
pub(super) struct PromptCompletion(pub(super) Texts);

#[derive(Serialize)]
struct Row<'a> {
    prompt: Vec<Turn<'a>>,
    completion: [Turn<'a>; 1],
}

impl Format for PromptCompletion {
    fn rows(&mut self, item: &Item<'_>) -> Result<Vec<Vec<u8>>, LeftOut> {
        let answers = answers(item.transcript, self.0)?;
        let conversation = item.transcript.record.conversation.messages();
        let row = |text| Row {
            prompt: turns(conversation),
            completion: answer(text),
        };
        Ok(answers.into_iter().map(|text| json(&row(text))).collect())
    }
}
