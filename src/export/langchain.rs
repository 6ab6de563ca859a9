//! `langchain`: what `LangChain`'s constitutional chain gives back with its intermediate steps.

use serde_json::{Map, Value, json};

use super::row::{last_question, with_imported};
use super::slmadison::up_to_final;
use super::texts::{Step, final_text, prompt};
use super::{Format, Item, LeftOut, words};

/// What transcripts that came in this form are marked with.
const FORM: &str = "langchain";

/// Critiques and revisions as `LangChain` gives them back.
#[derive(Debug)]
pub(super) struct LangChain;

impl Format for LangChain {
    fn rows(&mut self, item: &Item<'_>) -> Result<Vec<Vec<u8>>, LeftOut> {
        let transcript = item.transcript;
        let messages = prompt(transcript)?;
        let output = final_text(transcript)?;
        let Some(draft) = &transcript.draft else {
            return Err(LeftOut::NoAnswer);
        };
        let steps: Vec<Value> = up_to_final(transcript)
            .iter()
            .map(|step| link(item, step))
            .collect();
        let columns = [
            ("input", json!(last_question(messages))),
            ("initial_output", json!(draft.text)),
            ("critiques_and_revisions", Value::Array(steps)),
            ("output", json!(output)),
        ];
        let named = columns.into_iter();
        let row: Map<String, Value> = named
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        Ok(vec![with_imported(row, item, FORM)])
    }
}

fn link(item: &Item<'_>, step: &Step<'_>) -> Value {
    json!({
        "critique_request": item.requests.critique(step.round),
        "critique": words::critique(step.round),
        "revision_request": item.requests.revision(step.round),
        "revision": step.revision,
    })
}
