//! `reward`: preference pairs with the margin by which the rejected answer violates more.

use serde::Serialize;

use super::pairs::pairs;
use super::row::{Turn, answer, json, turns};
use super::{Format, Item, LeftOut, Texts};

/// Preference pairs with a margin.
#[derive(Debug)]
pub(super) struct Reward(pub(super) Texts);

#[derive(Serialize)]
struct Row<'a> {
    prompt: Vec<Turn<'a>>,
    chosen: [Turn<'a>; 1],
    rejected: [Turn<'a>; 1],
    margin: f64,
}

impl Format for Reward {
    fn rows(&mut self, item: &Item<'_>) -> Result<Vec<Vec<u8>>, LeftOut> {
        let conversation = item.transcript.record.conversation.messages();
        pairs(item.transcript, self.0, |pair| {
            Ok(json(&Row {
                prompt: turns(conversation),
                chosen: answer(pair.chosen.text),
                rejected: answer(pair.rejected.text),
                margin: pair.margin.ok_or(LeftOut::NotComparable)?,
            }))
        })
    }
}
