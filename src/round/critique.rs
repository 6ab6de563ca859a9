//! The second verb: critique. Checks first; then the critic, about what they leave open.

use std::sync::Arc;

use futures::future::try_join_all;
use serde::Serialize;

use super::RoundError;
use super::bench::{Ask, Attempt, Bench};
use super::chat::{Until, chat};
use super::checks::judge_by_checks;
use super::contract::{Reading, read};
use crate::constitution::Principle;
use crate::digest::Digest;
use crate::message::{Conversation, Message};
use crate::model::{Finish, Messages, ModelRole, ReplyFormat};
use crate::prompt::{CritiqueUser, Nonce, data};
use crate::transcript::{Assessor, Finding, Verdict};

/// What was found in one answer.
#[derive(Clone, Debug, Default)]
pub struct Critique {
    /// One finding per principle asked, in their order.
    pub findings: Vec<Finding>,
    /// The critique in free text.
    pub text: Option<String>,
    /// The journalled calls that made it.
    pub calls: Vec<Digest>,
    /// What was wrong with the critic's replies, where they were asked for again.
    pub faults: Vec<String>,
}

/// Judges an answer by each principle: one finding each, in their order.
///
/// # Errors
///
/// When the critic gives no reply. A reply that breaks the contract to the last is no error: its
/// principles get the verdict [`Verdict::Error`].
pub async fn critique(
    bench: &Bench<'_>,
    principles: &[&Principle],
    answer: &str,
) -> Result<Critique, RoundError> {
    let mut whole = Critique {
        findings: judge_by_checks(principles, answer),
        ..Critique::default()
    };
    let open: Vec<&Principle> = principles
        .iter()
        .copied()
        .filter(|principle| {
            !whole
                .findings
                .iter()
                .any(|finding| finding.principle == principle.id)
        })
        .collect();
    let chunks = open.chunks(bench.options.principles_per_call.max(1));
    for part in try_join_all(chunks.map(|chunk| assess(bench, chunk, answer))).await? {
        whole.findings.extend(part.findings);
        whole.calls.extend(part.calls);
        whole.faults.extend(part.faults);
    }
    let place = |finding: &Finding| {
        principles
            .iter()
            .position(|principle| principle.id == finding.principle)
    };
    whole.findings.sort_by_key(place);
    Ok(whole)
}

#[derive(Serialize)]
struct Material<'a> {
    conversation: &'a Conversation,
    answer: &'a str,
}

/// Asks the critic about one chunk of principles, and again about what its reply leaves open.
async fn assess(
    bench: &Bench<'_>,
    chunk: &[&Principle],
    answer: &str,
) -> Result<Critique, RoundError> {
    let lead = bench.instructions.critique(bench.prompts, chunk)?;
    let material = data(&Material {
        conversation: bench.record.conversation(),
        answer,
    });
    let mut part = Critique::default();
    let mut open = chunk.to_vec();
    let mut faults: Vec<String> = Vec::new();
    let mut attempt = Attempt::default();
    while !open.is_empty() && attempt.number <= bench.options.contract_retries {
        let user = bench.prompts.render(&CritiqueUser {
            nonce: Nonce::of(&material),
            material: &material,
            principles: open.iter().map(|principle| principle.id.as_str()).collect(),
            faults: &faults,
        })?;
        let completion = bench
            .ask(Ask {
                role: ModelRole::Critic,
                messages: Messages::after(Arc::clone(&lead), vec![Message::user(user)]),
                format: ReplyFormat::Structured(bench.instructions.schema(&open)),
                attempt,
            })
            .await?;
        part.calls.extend(completion.call);
        let Reading {
            findings,
            faults: found,
            cut_off,
        } = read(&completion, &open, answer);
        open.retain(|principle| {
            !findings
                .iter()
                .any(|finding| finding.principle == principle.id)
        });
        part.findings.extend(findings);
        part.faults.extend_from_slice(&found);
        faults = found;
        attempt = attempt.next(cut_off);
    }
    let why = faults.join(" ");
    part.findings.extend(
        open.into_iter()
            .map(|principle| unassessed(principle, &why)),
    );
    Ok(part)
}

fn unassessed(principle: &Principle, why: &str) -> Finding {
    Finding {
        principle: principle.id.clone(),
        verdict: Verdict::Error,
        evidence: Vec::new(),
        explanation: format!("The critic's reply could not be used. {why}"),
        severity: None,
        fix: None,
        by: Assessor::Model,
    }
}

/// Asks for a critique in free text, as the paper does. `None` in its text says that the critic
/// gave nothing to go on.
///
/// # Errors
///
/// When the critic gives no reply.
pub async fn critique_in_chat(
    bench: &Bench<'_>,
    principle: &Principle,
    answer: &str,
) -> Result<Critique, RoundError> {
    let completion = bench
        .ask(Ask {
            role: ModelRole::Critic,
            messages: chat(bench, principle, answer, Until::Critique)?,
            format: ReplyFormat::Text,
            attempt: Attempt::default(),
        })
        .await?;
    let text = completion.refusal.unwrap_or(completion.text);
    let mut faults = Vec::new();
    if completion.finish == Finish::Length {
        faults.push("The critique was cut off by the token limit.".to_owned());
    }
    Ok(Critique {
        text: Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        calls: completion.call.into_iter().collect(),
        faults,
        ..Critique::default()
    })
}
