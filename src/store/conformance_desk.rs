//! The part of the conformance suite that is about the store as a desk for reviewers.

use super::Claim;
use super::conformance::{Backend, new_run, sealed_row};
use crate::digest::Digest;
use crate::record::RecordId;
use crate::transcript::Outcome;

fn claim(reviewer: &str, now: u32, until: u32, most: u32) -> Claim {
    Claim {
        run: "a".to_owned(),
        record: RecordId::new("r"),
        reviewer: reviewer.to_owned(),
        now: format!("2026-01-01T00:00:{now:02}.000Z"),
        until: format!("2026-01-01T00:00:{until:02}.000Z"),
        most,
    }
}

pub(crate) async fn held_transcripts_come_in_pages(backend: &impl Backend) {
    let store = backend.open();
    store.open_run(new_run("a")).await.unwrap();
    for number in 0..6 {
        let outcome = match number % 2 {
            0 => Outcome::Held,
            _ => Outcome::Compliant,
        };
        let row = sealed_row(&format!("r{number}"), 1, outcome, "{}");
        store.seal("a", row).await.unwrap();
    }
    let first = store.held("a", None, 2).await.unwrap();
    let ids = |items: &[super::StoredTranscript]| {
        let ids = items.iter().map(|item| item.row.sealed.record.to_string());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(ids(&first.items), ["r0", "r2"]);
    let rest = store.held("a", first.next, 2).await.unwrap();
    assert_eq!((ids(&rest.items), rest.next), (vec!["r4".to_owned()], None));
    assert!(store.held("b", None, 2).await.unwrap().items.is_empty());
}

pub(crate) async fn a_claim_holds_until_it_runs_out_or_is_given_back(backend: &impl Backend) {
    let store = backend.open();
    store.open_run(new_run("a")).await.unwrap();
    assert!(store.claim(claim("ann", 0, 10, 1)).await.unwrap());
    assert!(!store.claim(claim("bob", 5, 15, 1)).await.unwrap());
    assert!(
        store.claim(claim("ann", 5, 20, 1)).await.unwrap(),
        "one's own is renewed"
    );
    assert!(!store.claim(claim("bob", 15, 25, 1)).await.unwrap());
    assert!(
        store.claim(claim("bob", 15, 25, 2)).await.unwrap(),
        "two may look at it"
    );
    drop(store);
    let store = backend.open();
    assert!(!store.claim(claim("cleo", 16, 30, 2)).await.unwrap());
    let record = RecordId::new("r");
    let looking = |now: u32| {
        let (store, record) = (store.clone(), record.clone());
        let now = format!("2026-01-01T00:00:{now:02}.000Z");
        async move { store.claimants("a", &record, &now).await.unwrap() }
    };
    assert_eq!(looking(16).await, ["ann", "bob"]);
    assert_eq!(looking(20).await, ["bob"], "that of ann ran out");
    let now = "2026-01-01T00:00:16.000Z";
    let theirs = store.claimed_by("a", "bob", now).await.unwrap();
    assert_eq!(theirs, [RecordId::new("r")]);
    let later = "2026-01-01T00:00:25.000Z";
    assert!(
        store
            .claimed_by("a", "bob", later)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(store.claimed_by("b", "bob", now).await.unwrap().is_empty());
    let elsewhere = store.claimants("b", &record, "").await.unwrap();
    assert!(elsewhere.is_empty());
    assert!(
        store.claim(claim("cleo", 20, 30, 2)).await.unwrap(),
        "that of ann ran out"
    );
    store
        .release("a", &RecordId::new("r"), "bob")
        .await
        .unwrap();
    assert!(store.claim(claim("dan", 21, 30, 2)).await.unwrap());
}

pub(crate) async fn one_claim_of_many_at_once_is_given(backend: &impl Backend) {
    let store = backend.open();
    store.open_run(new_run("a")).await.unwrap();
    let wishes = (0..20).map(|number| store.claim(claim(&format!("p{number}"), 0, 10, 1)));
    let given = futures::future::join_all(wishes).await;
    let given = given.into_iter().filter(|given| *given.as_ref().unwrap());
    assert_eq!(given.count(), 1);
}

pub(crate) async fn a_constitution_is_kept_as_it_stood(backend: &impl Backend) {
    let store = backend.open();
    let text = r#"{"name":"é"}"#;
    let digest = Digest::of(text.as_bytes());
    assert_eq!(store.constitution(digest).await.unwrap(), None);
    store.keep_constitution(digest, text).await.unwrap();
    store.keep_constitution(digest, text).await.unwrap();
    let other = Digest::of(b"other");
    store.keep_constitution(other, text).await.unwrap();
    drop(store);
    let store = backend.open();
    assert_eq!(
        store.constitution(digest).await.unwrap().as_deref(),
        Some(text)
    );
    assert!(
        store.constitution(other).await.is_err(),
        "it is not what it says"
    );
}
