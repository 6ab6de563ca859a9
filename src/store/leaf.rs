//! What a leaf of the store's Merkle tree says, byte for byte; docs/audit.md describes it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{SealedRow, StoreError};
use crate::digest::Digest;
use crate::merkle::{Hash, commitment};

/// How many bytes a salt has.
pub const SALT_BYTES: usize = 32;

/// What the leaf of a transcript says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TranscriptEntry {
    /// Which kind of leaf it is: `transcript`.
    pub leaf: String,
    /// The run's name.
    pub run: String,
    /// The record's name.
    pub record: String,
    /// The line of the dataset that it came from.
    pub line: i64,
    /// How the record ended.
    pub outcome: String,
    /// Whether the final answer differs from the draft.
    pub changed: bool,
    /// The hash of the salt and the payload.
    pub payload: Hash,
}

impl TranscriptEntry {
    /// The kind of the leaves that are transcripts.
    pub const LEAF: &'static str = "transcript";

    /// What the leaf of a sealed row says, whose times are given as the store keeps them.
    #[must_use]
    pub fn of(run: &str, row: &SealedRow, times: &str, salt: &[u8]) -> Self {
        let sealed = &row.sealed;
        let (content, digest) = (sealed.content.as_bytes(), sealed.digest.as_bytes());
        Self {
            leaf: Self::LEAF.to_owned(),
            run: run.to_owned(),
            record: sealed.record.to_string(),
            line: i64::try_from(row.line).unwrap_or(i64::MAX),
            outcome: sealed.outcome.as_str().to_owned(),
            changed: sealed.changed,
            payload: payload_hash(salt, content, digest, times.as_bytes(), &sealed.body),
        }
    }

    /// The bytes of the leaf.
    ///
    /// # Panics
    ///
    /// Never: it is plain data.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("an entry is plain data")
    }
}

/// What a leaf says of something that happened, as one JSON object: `leaf` is `event`, `event` its kind,
/// `at` its time, and the rest as the kind has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventEntry {
    /// Which kind of leaf it is: `event`.
    pub leaf: String,
    /// What happened.
    pub event: String,
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// The run that it happened to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// What else there is to say.
    #[serde(flatten)]
    pub more: serde_json::Map<String, Value>,
}

impl EventEntry {
    /// The kind of the leaves that are events.
    pub const LEAF: &'static str = "event";

    /// An event; `more` is a JSON object.
    #[must_use]
    pub fn new(event: &str, at: &str, run: Option<&str>, more: Value) -> Self {
        Self {
            leaf: Self::LEAF.to_owned(),
            event: event.to_owned(),
            at: at.to_owned(),
            run: run.map(str::to_owned),
            more: match more {
                Value::Object(more) => more,
                _ => serde_json::Map::new(),
            },
        }
    }

    /// The bytes of the leaf.
    ///
    /// # Panics
    ///
    /// Never: it is plain data.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("an event is plain data")
    }
}

/// What a transcript's leaf commits to: the salt, and then the payload, which is the content digest and
/// the transcript's digest in hex, the times and the transcript, with line feeds between.
#[must_use]
pub fn payload_hash(salt: &[u8], content: &[u8], digest: &[u8], times: &[u8], body: &[u8]) -> Hash {
    let (content, digest) = (hex(content), hex(digest));
    let (content, digest) = (content.as_bytes(), digest.as_bytes());
    commitment(salt, [content, b"\n", digest, b"\n", times, b"\n", body])
}

/// Bytes as hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// A salt that nobody can guess.
///
/// # Errors
///
/// When the system has no randomness to give.
pub fn new_salt() -> Result<[u8; SALT_BYTES], StoreError> {
    let mut salt = [0; SALT_BYTES];
    getrandom::fill(&mut salt).map_err(|error| StoreError::Backend(error.to_string().into()))?;
    Ok(salt)
}

/// The content digest that stands where a payload was erased.
pub const ERASED: Digest = Digest::NOTHING;
