//! The first verb: draft. The answer that the record has, or one that the drafter writes.

use super::RoundError;
use super::bench::{Ask, Attempt, Bench};
use crate::model::{Completion, Finish, ModelRole, ReplyFormat};
use crate::transcript::{Draft, DraftSource};

/// The record's own answer, or else one from the drafter. `Err` of the inner result says why the
/// drafter's reply is no answer.
///
/// # Errors
///
/// When the drafter gives no reply, or there is none.
pub async fn draft(bench: &Bench<'_>) -> Result<Result<Draft, String>, RoundError> {
    if let Some(answer) = bench.record.answer() {
        return Ok(Ok(Draft {
            text: answer.to_owned(),
            source: DraftSource::Given,
            call: None,
            note: None,
        }));
    }
    let completion = bench
        .ask(Ask {
            role: ModelRole::Drafter,
            messages: bench.record.conversation().messages().to_vec().into(),
            format: ReplyFormat::Text,
            attempt: Attempt::default(),
        })
        .await?;
    Ok(read(completion))
}

/// A refusal is an answer, and so is one that was cut off; nothing at all is not.
fn read(completion: Completion) -> Result<Draft, String> {
    let note = match (&completion.refusal, completion.finish) {
        (Some(_), _) => Some("the model refused".to_owned()),
        (None, Finish::Length) => Some("cut off by the token limit".to_owned()),
        (None, Finish::ContentFilter) => Some("cut off by the provider's filter".to_owned()),
        _ => None,
    };
    let text = completion.refusal.unwrap_or(completion.text);
    if text.trim().is_empty() {
        return Err(match completion.finish {
            Finish::Length => {
                "the draft is empty: its token limit was spent before the answer began"
            }
            Finish::ContentFilter => "the draft is empty: the provider's filter withheld it",
            _ => "the draft is empty",
        }
        .to_owned());
    }
    Ok(Draft {
        text,
        source: DraftSource::Model,
        call: completion.call,
        note,
    })
}
