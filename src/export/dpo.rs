//! `dpo`: preference pairs as TRL reads them with an explicit prompt: the conversation apart, and in
//! `chosen` and `rejected` the answer's turn alone.

use serde::Serialize;

use super::pairs::pairs;
use super::row::{Turn, answer, json, turns};
use super::{Format, Item, LeftOut, Texts};

/// Preference pairs; the prompt stands apart.
#[derive(Debug)]
pub(super) struct Dpo(pub(super) Texts);

#[derive(Serialize)]
struct Row<'a> {
    prompt: Vec<Turn<'a>>,
    chosen: [Turn<'a>; 1],
    rejected: [Turn<'a>; 1],
}

impl Format for Dpo {
    fn rows(&mut self, item: &Item<'_>) -> Result<Vec<Vec<u8>>, LeftOut> {
        let conversation = item.transcript.record.conversation.messages();
        pairs(item.transcript, self.0, |pair| {
            Ok(json(&Row {
                prompt: turns(conversation),
                chosen: answer(pair.chosen.text),
                rejected: answer(pair.rejected.text),
            }))
        })
    }
}
