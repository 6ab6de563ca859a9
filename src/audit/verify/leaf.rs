//! One leaf against what it is about.

use serde_json::Value;

use super::facts::{Facts, Gone};
use super::report::Problem;
use crate::digest::Digest;
use crate::merkle::leaf_hash;
use crate::store::{ERASED, EventEntry, Leaf, RawTranscript, TranscriptEntry, payload_hash};

/// How a leaf came out.
#[derive(Debug)]
pub(super) enum Found {
    /// The leaf of a transcript that is there.
    Transcript {
        /// Whether its payload was erased.
        is_erased: bool,
    },
    /// The leaf of a transcript that was taken out, or of an event.
    Other,
}

/// What is wrong with a leaf: with the leaf itself, and with what it is about.
#[derive(Debug, Default)]
pub(super) struct Faults {
    pub(super) leaf: Option<Problem>,
    pub(super) payload: Option<Problem>,
}

/// Looks at a leaf. Where `payload` is false, what it is about is not hashed.
pub(super) fn look(leaf: &Leaf, facts: &Facts, payload: bool) -> (Found, Faults) {
    let mut faults = Faults {
        leaf: fault_of_leaf(leaf).map(|what| named(leaf, what)),
        payload: None,
    };
    if leaf.position.is_none() {
        return (Found::Other, faults);
    }
    let gone = facts.gone.get(&leaf.index);
    let (found, wrong) = match (&leaf.transcript, gone) {
        (None, Some(Gone::Withdrawn)) => (Found::Other, None),
        (None, _) => (Found::Other, Some("its transcript is gone")),
        (Some(_), Some(Gone::Withdrawn)) => {
            let what = "its transcript was taken out, and is there all the same";
            (Found::Transcript { is_erased: false }, Some(what))
        }
        (Some(row), Some(Gone::Erased(tombstone))) => {
            let is_erased = true;
            (
                Found::Transcript { is_erased },
                erased(leaf, row, *tombstone),
            )
        }
        (Some(row), None) => {
            let is_erased = false;
            let wrong = payload.then(|| whole(leaf, row)).flatten();
            (Found::Transcript { is_erased }, wrong)
        }
    };
    faults.payload = wrong.map(|what| named(leaf, what));
    (found, faults)
}

/// A problem of a leaf, with the names that its entry has, or else its transcript.
fn named(leaf: &Leaf, what: &str) -> Problem {
    let entry: Value = serde_json::from_slice(&leaf.entry).unwrap_or_default();
    let name = |field: &str| entry.get(field)?.as_str().map(str::to_owned);
    let row = leaf.transcript.as_ref();
    Problem {
        leaf: Some(leaf.index),
        run: name("run").or_else(|| row?.run.clone()),
        record: name("record").or_else(|| Some(row?.record.clone())),
        what: what.to_owned(),
    }
}

fn fault_of_leaf(leaf: &Leaf) -> Option<&'static str> {
    if leaf.hash != Some(leaf_hash(&leaf.entry)) {
        return Some("the leaf was edited: it has not the hash that is kept for it");
    }
    let is_event = leaf.position.is_none();
    if is_event && serde_json::from_slice::<EventEntry>(&leaf.entry).is_err() {
        return Some("the leaf names no transcript, and is no event");
    }
    None
}

/// What is wrong with a transcript whose payload is there.
fn whole(leaf: &Leaf, row: &RawTranscript) -> Option<&'static str> {
    let Some(salt) = &leaf.salt else {
        return Some("its salt is gone, and no event says why");
    };
    let payload = payload_hash(salt, &row.content, &row.digest, &row.times, &row.body);
    let expected = TranscriptEntry {
        leaf: TranscriptEntry::LEAF.to_owned(),
        run: row.run.clone().unwrap_or_default(),
        record: row.record.clone(),
        line: row.line,
        outcome: row.outcome.clone(),
        changed: row.changed == 1,
        payload,
    };
    let is_flag = matches!(row.changed, 0 | 1);
    if expected.to_json().as_bytes() != leaf.entry || !is_flag {
        return Some(difference(leaf, &expected));
    }
    if row.digest != Digest::of(&row.body).as_bytes() {
        return Some("the transcript is not the one of its digest");
    }
    None
}

/// Which part of a transcript is not as its leaf says.
fn difference(leaf: &Leaf, found: &TranscriptEntry) -> &'static str {
    let Ok(said) = serde_json::from_slice::<TranscriptEntry>(&leaf.entry) else {
        return "its leaf is no transcript's";
    };
    if said.run != found.run || said.record != found.record {
        "another record's transcript stands in its place"
    } else if said.payload != found.payload {
        "its transcript was edited: it is not what the leaf commits to"
    } else {
        "its line, outcome or change was edited: the leaf says otherwise"
    }
}

/// What is wrong with a tombstone.
fn erased(leaf: &Leaf, row: &RawTranscript, tombstone: Option<Digest>) -> Option<&'static str> {
    if leaf.salt.is_some() || row.content != ERASED.as_bytes() {
        return Some("its payload was erased, and is there all the same");
    }
    let found = Digest::of(&row.body);
    if tombstone != Some(found) || row.digest != found.as_bytes() {
        return Some("its tombstone was edited");
    }
    let Ok(said) = serde_json::from_slice::<TranscriptEntry>(&leaf.entry) else {
        return Some("its leaf is no transcript's");
    };
    let is_same = row.run.as_deref() == Some(said.run.as_str())
        && row.record == said.record
        && row.line == said.line
        && row.outcome == said.outcome
        && row.changed == i64::from(said.changed);
    (!is_same).then_some("its tombstone is not of the record that the leaf names")
}
