//! The paper's conversation (Bai et al. 2022, section 3.1): prompt, answer, critique request,
//! critique, revision request, revision; the next round restarts from prompt and revision.

use std::sync::Arc;

use super::Bench;
use crate::constitution::{ExampleVerdict, Principle};
use crate::message::{Message, Role};
use crate::model::{Lead, Messages};
use crate::prompt::{
    CaiCritique, CaiRevision, CritiqueRequest, PromptError, PromptSet, RevisionRequest,
};

/// What is the same in every chat about one principle.
#[derive(Debug)]
pub(super) struct ChatParts {
    requests: Requests,
    /// Examples with their critiques.
    critiqued: Arc<Lead>,
    /// Examples for revisions that no critique comes before.
    direct: Arc<Lead>,
}

impl ChatParts {
    /// The parts for a principle, with at most `few_shot` of its examples.
    pub(super) fn of(
        prompts: &PromptSet,
        principle: &Principle,
        few_shot: usize,
    ) -> Result<Self, PromptError> {
        let requests = Requests::of(prompts, principle)?;
        let lead = |critiqued| {
            let turns = examples(principle, &requests, critiqued, few_shot);
            Arc::new(Lead::from(turns))
        };
        Ok(Self {
            critiqued: lead(true),
            direct: lead(false),
            requests,
        })
    }
}

/// The two requests of one principle as turns.
#[derive(Debug)]
struct Requests {
    critique: String,
    revision: String,
}

impl Requests {
    /// The principle's own requests, or those made from its text.
    fn of(prompts: &PromptSet, principle: &Principle) -> Result<Self, PromptError> {
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
) -> Result<Messages, PromptError> {
    let parts = bench.instructions.chat(bench.prompts, principle)?;
    let examples = match until {
        Until::Critique | Until::Revision { .. } => &parts.critiqued,
        Until::DirectRevision => &parts.direct,
    };
    let mut messages = opening(bench.record.conversation().messages(), examples);
    let own = messages.own_mut();
    own.push(Message::assistant(answer));
    let Requests { critique, revision } = &parts.requests;
    match until {
        Until::Critique => own.push(Message::user(critique)),
        Until::Revision { critique: text } => own.extend([
            Message::user(critique),
            Message::assistant(text),
            Message::user(revision),
        ]),
        Until::DirectRevision => own.push(Message::user(revision)),
    }
    Ok(messages)
}

/// The conversation, with the examples before its turns but after its own instructions: where it
/// has none, the examples are what the chat has in common with others.
fn opening(conversation: &[Message], examples: &Arc<Lead>) -> Messages {
    let leading = conversation
        .iter()
        .take_while(|message| matches!(message.role, Role::System | Role::Developer))
        .count();
    let (instructions, turns) = conversation.split_at(leading);
    if instructions.is_empty() {
        return Messages::after(Arc::clone(examples), turns.to_vec());
    }
    let mut messages = instructions.to_vec();
    messages.extend_from_slice(examples.messages());
    messages.extend_from_slice(turns);
    messages.into()
}

/// Examples are whole chats that came before. A chat that needs a critique takes only examples
/// that have one, and each shows the turns up to what is asked for.
fn examples(
    principle: &Principle,
    requests: &Requests,
    critiqued: bool,
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
            if critiqued {
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
