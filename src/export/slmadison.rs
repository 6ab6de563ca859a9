//! `slmadison`: the samples that lie beside the paper: a whole chain of critiques and revisions.

use serde_json::{Map, Value, json};

use super::row::with_imported;
use super::texts::{Step, final_text, prompt, steps};
use super::{Format, Item, LeftOut, human_assistant, words};
use crate::transcript::{Round, Transcript, Verdict};

/// What transcripts that came in this form are marked with.
const FORM: &str = "slmadison";

/// What stands around a critique request.
pub const CRITIQUE: (&str, &str) = ("\n\nCritiqueRequest: ", "\n\nCritique:");
/// What stands around a revision request.
pub const REVISION: (&str, &str) = ("\n\nRevisionRequest: ", "\n\nRevision:");

/// The samples beside the paper.
#[derive(Debug)]
pub(super) struct Slmadison;

impl Format for Slmadison {
    fn rows(&mut self, item: &Item<'_>) -> Result<Vec<Vec<u8>>, LeftOut> {
        let transcript = item.transcript;
        let messages = prompt(transcript)?;
        final_text(transcript)?;
        let steps = up_to_final(transcript);
        let Some(draft) = transcript.draft.as_ref().filter(|_| !steps.is_empty()) else {
            return Err(LeftOut::NoChange);
        };
        let chain: Vec<Value> = steps.iter().map(|step| link(item, step)).collect();
        let columns = [
            ("rl_prompt", json!(human_assistant::prompt(messages))),
            ("comparison_dataset", json!(transcript.run)),
            ("initial_response", json!([sample(&draft.text)])),
            ("cst", Value::Array(chain)),
        ];
        let named = columns.into_iter();
        let row: Map<String, Value> = named
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        Ok(vec![with_imported(row, item, FORM)])
    }
}

/// The rounds that revised, up to the last one after which the text was the final one: the form
/// takes its last revision for the answer.
pub(super) fn up_to_final(transcript: &Transcript) -> Vec<Step<'_>> {
    let mut steps = steps(transcript);
    let last = transcript
        .final_answer
        .as_ref()
        .map(|last| last.text.as_str());
    let end = steps.iter().rposition(|step| Some(step.revision) == last);
    steps.truncate(end.map_or(0, |end| end + 1));
    steps
}

fn link(item: &Item<'_>, step: &Step<'_>) -> Value {
    let framed = |request: Option<String>, (before, after): (&str, &str)| {
        request.map(|request| format!("{before}{request}{after}"))
    };
    let critique = framed(item.requests.critique(step.round), CRITIQUE);
    let revision = framed(item.requests.revision(step.round), REVISION);
    json!({
        "cst_key": key(step.round),
        "cst_value": {
            "prompt": critique.into_iter().collect::<Vec<_>>(),
            "edit_request": revision.unwrap_or_default(),
        },
        "critique": sample(&words::critique(step.round).unwrap_or_default()),
        "revision": sample(step.revision),
    })
}

/// What the round was about: the principles that it found violated, or else those it asked about.
fn key(round: &Round) -> String {
    let violated: Vec<&str> = round
        .findings
        .iter()
        .filter(|finding| finding.verdict == Verdict::Violates)
        .map(|finding| finding.principle.as_str())
        .collect();
    if violated.is_empty() {
        return round.principles.join(", ");
    }
    violated.join(", ")
}

/// A text as the paper's prompts continue: after one space.
fn sample(text: &str) -> Value {
    json!({ "sample": format!(" {text}") })
}
