//! The texts in the chunks of a chat completion that somebody else streams.

use std::borrow::Cow;

use serde::Deserialize;

use crate::gateway::gathered::{Gathered, Slot};
use crate::gateway::part::PartKind;

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow, default)]
    choices: Vec<Choice<'a>>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(default)]
    index: usize,
    #[serde(borrow, default)]
    delta: Option<Delta<'a>>,
    #[serde(borrow, default)]
    finish_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow, default)]
    content: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    refusal: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    reasoning_content: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    reasoning: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    tool_calls: Option<Vec<Call<'a>>>,
    #[serde(borrow, default)]
    function_call: Option<Function<'a>>,
}

#[derive(Deserialize)]
struct Call<'a> {
    #[serde(default)]
    index: usize,
    #[serde(borrow, default)]
    function: Option<Function<'a>>,
    #[serde(borrow, default)]
    custom: Option<Function<'a>>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(borrow, default, alias = "input")]
    arguments: Option<Cow<'a, str>>,
}

/// Takes the texts of one chunk; false when it is none.
pub(super) fn take(data: &str, gathered: &mut Gathered) -> bool {
    let Ok(chunk) = serde_json::from_str::<Chunk<'_>>(data) else {
        return false;
    };
    for choice in chunk.choices {
        let mut add = |kind, number, text: Option<Cow<'_, str>>| {
            let slot = Slot {
                choice: choice.index,
                kind,
                number,
            };
            gathered.add(slot, text.as_deref().unwrap_or_default());
        };
        if let Some(delta) = choice.delta {
            add(PartKind::Reasoning, 0, delta.reasoning_content);
            add(PartKind::Reasoning, 1, delta.reasoning);
            add(PartKind::Content, 0, delta.content);
            add(PartKind::Refusal, 0, delta.refusal);
            for call in delta.tool_calls.unwrap_or_default() {
                let function = call.function.or(call.custom);
                add(
                    PartKind::Arguments,
                    call.index,
                    function.and_then(|function| function.arguments),
                );
            }
            add(
                PartKind::Arguments,
                0,
                delta.function_call.and_then(|function| function.arguments),
            );
        }
        if choice.finish_reason.is_some() {
            gathered.ends(choice.index);
        }
    }
    true
}
