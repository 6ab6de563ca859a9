//! The values that go into a store and come out of it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::Digest;
use crate::transcript::Sealed;

/// A run that is about to begin.
#[derive(Clone, Debug, PartialEq)]
pub struct NewRun {
    /// Its name, unique in the store.
    pub name: String,
    /// The name of its dataset.
    pub dataset: String,
    /// All that decides its results, as JSON.
    pub decided_by: Value,
    /// The journal scope of a run that ignores earlier calls.
    pub scope: Option<String>,
    /// When it began, RFC 3339 in UTC.
    pub started: String,
}

/// A run as the store keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRow {
    /// What it began with.
    pub run: NewRun,
    /// How far it is.
    pub state: RunState,
    /// When its state last changed, RFC 3339 in UTC.
    pub updated: String,
    /// How many transcripts are sealed.
    pub sealed: u64,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// A process works on it, or died while it did.
    Running,
    /// It was stopped and can be continued.
    Stopped,
    /// Every row that was asked for has its transcript.
    Finished,
}

/// What tells whether a record is done: which content was sealed, and from which line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealMark {
    /// The digest of the sealed record's content; [`ERASED`](super::ERASED) where it was erased.
    pub content: Digest,
    /// The line of the dataset that it came from, from 1.
    pub line: u64,
}

/// A transcript on its way into the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedRow {
    /// The line of the dataset that the record came from, from 1.
    pub line: u64,
    /// The transcript.
    pub sealed: Sealed,
}

/// A transcript as the store gives it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTranscript {
    /// The run's name.
    pub run: String,
    /// Its place in the store, which grows with every seal; the cursor of [`Page`].
    pub position: i64,
    /// What was sealed.
    pub row: SealedRow,
}

/// Some of many, and where the next ones begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// The cursor to go on from; absent at the end.
    pub next: Option<i64>,
}

/// A row of the dataset that did not become a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedRow {
    /// Its line, from 1.
    pub line: u64,
    /// Why.
    pub reason: String,
    /// How the row begins, so that a person finds it.
    pub excerpt: String,
}

/// How far from its start a dataset is done without a gap, and what it held up to there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Lines read, empty ones included.
    pub lines: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Rows among those lines, bad and doubled ones included.
    pub rows: u64,
    /// The digest of those bytes; absent at the start.
    pub digest: Option<Digest>,
}

/// What another process asks of the one that works on a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentCommand {
    /// Its number in the run, from 1.
    pub number: u64,
    /// When it was sent, RFC 3339 in UTC.
    pub at: String,
    /// What is asked.
    pub text: String,
    /// What came of it; absent while nobody has said.
    pub answer: Option<String>,
}

/// How a run stands, as the process that works on it last said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunStatus {
    /// When it said so, RFC 3339 in UTC.
    pub at: String,
    /// What it said, JSON.
    pub text: String,
}
