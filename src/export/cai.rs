//! `cai`: the columns of cai-conversation-harmless: one round, turn by turn, and the pair it makes.

use serde_json::{Map, Value, json};

use super::row::{chat, last_question, with_imported};
use super::texts::{Step, Texts, final_text, prompt, steps};
use super::{Format, Item, LeftOut, words};

/// What transcripts that came in this form are marked with.
const FORM: &str = "cai-conversation-harmless";

/// The columns of cai-conversation-harmless.
#[derive(Debug)]
pub(super) struct Cai(pub(super) Texts);

impl Format for Cai {
    fn rows(&mut self, item: &Item<'_>) -> Result<Vec<Vec<u8>>, LeftOut> {
        prompt(item.transcript)?;
        final_text(item.transcript)?;
        let last = item.transcript.final_answer.as_ref();
        let last = last.map_or(0, |last| last.round);
        let imported = item.transcript.imported.is_some();
        let wanted = |step: &Step<'_>| {
            let round = step.round;
            // What came in with equal texts goes out with them.
            let changes = step.before != step.revision || imported;
            changes && round.kept && (self.0 == Texts::Revisions || round.n == last)
        };
        let steps = steps(item.transcript).into_iter().filter(wanted);
        let rows: Vec<Vec<u8>> = steps
            .map(|step| with_imported(columns(item, &step), item, FORM))
            .collect();
        if rows.is_empty() {
            return Err(LeftOut::NoChange);
        }
        Ok(rows)
    }
}

fn columns(item: &Item<'_>, step: &Step<'_>) -> Map<String, Value> {
    let conversation = item.transcript.record.conversation.messages();
    let question = last_question(conversation);
    let chosen = chat(conversation, step.revision);
    let columns = [
        ("init_prompt", json!(question)),
        ("init_response", json!(step.before)),
        ("critic_prompt", json!(item.requests.critique(step.round))),
        ("critic_response", json!(words::critique(step.round))),
        ("revision_prompt", json!(item.requests.revision(step.round))),
        ("revision_response", json!(step.revision)),
        ("prompt", json!(question)),
        ("messages", json!(chosen)),
        ("chosen", json!(chosen)),
        ("rejected", json!(chat(conversation, step.before))),
    ];
    let named = columns.into_iter();
    named
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
