//! Erasing what a transcript says, so that everything else can still be proven.

use serde_json::json;

use crate::audit::call_keys;
use crate::message::Conversation;
use crate::record::RecordId;
use crate::store::{ERASED, Erasure, EventEntry, Store, StoreError};
use crate::transcript::{RecordEntry, Transcript};

/// A payload could not be erased.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// The store cannot be read or written, or there is no such payload.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The transcript cannot be read.
    #[error("the transcript of record {record} is damaged")]
    Damaged {
        /// The record's name.
        record: RecordId,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

/// Why a payload is erased, and who says so.
#[derive(Clone, Debug)]
pub struct Reason<'a> {
    /// Why.
    pub reason: &'a str,
    /// Who.
    pub author: Option<&'a str>,
    /// When, RFC 3339 in UTC.
    pub at: &'a str,
}

/// What was erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erased {
    /// The leaf of the event that says so.
    pub leaf: u64,
    /// How many journalled calls went with it.
    pub calls: usize,
}

/// Erases the transcript of a record and its journalled calls. A tombstone stands in its place, with its
/// outcome and provenance and none of its texts.
///
/// # Errors
///
/// When there is nothing to erase, or the store cannot be read or written.
pub async fn erase(
    store: &dyn Store,
    run: &str,
    record: &RecordId,
    why: &Reason<'_>,
) -> Result<Erased, EraseError> {
    let no_payload = |reason| StoreError::NoPayload {
        record: record.to_string(),
        run: run.to_owned(),
        reason,
    };
    let stored = store.transcript(run, record).await?;
    let sealed = stored.map(|stored| stored.row.sealed);
    let sealed = sealed.ok_or_else(|| no_payload("it has no transcript there"))?;
    if sealed.content == ERASED {
        return Err(no_payload("it was erased already").into());
    }
    let transcript = sealed.open().map_err(|source| EraseError::Damaged {
        record: record.clone(),
        source,
    })?;
    let calls: Vec<_> = call_keys(&transcript).into_iter().collect();
    let count = calls.len();
    let event = EventEntry::new(
        "erased",
        why.at,
        Some(run),
        json!({ "reason": why.reason, "author": why.author }),
    );
    let erasure = Erasure {
        event,
        tombstone: tombstone(transcript, why).seal(ERASED).body,
        calls,
    };
    Ok(Erased {
        leaf: store.erase(run, record, erasure).await?,
        calls: count,
    })
}

/// The transcript without anything that was said.
fn tombstone(transcript: Transcript, why: &Reason<'_>) -> Transcript {
    let by = why.author.map(|author| format!(" by {author}"));
    Transcript {
        record: RecordEntry {
            id: transcript.record.id,
            conversation: Conversation::default(),
            answer: None,
            tags: Vec::new(),
            extra: None,
        },
        draft: None,
        rounds: Vec::new(),
        final_answer: None,
        delivered: None,
        why: format!("erased{}: {}", by.unwrap_or_default(), why.reason),
        times: None,
        ..transcript
    }
}
