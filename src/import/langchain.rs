//! What `LangChain`'s constitutional chain gives back with its intermediate steps.

use serde_json::{Map, Value};

use super::trace::{ImportError, Step, Trace, optional, text, text_of, wrong};
use crate::message::Message;

/// The columns that may hold the steps.
pub(super) const STEPS: [&str; 3] = ["critiques_and_revisions", "intermediate_steps", "steps"];
/// Those that may hold the first answer.
pub(super) const FIRST: [&str; 2] = ["initial_output", "initial_response"];
/// Those that may hold the prompt.
const PROMPTS: [&str; 4] = ["input", "question", "query", "prompt"];
/// Those that may hold the final answer.
const LAST: [&str; 2] = ["output", "response"];

/// Reads a row.
pub(super) fn read(row: &Map<String, Value>) -> Result<Trace, ImportError> {
    let prompt = text(row, present(row, &PROMPTS))?;
    let column = present(row, &STEPS);
    let steps = row.get(column).and_then(Value::as_array);
    let steps = steps.ok_or_else(|| wrong(column, "a list"))?;
    let steps = steps.iter().enumerate().map(|(place, found)| {
        step(found).ok_or_else(|| wrong(format!("{column}[{place}]"), "a critique and a revision"))
    });
    Ok(Trace {
        conversation: vec![Message::user(prompt)],
        draft: text(row, present(row, &FIRST))?,
        steps: steps.collect::<Result<_, _>>()?,
        output: optional(row, present(row, &LAST))?,
    })
}

/// The first of these columns that the row has, or else the first of them.
fn present<'a>(row: &Map<String, Value>, columns: &[&'a str]) -> &'a str {
    let found = columns.iter().find(|column| row.contains_key(**column));
    found.unwrap_or(&columns[0])
}

/// A step: an object, or critique and revision as a pair. An empty revision says that none was
/// needed.
fn step(found: &Value) -> Option<Step> {
    let (critique, revision, asked) = match found {
        Value::Array(pair) => (pair.first()?, pair.get(1)?, None),
        _ => (found.get("critique")?, found.get("revision")?, Some(found)),
    };
    let request = |name: &str| asked.and_then(|asked| text_of(asked.get(name)?));
    Some(Step {
        principles: Vec::new(),
        critique_request: request("critique_request"),
        critique: text_of(critique),
        revision_request: request("revision_request"),
        revision: text_of(revision).filter(|revision| !revision.is_empty()),
    })
}
