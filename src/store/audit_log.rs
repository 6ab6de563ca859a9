//! The store as an append-only log: what a backend supplies so that others can check what it holds.

use std::fmt::Debug;

use async_trait::async_trait;

use super::{EventEntry, RejectedRow, StoreError};
use crate::digest::Digest;
use crate::merkle::Hash;
use crate::record::RecordId;

/// A store whose every seal and event is a leaf of one Merkle tree.
///
/// A leaf is appended in the transaction of what it is about, and never changed or removed. Only its
/// salt can go, when the payload that it commits to goes.
#[async_trait]
pub trait AuditLog: Debug + Send + Sync {
    /// What tells this store's tree from all others.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    async fn log_id(&self) -> Result<String, StoreError>;

    /// How many leaves the tree has.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    async fn log_size(&self) -> Result<u64, StoreError>;

    /// Appends something that happened; gives its leaf's index, from 0.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    async fn append_event(&self, event: EventEntry) -> Result<u64, StoreError>;

    /// The leaves from an index on, below another, without what they are about: at most `limit`.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    async fn leaf_hashes(
        &self,
        from: u64,
        below: u64,
        limit: usize,
    ) -> Result<Vec<LeafHash>, StoreError>;

    /// The leaves from an index on, below another, with what they are about: as many as one page
    /// takes, at least one where there is one.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    async fn leaves(&self, from: u64, below: u64) -> Result<Vec<Leaf>, StoreError>;

    /// The leaf of a record's transcript.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    async fn leaf_of(&self, run: &str, record: &RecordId) -> Result<Option<Leaf>, StoreError>;

    /// The leaves from an index on that are events: at most `limit`.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    async fn events(&self, from: u64, limit: usize) -> Result<Vec<LoggedEvent>, StoreError>;

    /// Transcripts that no leaf is about, at most `limit`.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    async fn strays(&self, limit: usize) -> Result<Vec<Stray>, StoreError>;

    /// The rejected rows of a run after a line, by line: at most `limit`.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    async fn rejected_after(
        &self,
        run: &str,
        line: u64,
        limit: usize,
    ) -> Result<Vec<RejectedRow>, StoreError>;

    /// Erases the payload of a record's transcript, its journalled calls and its salt, and appends the
    /// event; gives the event's index.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoPayload`] when there is no such transcript, or it is erased already.
    async fn erase(
        &self,
        run: &str,
        record: &RecordId,
        erasure: Erasure,
    ) -> Result<u64, StoreError>;

    /// Keeps a checkpoint of the tree.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    async fn add_tree_checkpoint(&self, checkpoint: TreeCheckpoint) -> Result<(), StoreError>;

    /// The checkpoints of the tree, the oldest first.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    async fn tree_checkpoints(&self) -> Result<Vec<TreeCheckpoint>, StoreError>;
}

/// A leaf as it stands in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeafHash {
    /// Its index, from 0.
    pub index: u64,
    /// Its hash; absent where the store holds none of the right length.
    pub hash: Option<Hash>,
}

/// A leaf with what it is about, as it was found: nothing of it is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Its index, from 0.
    pub index: u64,
    /// Its hash; absent where the store holds none of the right length.
    pub hash: Option<Hash>,
    /// The bytes that are hashed.
    pub entry: Vec<u8>,
    /// The salt of the commitment; absent when the payload is gone, and in an event.
    pub salt: Option<Vec<u8>>,
    /// The transcript's position; absent in an event.
    pub position: Option<i64>,
    /// The transcript.
    pub transcript: Option<RawTranscript>,
}

/// A transcript's columns as they were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawTranscript {
    /// The run's name; absent where there is no such run.
    pub run: Option<String>,
    /// The record's name.
    pub record: String,
    /// Its line.
    pub line: i64,
    /// The record's content digest.
    pub content: Vec<u8>,
    /// How the record ended.
    pub outcome: String,
    /// Whether the final answer differs from the draft.
    pub changed: i64,
    /// The digest of the body.
    pub digest: Vec<u8>,
    /// When and how fast, as JSON.
    pub times: Vec<u8>,
    /// The transcript as JSON.
    pub body: Vec<u8>,
}

/// An event in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedEvent {
    /// Its leaf's index, from 0.
    pub index: u64,
    /// What its leaf says.
    pub entry: Vec<u8>,
}

/// A transcript that no leaf is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stray {
    /// The run's name.
    pub run: Option<String>,
    /// The record's name.
    pub record: String,
    /// Its position.
    pub position: i64,
}

/// How a payload is erased.
#[derive(Clone, Debug, PartialEq)]
pub struct Erasure {
    /// The event that says so; the store adds the record and the leaf.
    pub event: EventEntry,
    /// The transcript that stands there from now on.
    pub tombstone: Vec<u8>,
    /// The journalled calls that are erased, too.
    pub calls: Vec<Digest>,
}

/// A checkpoint of the tree as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeCheckpoint {
    /// How many leaves the tree had.
    pub size: u64,
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// The frontier of the tree then.
    pub frontier: Vec<u8>,
    /// The checkpoint as a note, signed or not.
    pub note: String,
}
