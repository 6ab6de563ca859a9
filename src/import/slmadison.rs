//! The samples that lie beside the paper: a prompt, a first answer, and a chain of revisions.

use serde_json::{Map, Value};

use super::trace::{ImportError, Step, Trace, text, wrong};
use crate::dataset::transcript_turns;
use crate::export::{CRITIQUE_FRAME, REVISION_FRAME};
use crate::message::{Message, Role};

/// Reads a row.
pub(super) fn read(row: &Map<String, Value>) -> Result<Trace, ImportError> {
    let first = sample(row.get("initial_response").and_then(|list| list.get(0)));
    let chain = row.get("cst").and_then(Value::as_array);
    let chain = chain.ok_or_else(|| wrong("cst", "a list"))?;
    let steps = chain.iter().enumerate().map(|(place, link)| {
        step(link).ok_or_else(|| wrong(format!("cst[{place}]"), "a critique and a revision"))
    });
    Ok(Trace {
        conversation: conversation(&text(row, "rl_prompt")?)?,
        draft: first.ok_or_else(|| wrong("initial_response", "a list with a sample"))?,
        steps: steps.collect::<Result<_, _>>()?,
        output: None,
    })
}

/// The turns up to the mark after which the answer follows; what stands before them are instructions.
fn conversation(prompt: &str) -> Result<Vec<Message>, ImportError> {
    let (lead, mut turns) = transcript_turns(prompt);
    let is_open = |turn: &Message| turn.role == Role::Assistant && turn.content.is_empty();
    if turns.last().is_some_and(is_open) {
        turns.pop();
    }
    if !turns.iter().any(|turn| turn.role == Role::User) {
        return Err(ImportError::NoPrompt {
            column: "rl_prompt",
        });
    }
    let lead = lead.trim();
    let lead = lead.strip_prefix("System: ").unwrap_or(lead);
    if !lead.is_empty() {
        turns.insert(0, Message::system(lead));
    }
    Ok(turns)
}

fn step(link: &Value) -> Option<Step> {
    let key = link.get("cst_key").and_then(Value::as_str);
    let asked = link.get("cst_value");
    let critique_request = asked.and_then(|asked| asked.get("prompt")?.get(0)?.as_str());
    let revision_request = asked.and_then(|asked| asked.get("edit_request")?.as_str());
    let critique = sample(link.get("critique"))?;
    Some(Step {
        principles: key.map(str::to_owned).into_iter().collect(),
        critique_request: critique_request.and_then(|text| bare(text, CRITIQUE_FRAME)),
        critique: Some(critique).filter(|critique| !critique.is_empty()),
        revision_request: revision_request.and_then(|text| bare(text, REVISION_FRAME)),
        revision: Some(sample(link.get("revision"))?),
    })
}

/// A request without what stands around it.
fn bare(request: &str, (before, after): (&str, &str)) -> Option<String> {
    let inner = request.strip_prefix(before);
    let inner = inner.and_then(|rest| rest.strip_suffix(after));
    let text = inner.unwrap_or(request);
    (!text.is_empty()).then(|| text.to_owned())
}

/// A sample without the one space that follows the mark before it.
fn sample(value: Option<&Value>) -> Option<String> {
    let text = value?.get("sample")?.as_str()?;
    Some(text.strip_prefix(' ').unwrap_or(text).to_owned())
}
