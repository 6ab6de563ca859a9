//! The transcript itself, and the sealed form in which it is stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Delivered, Draft, Final, Held, Imported, Outcome, Provenance, Round, UsageByRole};
use crate::digest::Digest;
use crate::message::Conversation;
use crate::model::ModelRole;
use crate::record::{Record, RecordId};

/// The version of the transcript format that this redraft writes.
pub const FORMAT: &str = "redraft-transcript/1";

/// What was drafted, found, changed and kept for one record, and by what.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Transcript {
    /// The version of this format, [`FORMAT`].
    pub format: String,
    /// The run's name.
    pub run: String,
    /// Where it came from, where another tool made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<Imported>,
    /// The record.
    pub record: RecordEntry,
    /// What decided the rest.
    pub provenance: Arc<Provenance>,
    /// The first answer; absent when none came about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<Draft>,
    /// The rounds, oldest first.
    pub rounds: Vec<Round>,
    /// The answer that the record ends with; absent when there never was one.
    #[serde(default, rename = "final", skip_serializing_if = "Option::is_none")]
    pub final_answer: Option<Final>,
    /// What a client was given, where that is not the final answer alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered: Option<Delivered>,
    /// How the record ended.
    pub outcome: Outcome,
    /// Why it ended so.
    pub why: String,
    /// Why it waits for a person, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
    /// What its calls used.
    pub usage: UsageByRole,
    /// When and how fast; outside the digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<Times>,
}

/// The record as its transcript keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecordEntry {
    /// The record's name.
    pub id: RecordId,
    /// What was said before the answer.
    pub conversation: Conversation,
    /// The answer that existed already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// The words by which principles choose their records.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The row's other columns, as one JSON object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<Box<RawValue>>,
}

impl RecordEntry {
    /// The entry of a record.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        Self {
            id: record.id().clone(),
            conversation: record.conversation().clone(),
            answer: record.answer().map(str::to_owned),
            tags: record.tags().to_vec(),
            extra: record.extra().map(ToOwned::to_owned),
        }
    }
}

/// What differs between two runs that end the same: it stands outside the digest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// When the record was taken up, RFC 3339 in UTC.
    pub started: String,
    /// Milliseconds from then to the seal.
    pub elapsed_ms: u64,
    /// Per role, how many of its calls the journal answered.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub journalled: BTreeMap<ModelRole, u64>,
}

impl Transcript {
    /// Whether the final answer differs from the draft.
    #[must_use]
    pub fn changed(&self) -> bool {
        match (&self.draft, &self.final_answer) {
            (Some(draft), Some(last)) => draft.text != last.text,
            _ => false,
        }
    }

    /// Fixes the transcript's bytes and digest.
    ///
    /// # Panics
    ///
    /// Never: a transcript is plain data.
    #[must_use]
    pub fn seal(mut self, content: Digest) -> Sealed {
        let times = self.times.take().unwrap_or_default();
        let mut body = Vec::with_capacity(self.likely_size());
        serde_json::to_writer(&mut body, &self).expect("a transcript is plain data");
        Sealed {
            record: self.record.id.clone(),
            content,
            outcome: self.outcome,
            changed: self.changed(),
            digest: Digest::of(&body),
            body,
            times,
        }
    }
}

impl Transcript {
    /// About how many bytes it has as JSON, so that they are written without being moved.
    fn likely_size(&self) -> usize {
        const LEAST: usize = 2 << 10;
        let said = self.record.conversation.messages().iter();
        let said: usize = said.map(|message| message.content.len()).sum();
        let drafted = self.draft.as_ref().map_or(0, |draft| draft.text.len());
        let ended = (self.final_answer.as_ref()).map_or(0, |last| last.text.len());
        LEAST + said + 2 * drafted + ended + drafted / 8
    }
}

/// A transcript whose bytes are fixed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The record's name.
    pub record: RecordId,
    /// The digest of the record's content.
    pub content: Digest,
    /// How the record ended.
    pub outcome: Outcome,
    /// Whether the final answer differs from the draft.
    pub changed: bool,
    /// The digest of `body`.
    pub digest: Digest,
    /// The transcript as compact JSON, without its times.
    pub body: Vec<u8>,
    /// When and how fast.
    pub times: Times,
}

impl Sealed {
    /// The transcript, times included.
    ///
    /// # Errors
    ///
    /// When the bytes are not a transcript of a format that this redraft reads.
    pub fn open(&self) -> Result<Transcript, serde_json::Error> {
        let mut transcript: Transcript = serde_json::from_slice(&self.body)?;
        transcript.times = Some(self.times.clone());
        Ok(transcript)
    }
}
