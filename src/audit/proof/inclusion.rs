//! Proofs that a transcript is in a store's tree, which are checked without the store.

use serde::{Deserialize, Serialize};

use super::key::PublicKey;
use super::note::{NoteError, SignedNote};
use super::tree_head::{TreeHead, TreeHeadError};
use crate::merkle::{Hash, RangeRoots, commitment, inclusion_ranges, leaf_hash, verify_inclusion};
use crate::record::RecordId;
use crate::store::{Leaf, Store, StoreError, TranscriptEntry, hex};

/// The version of the proof format.
const FORMAT: &str = "redraft-proof/1";
/// How many leaves are read at a time.
const PAGE: usize = 8192;

/// A proof could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The record has no leaf.
    #[error("the record {record} has no leaf in the log of run {run}")]
    NoLeaf {
        /// The record's name.
        record: RecordId,
        /// The run's name.
        run: String,
    },
    /// The checkpoint is older than the leaf.
    #[error(
        "the checkpoint covers {size} leaves, and this is leaf {index}; \
         make a newer one: redraft audit checkpoint"
    )]
    NotCovered {
        /// How many leaves the checkpoint covers.
        size: u64,
        /// The leaf's index.
        index: u64,
    },
    /// The store has fewer leaves than the checkpoint.
    #[error("the store lacks leaf {index}, which the checkpoint covers")]
    Missing {
        /// The leaf's index.
        index: u64,
    },
    /// The proof is of another format.
    #[error("this is a proof of the format {0:?}, and this redraft reads {FORMAT}")]
    Format(String),
    /// The checkpoint is no signed note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The checkpoint is none.
    #[error(transparent)]
    Head(#[from] TreeHeadError),
}

/// A proof that one leaf is in a tree.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InclusionProof {
    /// The version of this format.
    pub format: String,
    /// The leaf.
    #[serde(flatten)]
    pub leaf: Inclusion,
    /// The salt of what the leaf commits to; absent where the payload is not shown or gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
    /// What the leaf commits to; absent where it is not shown or gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// The event that says why the payload is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erasure: Option<Inclusion>,
    /// The checkpoint of the tree, whole.
    pub checkpoint: String,
}

/// A leaf and its path.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Inclusion {
    /// The leaf's index, from 0.
    pub index: u64,
    /// The bytes that are hashed.
    pub entry: String,
    /// The hashes from the leaf's sibling up to the root.
    pub path: Vec<Hash>,
}

/// An event about a payload that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// The event's index.
    pub index: u64,
    /// What its leaf says.
    pub entry: String,
}

/// Proves that a record's transcript is in the tree of a checkpoint. With `shown`, the payload and its
/// salt stand in the proof.
///
/// # Errors
///
/// When the store cannot be read, has no such leaf, or the checkpoint does not cover it.
pub async fn prove(
    store: &dyn Store,
    leaf: &Leaf,
    checkpoint: &SignedNote,
    erasure: Option<Erasure>,
    shown: bool,
) -> Result<InclusionProof, ProofError> {
    let head: TreeHead = checkpoint.text.parse()?;
    let covered = |index| {
        let size = head.size;
        let error = ProofError::NotCovered { size, index };
        if index < size { Ok(()) } else { Err(error) }
    };
    covered(leaf.index)?;
    let erasure = erasure.filter(|event| covered(event.index).is_ok());
    let mut indices = vec![leaf.index];
    indices.extend(erasure.as_ref().map(|event| event.index));
    let mut paths = paths(store, &indices, head.size).await?.into_iter();
    let path = paths.next().unwrap_or_default();
    let shown = shown.then(|| payload_of(leaf)).flatten();
    let (salt, payload) = shown.unzip();
    Ok(InclusionProof {
        format: FORMAT.to_owned(),
        leaf: Inclusion {
            index: leaf.index,
            entry: String::from_utf8_lossy(&leaf.entry).into_owned(),
            path,
        },
        salt,
        payload,
        erasure: erasure.map(|event| Inclusion {
            index: event.index,
            entry: event.entry,
            path: paths.next().unwrap_or_default(),
        }),
        checkpoint: checkpoint.to_string(),
    })
}

/// The event that says why the payload of a leaf is gone.
///
/// # Errors
///
/// When the store cannot be read.
pub async fn erasure_of(store: &dyn Store, index: u64) -> Result<Option<Erasure>, StoreError> {
    let mut from = index;
    loop {
        let events = store.events(from, PAGE).await?;
        let Some(last) = events.last() else {
            return Ok(None);
        };
        from = last.index + 1;
        for event in events {
            let entry = String::from_utf8_lossy(&event.entry).into_owned();
            if is_about(&entry, index) {
                let index = event.index;
                return Ok(Some(Erasure { index, entry }));
            }
        }
    }
}

/// The paths of some leaves, found while all leaves pass by once.
async fn paths(
    store: &dyn Store,
    indices: &[u64],
    size: u64,
) -> Result<Vec<Vec<Hash>>, ProofError> {
    let ranges = indices.iter().map(|index| inclusion_ranges(*index, size));
    let mut parts: Vec<RangeRoots> = ranges.map(RangeRoots::new).collect();
    let mut index = 0;
    while index < size {
        let leaves = store.leaf_hashes(index, size, PAGE).await?;
        if leaves.is_empty() {
            return Err(ProofError::Missing { index });
        }
        for leaf in leaves {
            let hash = leaf.hash.filter(|_| leaf.index == index);
            let hash = hash.ok_or(ProofError::Missing { index })?;
            for part in &mut parts {
                part.push(hash);
            }
            index += 1;
        }
    }
    Ok(parts.iter().map(RangeRoots::roots).collect())
}

/// The salt in hex, and the payload, of a leaf that has both.
fn payload_of(leaf: &Leaf) -> Option<(String, String)> {
    let (salt, row) = leaf.salt.as_ref().zip(leaf.transcript.as_ref())?;
    let (content, digest) = (hex(&row.content), hex(&row.digest));
    let (times, body) = (
        String::from_utf8_lossy(&row.times),
        String::from_utf8_lossy(&row.body),
    );
    Some((hex(salt), format!("{content}\n{digest}\n{times}\n{body}")))
}

/// What a proof says, part by part.
#[derive(Clone, Debug, Serialize)]
pub struct CheckedProof {
    /// What the leaf says; absent where it is none of a transcript.
    pub entry: Option<TranscriptEntry>,
    /// The leaf's index.
    pub index: u64,
    /// What the checkpoint says.
    pub checkpoint: TreeHead,
    /// Whether the leaf is in the tree of the checkpoint.
    pub is_included: bool,
    /// Whether the payload is what the leaf commits to; absent where it is not shown.
    pub payload_matches: Option<bool>,
    /// What the event says that took the payload away, if it is in the tree; `false` where it is not.
    pub erasure_is_included: Option<bool>,
    /// Whether the given key signed the checkpoint; absent where no key was given.
    pub is_signed: Option<bool>,
}

impl CheckedProof {
    /// Whether nothing that was checked failed.
    #[must_use]
    pub fn holds(&self) -> bool {
        let parts = [
            self.payload_matches,
            self.erasure_is_included,
            self.is_signed,
        ];
        self.is_included && self.entry.is_some() && !parts.contains(&Some(false))
    }
}

/// Checks a proof by itself.
///
/// # Errors
///
/// When it is of another format, or its checkpoint is none.
pub fn check_proof(
    proof: &InclusionProof,
    key: Option<&PublicKey>,
) -> Result<CheckedProof, ProofError> {
    if proof.format != FORMAT {
        return Err(ProofError::Format(proof.format.clone()));
    }
    let note: SignedNote = proof.checkpoint.parse()?;
    let head: TreeHead = note.text.parse()?;
    let is_included = |leaf: &Inclusion| {
        let hash = leaf_hash(leaf.entry.as_bytes());
        verify_inclusion(hash, leaf.index, head.size, &leaf.path, head.root)
    };
    let entry: Option<TranscriptEntry> = serde_json::from_str(&proof.leaf.entry).ok();
    let shown = proof.salt.as_ref().zip(proof.payload.as_ref());
    let payload_matches = shown.map(|(salt, payload)| {
        let salt = bytes_of(salt).unwrap_or_default();
        let found = commitment(&salt, [payload.as_bytes()]);
        entry.as_ref().is_some_and(|entry| entry.payload == found)
    });
    Ok(CheckedProof {
        index: proof.leaf.index,
        is_included: is_included(&proof.leaf),
        payload_matches,
        erasure_is_included: proof
            .erasure
            .as_ref()
            .map(|event| is_included(event) && is_about(&event.entry, proof.leaf.index)),
        is_signed: key.map(|key| note.is_signed_by(key) == Some(true)),
        entry,
        checkpoint: head,
    })
}

/// Whether an event took the payload of that leaf away.
fn is_about(entry: &str, index: u64) -> bool {
    let event: Option<serde_json::Value> = serde_json::from_str(entry).ok();
    event.is_some_and(|event| event["leaf"] == "event" && event["erases"] == index)
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}
