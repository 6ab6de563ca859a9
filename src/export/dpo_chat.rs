//! `dpo-chat`: preference pairs as the alignment handbook reads them: whole chats in `chosen` and
//! `rejected`, and the prompt once more as a text.

use serde::Serialize;

use super::pairs::pairs;
use super::row::{Turn, chat, json, last_question};
use super::{Format, Item, LeftOut, Texts};

/// Preference pairs of whole chats.
#[derive(Debug)]
pub(super) struct DpoChat(pub(super) Texts);

#[derive(Serialize)]
struct Row<'a> {
    prompt: &'a str,
    chosen: Vec<Turn<'a>>,
    rejected: Vec<Turn<'a>>,
}

impl Format for DpoChat {
    fn rows(&mut self, item: &Item<'_>) -> Result<Vec<Vec<u8>>, LeftOut> {
        let conversation = item.transcript.record.conversation.messages();
        pairs(item.transcript, self.0, |pair| {
            Ok(json(&Row {
                prompt: last_question(conversation),
                chosen: chat(conversation, pair.chosen.text),
                rejected: chat(conversation, pair.rejected.text),
            }))
        })
    }
}
