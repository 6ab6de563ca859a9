//! Replay: a stored record goes through a pipeline again whose network is closed, and what it would
//! ask is compared with what its transcript asked.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use super::request_changes::{RequestChange, request_changes};
use crate::digest::Digest;
use crate::model::ModelRole;
use crate::model::closed::{Closed, Missed};
use crate::model::journal::{Journal, JournalError};
use crate::pipeline::{Pipeline, PipelineError, PipelineEvent};
use crate::record::Record;
use crate::round::{RoundError, sample_of_request};
use crate::transcript::Transcript;

/// A record could not be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The pipeline failed by itself.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A request in the journal is no JSON.
    #[error("the journalled request {key} is damaged")]
    Damaged {
        /// Its key.
        key: Digest,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

/// What came of a replay.
#[derive(Clone, Debug, Serialize)]
pub struct Replay {
    /// How many calls the journal answered before one was missed.
    pub served: usize,
    /// The first call that the journal has no reply to; absent where it answered all.
    pub missed: Option<Miss>,
    /// The transcript that came of it, where nothing was missed.
    #[serde(skip)]
    pub transcript: Option<Transcript>,
}

/// A call that would have to be made.
#[derive(Clone, Debug, Serialize)]
pub struct Miss {
    /// The model that would be asked.
    pub model: String,
    /// The role it would be asked in.
    pub role: ModelRole,
    /// The round, from 1; absent for the draft.
    pub round: Option<u32>,
    /// The key that its reply would be kept under.
    pub key: Digest,
    /// What it was compared with.
    pub compared: Compared,
    /// The transcript's call that it was compared with, if there is one.
    pub call: Option<Digest>,
    /// Which parts differ.
    pub changes: Vec<RequestChange>,
}

/// What a missed call could be compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Compared {
    /// With the transcript's call, which the journal has.
    Stored,
    /// With nothing: the journal no longer has the transcript's call.
    Gone,
    /// With nothing: the transcript has no further call at this place.
    New,
}

/// A call of a transcript and its place there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    /// The key that its reply is kept under.
    pub key: Digest,
    /// The role that the model was asked in.
    pub role: ModelRole,
    /// The round, from 1; absent for the draft.
    pub round: Option<u32>,
}

/// The calls that a transcript names.
#[must_use]
pub fn call_keys(transcript: &Transcript) -> BTreeSet<Digest> {
    calls(transcript).into_iter().map(|call| call.key).collect()
}

/// The record that a transcript is of, as it went into the pipeline.
///
/// # Errors
///
/// When the journal cannot be read.
pub async fn recorded(
    transcript: &Transcript,
    journal: &dyn Journal,
) -> Result<Record, ReplayError> {
    let entry = &transcript.record;
    let mut record = Record::build(
        Some(entry.id.clone()),
        entry.conversation.clone(),
        entry.answer.clone(),
        entry.tags.clone(),
    );
    if let Some(extra) = &entry.extra {
        record = record.with_extra(extra.clone());
    }
    let Some((base, sample)) = sample_in(entry.id.as_str()) else {
        return Ok(record);
    };
    // An id may look like a sample's without being one: the calls tell.
    for call in calls(transcript) {
        if let Some(kept) = journal.call(call.key).await? {
            let request = parsed(call.key, &kept.request)?;
            let number = request["sample"].as_u64().and_then(|n| n.try_into().ok());
            if number.map(sample_of_request) != Some(sample) {
                return Ok(record);
            }
            break;
        }
    }
    Ok(record.with_id(base).as_sample(sample))
}

/// The parts of an id such as `a#2`.
fn sample_in(id: &str) -> Option<(&str, u32)> {
    let (base, number) = id.rsplit_once('#')?;
    let sample: u32 = number.parse().ok()?;
    (sample > 1 && sample.to_string() == number).then_some((base, sample))
}

/// Takes a record through a pipeline on a closed network, and says what the first call that the
/// journal has no reply to has different from the transcript's.
///
/// # Errors
///
/// When the pipeline fails for another reason, or the journal cannot be read.
pub async fn replay(
    record: &Record,
    transcript: &Transcript,
    pipeline: &Pipeline,
    closed: &Closed,
) -> Result<Replay, ReplayError> {
    let critiqued = AtomicU32::new(0);
    let watch = |event: &PipelineEvent<'_>| {
        if let PipelineEvent::Critiqued { round, .. } = event {
            critiqued.store(*round, Ordering::Relaxed);
        }
    };
    let ended = pipeline.revise_observed(record, &watch).await;
    let served = closed.served();
    let mut made = None;
    let role = match ended {
        Ok(transcript) => {
            made = Some(transcript);
            None
        }
        Err(PipelineError::Stopped(RoundError::Model { role, .. }))
            if closed.missed().is_some() =>
        {
            Some(role)
        }
        Err(error) => return Err(error.into()),
    };
    let missed = match role.zip(closed.missed()) {
        Some((role, missed)) => {
            let round = round_of(role, critiqued.into_inner());
            let call = next_call(transcript, &served, role, round);
            Some(miss(missed, role, round, call, transcript, closed).await?)
        }
        None => None,
    };
    Ok(Replay {
        served: served.len(),
        missed,
        transcript: made,
    })
}

/// The round that a call belongs to after so many critiques.
fn round_of(role: ModelRole, critiqued: u32) -> Option<u32> {
    match role {
        ModelRole::Drafter => None,
        ModelRole::Critic => Some(critiqued + 1),
        ModelRole::Reviser | ModelRole::Judge => Some(critiqued),
    }
}

/// The transcript's calls in the order in which they were made.
pub(super) fn calls(transcript: &Transcript) -> Vec<Call> {
    let draft = transcript.draft.iter().filter_map(|draft| draft.call);
    let mut calls: Vec<Call> = draft
        .map(|key| Call {
            key,
            role: ModelRole::Drafter,
            round: None,
        })
        .collect();
    for round in &transcript.rounds {
        let revised = round.revision.iter().flat_map(|revision| &revision.calls);
        let critic = round
            .critique_calls
            .iter()
            .map(|key| (key, ModelRole::Critic));
        let all = critic.chain(revised.map(|key| (key, ModelRole::Reviser)));
        calls.extend(all.map(|(key, role)| Call {
            key: *key,
            role,
            round: Some(round.n),
        }));
    }
    calls
}

/// The transcript's first call of that place that was not served.
fn next_call(
    transcript: &Transcript,
    served: &[Digest],
    role: ModelRole,
    round: Option<u32>,
) -> Option<Digest> {
    let mut served = served.to_vec();
    for call in calls(transcript) {
        // A record may ask the same twice, so that each reply stands for one call.
        match served.iter().position(|key| *key == call.key) {
            Some(place) => {
                served.remove(place);
            }
            None if (call.role, call.round) == (role, round) => return Some(call.key),
            None => {}
        }
    }
    None
}

async fn miss(
    missed: Missed,
    role: ModelRole,
    round: Option<u32>,
    call: Option<Digest>,
    transcript: &Transcript,
    closed: &Closed,
) -> Result<Miss, ReplayError> {
    let stored = match call {
        Some(key) => closed.call(key).await?,
        None => None,
    };
    let (compared, changes) = match (&stored, call) {
        (Some(stored), _) => {
            let before = parsed(stored.key, &stored.request)?;
            let after = parsed(missed.key, &missed.request)?;
            let critiqued = transcript
                .rounds
                .iter()
                .any(|known| Some(known.n) == round && known.critique.is_some());
            (
                Compared::Stored,
                request_changes(&before, &after, role, critiqued),
            )
        }
        (None, Some(_)) => (Compared::Gone, Vec::new()),
        (None, None) => (Compared::New, Vec::new()),
    };
    Ok(Miss {
        model: missed.model,
        key: missed.key,
        role,
        round,
        compared,
        call,
        changes,
    })
}

fn parsed(key: Digest, request: &Bytes) -> Result<Value, ReplayError> {
    serde_json::from_slice(request).map_err(|source| ReplayError::Damaged { key, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_seen_in_their_ids() {
        assert_eq!(sample_in("a#2"), Some(("a", 2)));
        assert_eq!(sample_in("a#b#13"), Some(("a#b", 13)));
        for id in ["a", "a#", "a#1", "a#02", "a#+2", "a#x"] {
            assert_eq!(sample_in(id), None, "{id}");
        }
    }

    #[test]
    fn calls_belong_to_the_round_that_they_are_made_in() {
        assert_eq!(round_of(ModelRole::Drafter, 0), None);
        assert_eq!(round_of(ModelRole::Critic, 1), Some(2));
        assert_eq!(round_of(ModelRole::Reviser, 1), Some(1));
    }
}
