//! The part of the conformance suite that is about the store as an append-only log.

use std::sync::Arc;

use serde_json::{Value, json};

use super::conformance::{Backend, NOW, call, new_run, sealed_row};
use super::{
    ERASED, Erasure, EventEntry, Leaf, RejectedRow, Store, StoreError, TranscriptEntry,
    TreeCheckpoint, payload_hash,
};
use crate::digest::Digest;
use crate::merkle::leaf_hash;
use crate::record::RecordId;
use crate::transcript::Outcome;

async fn all(store: &Arc<dyn Store>) -> Vec<Leaf> {
    let size = store.log_size().await.unwrap();
    let leaves = store.leaves(0, size).await.unwrap();
    assert!((0..size).eq(leaves.iter().map(|leaf| leaf.index)));
    for leaf in &leaves {
        assert_eq!(leaf.hash, Some(leaf_hash(&leaf.entry)));
    }
    leaves
}

fn entry(leaf: &Leaf) -> Value {
    serde_json::from_slice(&leaf.entry).unwrap()
}

async fn seal(store: &Arc<dyn Store>, record: &str, outcome: Outcome) {
    let row = sealed_row(record, 7, outcome, "{}");
    store.seal("a", row).await.unwrap();
}

pub(crate) async fn every_seal_is_a_leaf_that_commits_to_it(backend: &impl Backend) {
    let store = backend.open();
    assert_eq!(store.log_size().await.unwrap(), 0);
    let id = store.log_id().await.unwrap();
    store.open_run(new_run("a")).await.unwrap();
    store.open_run(new_run("a")).await.unwrap();
    let row = sealed_row("r", 7, Outcome::Compliant, r#"{"a":"é"}"#);
    store.seal("a", row.clone()).await.unwrap();
    assert!(store.seal("a", row.clone()).await.is_err());
    drop(store);
    let store = backend.open();
    assert_eq!(store.log_id().await.unwrap(), id);
    let leaves = all(&store).await;
    assert_eq!(
        leaves.len(),
        2,
        "a run begins once, and a record is sealed once"
    );
    let began = entry(&leaves[0]);
    assert_eq!(
        (&began["event"], &began["run"]),
        (&json!("began"), &json!("a"))
    );
    assert_eq!(began["decided_by"], new_run("a").decided_by);
    assert_eq!(leaves[0].transcript, None);

    let leaf = &leaves[1];
    let said: TranscriptEntry = serde_json::from_slice(&leaf.entry).unwrap();
    assert_eq!(
        (said.record.as_str(), said.line, said.changed),
        ("r", 7, true)
    );
    let raw = leaf.transcript.as_ref().unwrap();
    assert_eq!(
        (raw.run.as_deref(), &raw.body),
        (Some("a"), &row.sealed.body)
    );
    let salt = leaf.salt.as_ref().unwrap();
    let payload = payload_hash(salt, &raw.content, &raw.digest, &raw.times, &raw.body);
    assert_eq!(said.payload, payload);
    let found = store.leaf_of("a", &RecordId::new("r")).await.unwrap();
    assert_eq!(found.as_ref(), Some(leaf));
    assert_eq!(store.leaf_of("b", &RecordId::new("r")).await.unwrap(), None);
    assert!(store.strays(10).await.unwrap().is_empty());
}

pub(crate) async fn leaves_come_in_their_order_and_in_pieces(backend: &impl Backend) {
    let store = backend.open();
    store.open_run(new_run("a")).await.unwrap();
    for number in 0..9 {
        seal(&store, &number.to_string(), Outcome::Compliant).await;
    }
    let event = EventEntry::new("decided", NOW, None, json!({ "by": "Ann" }));
    assert_eq!(store.append_event(event.clone()).await.unwrap(), 10);
    let leaves = all(&store).await;
    let hashes = store.leaf_hashes(0, 11, 100).await.unwrap();
    assert!(
        hashes
            .iter()
            .map(|leaf| leaf.hash)
            .eq(leaves.iter().map(|leaf| leaf.hash))
    );
    let some = store.leaf_hashes(3, 8, 2).await.unwrap();
    assert_eq!(
        some.iter().map(|leaf| leaf.index).collect::<Vec<_>>(),
        [3, 4]
    );
    let some = store.leaves(9, 10).await.unwrap();
    assert_eq!(some.len(), 1);
    let events = store.events(0, 10).await.unwrap();
    assert_eq!(
        events.iter().map(|event| event.index).collect::<Vec<_>>(),
        [0, 10]
    );
    let read: EventEntry = serde_json::from_slice(&events[1].entry).unwrap();
    assert_eq!(read, event);
    assert_eq!(store.events(1, 10).await.unwrap().len(), 1);
    assert!(store.events(11, 10).await.unwrap().is_empty());
}

pub(crate) async fn what_is_unsealed_leaves_its_leaf_and_an_event(backend: &impl Backend) {
    let store = backend.open();
    store.open_run(new_run("a")).await.unwrap();
    for (record, outcome) in [("good", Outcome::Compliant), ("bad", Outcome::Failed)] {
        seal(&store, record, outcome).await;
    }
    let before = all(&store).await;
    store.unseal("a", Outcome::Failed, NOW).await.unwrap();
    seal(&store, "bad", Outcome::Compliant).await;
    let after = all(&store).await;
    assert_eq!(after.len(), before.len() + 2);
    let hashes = |leaves: &[Leaf]| leaves.iter().map(|leaf| leaf.hash).collect::<Vec<_>>();
    assert_eq!(hashes(&after)[..3], hashes(&before));
    assert_eq!((&after[2].transcript, &after[2].salt), (&None, &None));
    let event = entry(&after[3]);
    assert_eq!(event["event"], "withdrawn");
    assert_eq!(
        (&event["withdraws"], &event["at"]),
        (&json!(2), &json!(NOW))
    );
    let now = store.leaf_of("a", &RecordId::new("bad")).await.unwrap();
    assert_eq!(now.map(|leaf| leaf.index), Some(4));
}

pub(crate) async fn an_erased_payload_is_gone_and_its_leaf_is_not(backend: &impl Backend) {
    let store = backend.open();
    store.open_run(new_run("a")).await.unwrap();
    seal(&store, "r", Outcome::Revised).await;
    store.keep(call(b"asked", b"reply")).await.unwrap();
    let record = RecordId::new("r");
    let before = store.leaf_of("a", &record).await.unwrap().unwrap();
    let erasure = || Erasure {
        event: EventEntry::new("erased", NOW, None, json!({ "reason": "asked" })),
        tombstone: b"{\"gone\":1}".to_vec(),
        calls: vec![Digest::of(b"asked")],
    };
    for (run, record) in [("a", "other"), ("b", "r")] {
        let record = RecordId::new(record);
        assert!(store.erase(run, &record, erasure()).await.is_err());
    }
    assert_eq!(store.erase("a", &record, erasure()).await.unwrap(), 2);
    let again = store.erase("a", &record, erasure()).await.unwrap_err();
    assert!(matches!(again, StoreError::NoPayload { .. }), "{again:?}");
    let after = store.leaf_of("a", &record).await.unwrap().unwrap();
    assert_eq!((&after.hash, &after.entry), (&before.hash, &before.entry));
    assert_eq!(after.salt, None);
    let stored = store.transcript("a", &record).await.unwrap().unwrap();
    let sealed = stored.row.sealed;
    assert_eq!((sealed.content, sealed.outcome), (ERASED, Outcome::Revised));
    assert_eq!(sealed.body, b"{\"gone\":1}");
    assert_eq!(sealed.digest, Digest::of(&sealed.body));
    let mark = store.seal_mark("a", &record).await.unwrap();
    assert_eq!(mark.map(|mark| mark.content), Some(ERASED));
    assert_eq!(store.reply(Digest::of(b"asked")).await.unwrap(), None);
    let event = entry(&all(&store).await[2]);
    assert_eq!(
        (&event["erases"], &event["record"]),
        (&json!(1), &json!("r"))
    );
    assert_eq!(
        (&event["run"], &event["reason"]),
        (&json!("a"), &json!("asked"))
    );
}

pub(crate) async fn checkpoints_of_the_tree_are_kept(backend: &impl Backend) {
    let store = backend.open();
    assert!(store.tree_checkpoints().await.unwrap().is_empty());
    let checkpoint = |size| TreeCheckpoint {
        size,
        at: NOW.to_owned(),
        frontier: vec![1, 0, 255],
        note: "origin\n1\n\u{2014} é\n".to_owned(),
    };
    for size in [3, 1, 2] {
        store.add_tree_checkpoint(checkpoint(size)).await.unwrap();
    }
    drop(store);
    let store = backend.open();
    let kept = store.tree_checkpoints().await.unwrap();
    assert_eq!(
        kept,
        [3, 1, 2].map(checkpoint),
        "in the order in which they were made"
    );
}

pub(crate) async fn rejected_rows_come_in_pieces(backend: &impl Backend) {
    let store = backend.open();
    store.open_run(new_run("a")).await.unwrap();
    for line in [5, 1, 9] {
        let row = RejectedRow {
            line,
            reason: "bad".to_owned(),
            excerpt: String::new(),
        };
        store.reject("a", row).await.unwrap();
    }
    let lines = async |after, limit| {
        let rows = store.rejected_after("a", after, limit).await.unwrap();
        rows.iter().map(|row| row.line).collect::<Vec<_>>()
    };
    assert_eq!(lines(0, 2).await, [1, 5]);
    assert_eq!(lines(5, 2).await, [9]);
    assert!(lines(9, 2).await.is_empty());
    assert!(store.rejected_after("b", 0, 9).await.unwrap().is_empty());
}
