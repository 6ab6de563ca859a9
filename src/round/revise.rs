//! The third verb: revise. A full new answer, in reply to findings or to a critique in free text.

use serde::Serialize;

use super::RoundError;
use super::bench::{Ask, Attempt, Bench};
use super::chat::{Until, chat};
use crate::constitution::Principle;
use crate::constitution::{Constitution, Severity};
use crate::digest::Digest;
use crate::message::{Conversation, Message};
use crate::model::{Completion, Finish, Messages, ModelRole, ReplyFormat};
use crate::prompt::{Nonce, ReviseUser, data};
use crate::transcript::{Finding, Verdict};

/// What came of asking for a revision.
#[derive(Clone, Debug)]
pub struct Revised {
    /// The new answer, or why the reviser's reply is none.
    pub text: Result<String, String>,
    /// The journalled calls that made it.
    pub calls: Vec<Digest>,
}

#[derive(Serialize)]
struct Material<'a> {
    conversation: &'a Conversation,
    answer: &'a str,
    findings: Vec<ToMend<'a>>,
}

/// A finding as the author sees it: never with scores, nor with the critic's prompt.
#[derive(Serialize)]
struct ToMend<'a> {
    rule: &'a str,
    severity: Severity,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    quotes: &'a [String],
    problem: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<&'a str>,
}

impl<'a> ToMend<'a> {
    fn of(finding: &'a Finding, constitution: &'a Constitution) -> Option<Self> {
        if finding.verdict != Verdict::Violates {
            return None;
        }
        let principle = constitution.principle(&finding.principle)?;
        Some(Self {
            rule: principle.text.trim(),
            severity: finding.severity.unwrap_or(principle.severity),
            quotes: &finding.evidence,
            problem: &finding.explanation,
            fix: finding.fix.as_deref().or(principle.revision.as_deref()),
        })
    }
}

/// Asks for an answer that mends every violation among the findings.
///
/// # Errors
///
/// When the reviser gives no reply.
pub async fn revise(
    bench: &Bench<'_>,
    constitution: &Constitution,
    answer: &str,
    findings: &[Finding],
) -> Result<Revised, RoundError> {
    let material = data(&Material {
        conversation: bench.record.conversation(),
        answer,
        findings: findings
            .iter()
            .filter_map(|finding| ToMend::of(finding, constitution))
            .collect(),
    });
    let user = bench.prompts.render(&ReviseUser {
        nonce: Nonce::of(&material),
        material: &material,
    })?;
    ask_for_whole_text(
        bench,
        Messages::after(bench.instructions.revise(), vec![Message::user(user)]),
    )
    .await
}

/// Asks for a revision in the paper's chat; without a critique, directly.
///
/// # Errors
///
/// When the reviser gives no reply.
pub async fn revise_in_chat(
    bench: &Bench<'_>,
    principle: &Principle,
    answer: &str,
    critique: Option<&str>,
) -> Result<Revised, RoundError> {
    let until = critique.map_or(Until::DirectRevision, |critique| Until::Revision {
        critique,
    });
    ask_for_whole_text(bench, chat(bench, principle, answer, until)?).await
}

/// A reply that was cut off is asked for again with more room.
async fn ask_for_whole_text(bench: &Bench<'_>, messages: Messages) -> Result<Revised, RoundError> {
    let mut calls = Vec::new();
    let mut attempt = Attempt::default();
    loop {
        let completion = bench
            .ask(Ask {
                role: ModelRole::Reviser,
                messages: messages.clone(),
                format: ReplyFormat::Text,
                attempt,
            })
            .await?;
        calls.extend(completion.call);
        let cut_off = completion.finish == Finish::Length;
        if !cut_off || attempt.number >= bench.options.contract_retries {
            return Ok(Revised {
                text: read(completion),
                calls,
            });
        }
        attempt = attempt.next(cut_off);
    }
}

fn read(completion: Completion) -> Result<String, String> {
    if let Some(refusal) = completion.refusal {
        return Err(format!("the reviser refused: {refusal}"));
    }
    match completion.finish {
        Finish::Length => Err("the revision was cut off by the token limit".to_owned()),
        Finish::ContentFilter => Err("the provider's filter withheld the revision".to_owned()),
        _ if completion.text.trim().is_empty() => Err("the revision was empty".to_owned()),
        _ => Ok(completion.text.trim().to_owned()),
    }
}
