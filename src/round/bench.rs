//! What the three verbs share: the record, who plays which role, prompts and counts.

use tokio::time::Instant;
use tracing::Instrument as _;

use super::span::{call_span, note_end};
use super::{Called, Cast, Instructions, Ledger, RoundError};
use crate::model::{ChatRequest, Completion, Messages, ModelRole, Origin, ReplyFormat, Sampling};
use crate::prompt::PromptSet;
use crate::record::Record;

/// So far apart are the numbers of two samples; no reply is asked for that often.
const ATTEMPTS_PER_SAMPLE: u32 = 1000;

/// How a round works, where its recipe leaves a choice.
#[derive(Clone, Copy, Debug)]
pub struct RoundOptions {
    /// The most principles that one call asks about.
    pub principles_per_call: usize,
    /// How often a reply that breaks the critique contract, or is cut off, is asked for again.
    pub contract_retries: u32,
}

/// Where one record is worked on.
#[derive(Debug)]
pub struct Bench<'a> {
    /// The record.
    pub record: &'a Record,
    /// Who plays which role.
    pub cast: &'a Cast,
    /// The templates.
    pub prompts: &'a PromptSet,
    /// What is constant over the run.
    pub instructions: &'a Instructions,
    /// How the round works.
    pub options: RoundOptions,
    /// What the record's calls used.
    pub ledger: &'a Ledger,
}

/// A call on its way: what varies from one attempt to the next.
pub(super) struct Ask {
    pub(super) role: ModelRole,
    pub(super) messages: Messages,
    pub(super) format: ReplyFormat,
    pub(super) attempt: Attempt,
}

/// Which attempt at a reply this is; later ones may have more room.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Attempt {
    pub(super) number: u32,
    doublings: u32,
}

impl Attempt {
    /// The next attempt, with twice the room if the last reply was cut off.
    pub(super) fn next(self, cut_off: bool) -> Self {
        Self {
            number: self.number + 1,
            doublings: self.doublings + u32::from(cut_off),
        }
    }

    fn sampling(self, base: &Sampling) -> Sampling {
        let factor = 1_u32.checked_shl(self.doublings).unwrap_or(u32::MAX);
        Sampling {
            max_tokens: base.max_tokens.map(|limit| limit.saturating_mul(factor)),
            ..base.clone()
        }
    }
}

/// Samples of one record and attempts at one reply are told apart by one number: that of the first
/// sample is the attempt's alone.
fn sample_number(sample: u32, attempt: Attempt) -> u32 {
    sample
        .saturating_sub(1)
        .saturating_mul(ATTEMPTS_PER_SAMPLE)
        .saturating_add(attempt.number)
}

/// The sample, from 1, that a request is for which asks for the reply of that number.
#[must_use]
pub fn sample_of_request(number: u32) -> u32 {
    number / ATTEMPTS_PER_SAMPLE + 1
}

impl Bench<'_> {
    /// Asks whoever has the role, and counts what it used.
    pub(super) async fn ask(&self, ask: Ask) -> Result<Completion, RoundError> {
        let role = ask.role;
        let assigned = self.cast.get(role).ok_or(RoundError::Missing { role })?;
        let request = ChatRequest {
            sampling: ask.attempt.sampling(&assigned.sampling),
            format: ask.format,
            sample: sample_number(self.record.sample(), ask.attempt),
            top_logprobs: None,
            messages: ask.messages,
            origin: Origin {
                home: self.record.content_digest().number(),
                place: self.record.place(),
            },
        };
        let span = call_span(role, assigned.model.name(), &request);
        let began = Instant::now();
        let outcome = assigned
            .model
            .complete(&request)
            .instrument(span.clone())
            .await;
        note_end(&span, &request, &outcome);
        self.ledger.note(Called {
            again: ask.attempt.number > 0,
            ..Called::of(role, assigned, &outcome, began)
        });
        let completion = outcome.map_err(|source| RoundError::Model { role, source })?;
        self.ledger.add(role, &completion, assigned.price);
        if ask.attempt.number > 0 {
            self.ledger.count_asked_again(role);
        }
        Ok(completion)
    }
}
