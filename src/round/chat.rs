//! The paper's conversation (Bai et al. 2022, section 3.1): prompt, answer, critique request,
//! critique, revision request, revision; the next round restarts from prompt and revision.

use super::Bench;
use crate::constitution::{ExampleVerdict, Principle};
use crate::message::{Message, Role};
use crate::prompt::{
    CaiCritique, CaiRevision, CritiqueRequest, PromptError, PromptSet, RevisionRequest,
};

/// The two requests of one principle as turns.
pub(super) struct Requests {
    pub(super) critique: String,
    pub(super) revision: String,
}

impl Requests {
    /// The principle's own requests, or those made from its text.
    pub(super) fn of(prompts: &PromptSet, principle: &Principle) -> Result<Self, PromptError> {
        let text = principle.text.trim();
        let critique = match &principle.critique {
            Some(own) => own.clone(),
            None => prompts.render(&CritiqueRequest { text })?,
        };
        let revision = match &principle.revision {
            Some(own) => own.clone(),
            None => prompts.render(&RevisionRequest { text })?,
        };
        Ok(Self {
            critique: prompts.render(&CaiCritique {
                request: critique.trim(),
            })?,
            revision: prompts.render(&CaiRevision {
                request: revision.trim(),
            })?,
        })
    }
}

/// Where a chat stops.
#[derive(Clone, Copy)]
pub(super) enum Until<'a> {
    /// At the critique request.
    Critique,
    /// At the revision request, after this critique.
    Revision { critique: &'a str },
    /// At the revision request, right after the answer (the paper's section 3.5).
    DirectRevision,
}

/// The chat about one principle: the record's own instructions, the principle's examples as
/// earlier turns, the record's conversation, the answer, and the requests up to `until`.
pub(super) fn chat(
    bench: &Bench<'_>,
    principle: &Principle,
    answer: &str,
    until: Until<'_>,
) -> Result<Vec<Message>, PromptError> {
    let requests = Requests::of(bench.prompts, principle)?;
    let conversation = bench.record.conversation().messages();
    let leading = conversation
        .iter()
        .take_while(|message| matches!(message.role, Role::System | Role::Developer))
        .count();
    let (instructions, turns) = conversation.split_at(leading);
    let mut messages = instructions.to_vec();
    messages.extend(examples(
        principle,
        &requests,
        until,
        bench.instructions.few_shot(),
    ));
    messages.extend_from_slice(turns);
    messages.push(Message::assistant(answer));
    match until {
        Until::Critique => messages.push(Message::user(requests.critique)),
        Until::Revision { critique } => messages.extend([
            Message::user(requests.critique),
            Message::assistant(critique),
            Message::user(requests.revision),
        ]),
        Until::DirectRevision => messages.push(Message::user(requests.revision)),
    }
    Ok(messages)
}

/// Examples are whole chats that came before. A chat that needs a critique takes only examples
/// that have one, and each shows the turns up to what is asked for.
fn examples(
    principle: &Principle,
    requests: &Requests,
    until: Until<'_>,
    few_shot: usize,
) -> Vec<Message> {
    principle
        .examples
        .iter()
        .filter(|example| example.verdict == ExampleVerdict::Violates)
        .filter_map(|example| {
            let revision = example.revision.as_deref()?;
            let mut turns = vec![
                Message::user(&example.prompt),
                Message::assistant(&example.answer),
            ];
            if !matches!(until, Until::DirectRevision) {
                turns.push(Message::user(&requests.critique));
                turns.push(Message::assistant(example.critique.as_deref()?));
            }
            turns.push(Message::user(&requests.revision));
            turns.push(Message::assistant(revision));
            Some(turns)
        })
        .take(few_shot)
        .flatten()
        .collect()
}
