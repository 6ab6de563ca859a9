//! The conformance suite: what every backend must do, as functions over the trait.
//!
//! A backend writes `conformance_tests!(Fresh::new())` in its tests, where `Fresh` is its
//! [`Backend`], and passes each case with a store of its own.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;

pub(crate) use super::conformance_desk::*;
pub(crate) use super::conformance_log::*;
use super::{
    Checkpoint, NewRun, RejectedRow, RunRow, RunState, RunStatus, SealMark, SealedRow, SentCommand,
    Store, StoreError, StoredTranscript,
};
use crate::digest::Digest;
use crate::model::budget::Spent;
use crate::model::journal::JournalledCall;
use crate::record::RecordId;
use crate::transcript::{Outcome, Sealed, Times};

/// A place for one store, empty at first.
pub(crate) trait Backend {
    /// Opens the store that is there; called again only when the one before is dropped.
    fn open(&self) -> Arc<dyn Store>;
}

/// Makes each case of the suite a test of its own.
macro_rules! conformance_tests {
    ($backend:expr) => {
        $crate::store::conformance::conformance_tests!($backend;
            the_first_reply_under_a_key_stays
            a_reply_comes_back_byte_for_byte
            a_call_comes_back_whole
            notes_are_per_model_and_replaced
            a_run_is_opened_once_and_found_again
            runs_come_with_the_last_worked_on_first
            a_run_that_is_not_there
            a_record_is_sealed_once_per_run
            a_sealed_row_comes_back_whole
            hostile_texts_are_data
            a_long_transcript_is_kept
            transcripts_come_in_pages
            a_page_of_long_transcripts_ends_early
            records_are_found_by_id_and_by_its_beginning
            unsealing_takes_one_outcome_out_of_one_run
            positions_are_never_given_twice
            positions_of_a_run_come_in_order
            rejected_rows_are_kept_by_line
            a_checkpoint_is_kept_per_run
            a_command_is_taken_once_and_answered
            the_newest_status_of_a_run_is_kept
            what_a_run_spends_adds_up
            everything_survives_reopening
            what_is_not_awaited_is_flushed
            every_seal_is_a_leaf_that_commits_to_it
            leaves_come_in_their_order_and_in_pieces
            what_is_unsealed_leaves_its_leaf_and_an_event
            an_erased_payload_is_gone_and_its_leaf_is_not
            held_transcripts_come_in_pages
            a_claim_holds_until_it_runs_out_or_is_given_back
            one_claim_of_many_at_once_is_given
            a_constitution_is_kept_as_it_stood
            checkpoints_of_the_tree_are_kept
            rejected_rows_come_in_pieces
        );
    };
    ($backend:expr; $($case:ident)*) => {
        $(
            #[tokio::test]
            async fn $case() {
                $crate::store::conformance::$case(&$backend).await;
            }
        )*
    };
}
pub(crate) use conformance_tests;

/// Texts that have gone wrong somewhere before.
pub(crate) const HOSTILE: [&str; 12] = [
    "",
    " ",
    "'; DROP TABLE runs; --",
    "\"quoted\" `twice` \\back\\",
    "nul\0inside",
    "\0",
    "100%_of?1:name@x",
    "../../etc/passwd",
    "🦀 e\u{301} \u{202e}rtl\u{feff}",
    "line\r\nbreak\ttab\u{1b}[31m",
    "\u{10ffff}",
    "NULL",
];

/// A time in tests.
pub(crate) const NOW: &str = "2026-01-02T05:00:00Z";

pub(crate) fn new_run(name: &str) -> NewRun {
    NewRun {
        name: name.to_owned(),
        dataset: "replies.jsonl".to_owned(),
        decided_by: json!({"seed": 7, "recipe": {"zeta": 1.5, "alpha": [null, "x"]}}),
        scope: None,
        started: "2026-01-02T03:04:05Z".to_owned(),
    }
}

pub(crate) fn sealed_row(record: &str, line: u64, outcome: Outcome, body: &str) -> SealedRow {
    SealedRow {
        line,
        sealed: Sealed {
            record: RecordId::new(record),
            content: Digest::of(record.as_bytes()),
            outcome,
            changed: line % 2 == 1,
            digest: Digest::of(body.as_bytes()),
            body: body.as_bytes().to_vec(),
            times: Times {
                started: "2026-01-02T03:04:05Z".to_owned(),
                elapsed_ms: line,
                ..Times::default()
            },
        },
    }
}

pub(crate) fn call(key: &[u8], reply: &[u8]) -> JournalledCall {
    JournalledCall {
        key: Digest::of(key),
        model: "small".to_owned(),
        request: Bytes::from_static(br#"{"messages":[]}"#),
        head: 13,
        reply: Bytes::copy_from_slice(reply),
        latency: Duration::from_millis(12),
    }
}

async fn seal(store: &Arc<dyn Store>, run: &str, record: &str, outcome: Outcome) {
    let row = sealed_row(record, 1, outcome, "{}");
    store.seal(run, row).await.unwrap();
}

/// The records of some transcripts, with their runs.
fn names(found: &[StoredTranscript]) -> Vec<String> {
    found
        .iter()
        .map(|found| format!("{}/{}", found.run, found.row.sealed.record))
        .collect()
}

async fn sealed_count(store: &Arc<dyn Store>, run: &str) -> u64 {
    store.run(run).await.unwrap().unwrap().sealed
}

pub(crate) async fn the_first_reply_under_a_key_stays(backend: &impl Backend) {
    let store = backend.open();
    assert_eq!(store.reply(Digest::of(b"a")).await.unwrap(), None);
    assert!(store.keep(call(b"a", b"first")).await.unwrap());
    assert!(!store.keep(call(b"a", b"second")).await.unwrap());
    store.keep(call(b"b", b"other")).await.unwrap();
    let reply = store.reply(Digest::of(b"a")).await.unwrap();
    assert_eq!(reply.as_deref(), Some(&b"first"[..]));
}

pub(crate) async fn a_reply_comes_back_byte_for_byte(backend: &impl Backend) {
    let store = backend.open();
    let long = b"<html>".repeat(1 << 20);
    for reply in [&b""[..], b"\0", b"not \xff\xfe utf-8", &long] {
        store.keep(call(reply, reply)).await.unwrap();
        let found = store.reply(Digest::of(reply)).await.unwrap();
        assert_eq!(found.as_deref(), Some(reply));
    }
}

pub(crate) async fn a_call_comes_back_whole(backend: &impl Backend) {
    let store = backend.open();
    assert_eq!(store.call(Digest::of(b"a")).await.unwrap(), None);
    let request = br#"{"messages":[{"role":"system"},{"role":"user"}]}"#;
    // Whatever part of a request others begin with, too, and wherever that ends.
    let mut kept = Vec::new();
    for (number, head) in [30, 0, 13, 30, request.len(), 31].into_iter().enumerate() {
        let call = JournalledCall {
            request: Bytes::from_static(request),
            head,
            ..call(&[u8::try_from(number).unwrap()], b"\0 reply")
        };
        assert!(store.keep(call.clone()).await.unwrap());
        kept.push(call);
    }
    drop(store);
    let store = backend.open();
    for call in kept {
        assert_eq!(store.call(call.key).await.unwrap(), Some(call));
    }
}

pub(crate) async fn notes_are_per_model_and_replaced(backend: &impl Backend) {
    let store = backend.open();
    assert_eq!(store.note("small", "structured").await.unwrap(), None);
    store.set_note("small", "structured", "tool").await.unwrap();
    store.set_note("large", "structured", "json").await.unwrap();
    store.set_note("small", "other", "x").await.unwrap();
    store.set_note("small", "structured", "text").await.unwrap();
    let note = store.note("small", "structured").await.unwrap();
    assert_eq!(note.as_deref(), Some("text"));
    for text in HOSTILE {
        store.set_note(text, text, text).await.unwrap();
        let note = store.note(text, text).await.unwrap();
        assert_eq!(note.as_deref(), Some(text));
    }
    for (model, name) in [
        ("small", "b%2"),
        ("small", "b%1"),
        ("small", "bc"),
        ("large", "b%3"),
    ] {
        store.set_note(model, name, name).await.unwrap();
    }
    let pair = |name: &str| (name.to_owned(), name.to_owned());
    let notes = store.notes("small", "b%").await.unwrap();
    assert_eq!(notes, [pair("b%1"), pair("b%2")]);
    store.forget_note("small", "b%1").await.unwrap();
    store.forget_note("small", "never noted").await.unwrap();
    assert_eq!(store.notes("small", "b%").await.unwrap(), [pair("b%2")]);
    assert_eq!(store.notes("large", "b%").await.unwrap().len(), 1);
}

pub(crate) async fn a_run_is_opened_once_and_found_again(backend: &impl Backend) {
    let store = backend.open();
    let first = NewRun {
        scope: Some("fresh-1".to_owned()),
        ..new_run("a")
    };
    let opened = store.open_run(first.clone()).await.unwrap();
    let expected = RunRow {
        run: first.clone(),
        state: RunState::Running,
        updated: first.started.clone(),
        sealed: 0,
    };
    assert_eq!(opened, expected);
    seal(&store, "a", "r", Outcome::Compliant).await;
    store
        .set_run_state("a", RunState::Stopped, "2026-01-02T04:00:00Z")
        .await
        .unwrap();
    let stopped = store.run("a").await.unwrap().unwrap();
    assert_eq!(stopped.state, RunState::Stopped);
    assert_eq!(stopped.updated, "2026-01-02T04:00:00Z");

    let again = NewRun {
        decided_by: json!("something else"),
        started: "2026-01-03T00:00:00Z".to_owned(),
        ..new_run("a")
    };
    let reopened = store.open_run(again).await.unwrap();
    let expected = RunRow {
        updated: "2026-01-03T00:00:00Z".to_owned(),
        sealed: 1,
        ..expected
    };
    assert_eq!(reopened, expected);
    assert_eq!(store.run("a").await.unwrap(), Some(expected));
}

pub(crate) async fn runs_come_with_the_last_worked_on_first(backend: &impl Backend) {
    let store = backend.open();
    for name in ["a", "b", "c"] {
        store.open_run(new_run(name)).await.unwrap();
    }
    for (name, at) in [
        ("c", "2026-02-01T00:00:00Z"),
        ("a", "2026-02-01T00:00:00.5Z"),
    ] {
        store
            .set_run_state(name, RunState::Finished, at)
            .await
            .unwrap();
    }
    let runs = store.runs().await.unwrap();
    let names: Vec<_> = runs.iter().map(|row| row.run.name.as_str()).collect();
    assert_eq!(names, ["a", "c", "b"]);
}

pub(crate) async fn a_run_that_is_not_there(backend: &impl Backend) {
    let store = backend.open();
    let unknown = |result: Result<(), StoreError>| {
        let error = result.unwrap_err();
        assert!(
            matches!(&error, StoreError::UnknownRun { run } if run == "x"),
            "{error:?}"
        );
    };
    let row = sealed_row("r", 1, Outcome::Failed, "{}");
    unknown(store.seal("x", row).await);
    unknown(store.unseal("x", Outcome::Failed, NOW).await.map(|_| ()));
    unknown(store.set_checkpoint("x", Checkpoint::default()).await);
    unknown(store.set_run_state("x", RunState::Finished, "").await);
    unknown(store.forget_rejected_after("x", 0).await);
    unknown(store.reject("x", rejected(1, "bad")).await);

    assert_eq!(store.run("x").await.unwrap(), None);
    let record = RecordId::new("r");
    assert_eq!(store.seal_mark("x", &record).await.unwrap(), None);
    assert_eq!(store.transcript("x", &record).await.unwrap(), None);
    let page = store.transcripts("x", None, 10).await.unwrap();
    assert!(page.items.is_empty() && page.next.is_none());
    assert_eq!(store.rejected("x", 10).await.unwrap(), (Vec::new(), 0));
    let checkpoint = store.checkpoint("x").await.unwrap();
    assert_eq!(checkpoint, Checkpoint::default());
}

pub(crate) async fn a_record_is_sealed_once_per_run(backend: &impl Backend) {
    let store = backend.open();
    store.open_run(new_run("a")).await.unwrap();
    store.open_run(new_run("b")).await.unwrap();
    seal(&store, "a", "r", Outcome::Compliant).await;
    let second = sealed_row("r", 9, Outcome::Failed, "[]");
    let error = store.seal("a", second).await.unwrap_err();
    assert!(
        matches!(&error, StoreError::AlreadySealed { record } if record == "r"),
        "{error:?}"
    );
    let mark = store.seal_mark("a", &RecordId::new("r")).await.unwrap();
    let content = Digest::of(b"r");
    assert_eq!(mark, Some(SealMark { content, line: 1 }));
    seal(&store, "b", "r", Outcome::Failed).await;
    assert_eq!(sealed_count(&store, "a").await, 1);
    assert_eq!(sealed_count(&store, "b").await, 1);

    // Of many at once exactly one is kept, and the others around it are not harmed.
    let rows = (0..20).map(|line| sealed_row("contended", line, Outcome::Compliant, "{}"));
    let attempts = rows.map(|row| store.seal("a", row));
    let others = (0..20).map(|line| {
        let row = sealed_row(&format!("o{line}"), line, Outcome::Compliant, "{}");
        store.seal("a", row)
    });
    let (attempts, others) = futures::join!(
        futures::future::join_all(attempts),
        futures::future::join_all(others)
    );
    assert_eq!(attempts.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(others.iter().all(Result::is_ok));
    assert_eq!(sealed_count(&store, "a").await, 22);
}

pub(crate) async fn a_sealed_row_comes_back_whole(backend: &impl Backend) {
    let store = backend.open();
    store.open_run(new_run("a")).await.unwrap();
    for (line, outcome) in (1..).zip(Outcome::ALL) {
        let row = sealed_row(outcome.as_str(), line, outcome, r#"{"final": "é"}"#);
        store.seal("a", row.clone()).await.unwrap();
        let record = &row.sealed.record;
        let found = store.transcript("a", record).await.unwrap().unwrap();
        assert_eq!(found.run, "a");
        assert_eq!(found.row, row);
    }
}

pub(crate) async fn hostile_texts_are_data(backend: &impl Backend) {
    let store = backend.open();
    for text in HOSTILE {
        let run = NewRun {
            name: text.to_owned(),
            dataset: text.to_owned(),
            decided_by: json!({ text: text }),
            scope: Some(text.to_owned()),
            started: text.to_owned(),
        };
        let opened = store.open_run(run.clone()).await.unwrap();
        assert_eq!(opened.run, run);
        let row = sealed_row(text, 3, Outcome::Held, text);
        store.seal(text, row.clone()).await.unwrap();
        let record = &row.sealed.record;
        let found = store.transcript(text, record).await.unwrap().unwrap();
        assert_eq!((found.run.as_str(), &found.row), (text, &row));
        let error = store.seal(text, row).await.unwrap_err();
        assert!(matches!(error, StoreError::AlreadySealed { .. }));
        store.reject(text, rejected(3, text)).await.unwrap();
        let (rows, count) = store.rejected(text, 5).await.unwrap();
        assert_eq!((rows, count), (vec![rejected(3, text)], 1));
    }
    assert_eq!(store.runs().await.unwrap().len(), HOSTILE.len());
}

pub(crate) async fn a_long_transcript_is_kept(backend: &impl Backend) {
    let store = backend.open();
    store.open_run(new_run("a")).await.unwrap();
    let body = format!("\"{}\"", "lång ".repeat(1 << 20));
    let row = sealed_row("long", 1, Outcome::Revised, &body);
    store.seal("a", row.clone()).await.unwrap();
    let found = store.transcript("a", &row.sealed.record).await.unwrap();
    // Not `assert_eq!`, which would print it.
    assert!(found.unwrap().row == row);
}

pub(crate) async fn transcripts_come_in_pages(backend: &impl Backend) {
    let store = backend.open();
    store.open_run(new_run("a")).await.unwrap();
    store.open_run(new_run("b")).await.unwrap();
    for number in 0..10 {
        seal(&store, "a", &format!("a{number}"), Outcome::Compliant).await;
        seal(&store, "b", &format!("b{number}"), Outcome::Compliant).await;
    }
    for limit in [1, 3, 5, 10, 11, usize::MAX] {
        let (mut seen, mut after, mut last) = (Vec::new(), None, i64::MIN);
        loop {
            let page = store.transcripts("a", after, limit).await.unwrap();
            assert!(!page.items.is_empty() && page.items.len() <= limit);
            for item in &page.items {
                assert!(item.position > last);
                last = item.position;
            }
            seen.extend(names(&page.items));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let expected: Vec<_> = (0..10).map(|number| format!("a/a{number}")).collect();
        assert_eq!(seen, expected, "in pages of {limit}");
    }
}

pub(crate) async fn a_page_of_long_transcripts_ends_early(backend: &impl Backend) {
    let store = backend.open();
    store.open_run(new_run("a")).await.unwrap();
    let body = "x".repeat(9 << 20);
    for line in 1..=3 {
        let row = sealed_row(&line.to_string(), line, Outcome::Compliant, &body);
        store.seal("a", row).await.unwrap();
    }
    let first = store.transcripts("a", None, 100).await.unwrap();
    assert_eq!(names(&first.items), ["a/1", "a/2"]);
    let second = store.transcripts("a", first.next, 100).await.unwrap();
    assert_eq!(names(&second.items), ["a/3"]);
    assert_eq!(second.next, None);
}

pub(crate) async fn records_are_found_by_id_and_by_its_beginning(backend: &impl Backend) {
    let store = backend.open();
    for run in ["a", "b"] {
        store.open_run(new_run(run)).await.unwrap();
        for record in ["row-1", "row-10", "row-2", "ROW-1", "row_1", "ré", "r\0x"] {
            seal(&store, run, record, Outcome::Compliant).await;
        }
    }
    let find = async |record: &str, limit| {
        let found = store.find_record(None, record, limit).await.unwrap();
        names(&found)
    };
    // Exactly that one, though it is also a beginning.
    assert_eq!(find("row-1", 10).await, ["b/row-1", "a/row-1"]);
    assert_eq!(find("row-1", 1).await, ["b/row-1"]);
    assert_eq!(
        find("row-", 4).await,
        ["b/row-2", "b/row-10", "b/row-1", "a/row-2"]
    );
    // Wildcards are letters, and letters have their case.
    assert_eq!(find("row_", 10).await, ["b/row_1", "a/row_1"]);
    assert_eq!(find("RO", 10).await, ["b/ROW-1", "a/ROW-1"]);
    assert!(find("row%", 10).await.is_empty());
    assert_eq!(find("ré", 10).await, ["b/ré", "a/ré"]);
    assert_eq!(find("r\0", 10).await, ["b/r\0x", "a/r\0x"]);
    assert_eq!(find("", 100).await.len(), 14);
    assert!(find("x", 10).await.is_empty());
}

pub(crate) async fn unsealing_takes_one_outcome_out_of_one_run(backend: &impl Backend) {
    let store = backend.open();
    for run in ["a", "b"] {
        store.open_run(new_run(run)).await.unwrap();
        seal(&store, run, "good", Outcome::Compliant).await;
        seal(&store, run, "bad", Outcome::Failed).await;
        seal(&store, run, "worse", Outcome::Failed).await;
        store.set_checkpoint(run, far()).await.unwrap();
    }
    assert_eq!(store.unseal("a", Outcome::Held, NOW).await.unwrap(), 0);
    assert_eq!(store.checkpoint("a").await.unwrap(), far());

    assert_eq!(store.unseal("a", Outcome::Failed, NOW).await.unwrap(), 2);
    let checkpoint = store.checkpoint("a").await.unwrap();
    assert_eq!(checkpoint, Checkpoint::default());
    assert_eq!(store.checkpoint("b").await.unwrap(), far());
    assert_eq!(sealed_count(&store, "a").await, 1);
    assert_eq!(sealed_count(&store, "b").await, 3);
    let left = store.transcripts("a", None, 10).await.unwrap();
    assert_eq!(names(&left.items), ["a/good"]);
    let mark = store.seal_mark("a", &RecordId::new("bad")).await.unwrap();
    assert_eq!(mark, None);

    seal(&store, "a", "bad", Outcome::Revised).await;
    assert_eq!(sealed_count(&store, "a").await, 2);
    assert_eq!(store.unseal("a", Outcome::Failed, NOW).await.unwrap(), 0);
    assert_eq!(store.unseal("a", Outcome::Revised, NOW).await.unwrap(), 1);
}

pub(crate) async fn positions_are_never_given_twice(backend: &impl Backend) {
    let store = backend.open();
    store.open_run(new_run("a")).await.unwrap();
    seal(&store, "a", "r", Outcome::Failed).await;
    let other = store
        .find_record(Some("no such run"), "r", 1)
        .await
        .unwrap();
    assert!(other.is_empty());
    let first = store.find_record(None, "r", 1).await.unwrap();
    store.unseal("a", Outcome::Failed, NOW).await.unwrap();
    seal(&store, "a", "r", Outcome::Compliant).await;
    let second = store.find_record(None, "r", 1).await.unwrap();
    assert!(second[0].position > first[0].position);
}

pub(crate) async fn positions_of_a_run_come_in_order(backend: &impl Backend) {
    let store = backend.open();
    for run in ["a", "b"] {
        store.open_run(new_run(run)).await.unwrap();
    }
    for record in 0..6 {
        seal(&store, "a", &format!("a{record}"), Outcome::Compliant).await;
        seal(&store, "b", &format!("b{record}"), Outcome::Failed).await;
    }
    let page = store.transcripts("a", None, 10).await.unwrap();
    let sealed: Vec<i64> = page.items.iter().map(|stored| stored.position).collect();
    let all = store.positions("a", 0, i64::MAX).await.unwrap();
    assert_eq!(all, sealed);
    let some = store.positions("a", sealed[0], sealed[3]).await.unwrap();
    assert_eq!(some, sealed[1..4]);
    store.unseal("b", Outcome::Failed, NOW).await.unwrap();
    assert!(store.positions("b", 0, i64::MAX).await.unwrap().is_empty());
    let unknown = store.positions("none", 0, i64::MAX).await.unwrap();
    assert!(unknown.is_empty());
}

pub(crate) async fn rejected_rows_are_kept_by_line(backend: &impl Backend) {
    let store = backend.open();
    store.open_run(new_run("a")).await.unwrap();
    store.open_run(new_run("b")).await.unwrap();
    for line in [30, 10, 20, 40] {
        store.reject("a", rejected(line, "bad")).await.unwrap();
    }
    store.reject("b", rejected(10, "other")).await.unwrap();
    store.reject("a", rejected(20, "worse")).await.unwrap();
    let (rows, count) = store.rejected("a", 2).await.unwrap();
    assert_eq!(rows, [rejected(10, "bad"), rejected(20, "worse")]);
    assert_eq!(count, 4);
    assert_eq!(
        store.rejected_at("a", 20).await.unwrap(),
        Some(rejected(20, "worse"))
    );
    assert_eq!(store.rejected_at("b", 20).await.unwrap(), None);

    store.forget_rejected_after("a", u64::MAX).await.unwrap();
    assert_eq!(store.rejected("a", 0).await.unwrap(), (Vec::new(), 4));
    store.forget_rejected_after("a", 20).await.unwrap();
    assert_eq!(store.rejected("a", 9).await.unwrap().1, 2);
    store.forget_rejected_after("a", 0).await.unwrap();
    assert_eq!(store.rejected("a", 9).await.unwrap(), (Vec::new(), 0));
    assert_eq!(store.rejected("b", 9).await.unwrap().1, 1);
}

pub(crate) async fn a_checkpoint_is_kept_per_run(backend: &impl Backend) {
    let store = backend.open();
    store.open_run(new_run("a")).await.unwrap();
    store.open_run(new_run("b")).await.unwrap();
    let start = store.checkpoint("a").await.unwrap();
    assert_eq!(start, Checkpoint::default());
    store.set_checkpoint("a", far()).await.unwrap();
    assert_eq!(store.checkpoint("a").await.unwrap(), far());
    assert_eq!(store.checkpoint("b").await.unwrap(), Checkpoint::default());
    store.open_run(new_run("a")).await.unwrap();
    assert_eq!(store.checkpoint("a").await.unwrap(), far());
    let start = Checkpoint::default();
    store.set_checkpoint("a", start).await.unwrap();
    assert_eq!(store.checkpoint("a").await.unwrap(), start);
}

pub(crate) async fn a_command_is_taken_once_and_answered(backend: &impl Backend) {
    let store = backend.open();
    for run in ["a", "b"] {
        store.open_run(new_run(run)).await.unwrap();
    }
    assert!(store.take_commands("a", "t0").await.unwrap().is_empty());
    assert_eq!(store.send_command("a", "pause", "t1").await.unwrap(), 1);
    assert_eq!(store.send_command("b", "drain", "t1").await.unwrap(), 1);
    assert_eq!(store.send_command("a", HOSTILE[2], "t2").await.unwrap(), 2);
    let sent = |number, at: &str, text: &str| SentCommand {
        number,
        at: at.to_owned(),
        text: text.to_owned(),
        answer: None,
    };
    assert_eq!(
        store.take_commands("a", "t3").await.unwrap(),
        [sent(1, "t1", "pause"), sent(2, "t2", HOSTILE[2])]
    );
    assert!(store.take_commands("a", "t4").await.unwrap().is_empty());
    store.answer_command("a", 1, "paused").await.unwrap();
    let answered = store.command("a", 1).await.unwrap().unwrap();
    assert_eq!(answered.answer.as_deref(), Some("paused"));
    let open = store.command("a", 2).await.unwrap().unwrap();
    assert_eq!(open.answer, None);
    assert_eq!(store.command("a", 3).await.unwrap(), None);
    // A number is not given again.
    assert_eq!(store.send_command("a", "resume", "t5").await.unwrap(), 3);
    assert_eq!(
        store.take_commands("b", "t6").await.unwrap(),
        [sent(1, "t1", "drain")]
    );
    assert!(matches!(
        store.send_command("none", "pause", "t7").await,
        Err(StoreError::UnknownRun { .. })
    ));
}

pub(crate) async fn the_newest_status_of_a_run_is_kept(backend: &impl Backend) {
    let store = backend.open();
    for run in ["a", "b"] {
        store.open_run(new_run(run)).await.unwrap();
    }
    assert_eq!(store.status("a").await.unwrap(), None);
    let status = |text: &str| RunStatus {
        at: "t".to_owned(),
        text: text.to_owned(),
    };
    for text in ["{}", "{\"rows\":1}"] {
        store.set_status("a", status(text)).await.unwrap();
    }
    assert_eq!(
        store.status("a").await.unwrap(),
        Some(status("{\"rows\":1}"))
    );
    assert_eq!(store.status("b").await.unwrap(), None);
    assert!(matches!(
        store.set_status("none", status("{}")).await,
        Err(StoreError::UnknownRun { .. })
    ));
}

pub(crate) async fn what_a_run_spends_adds_up(backend: &impl Backend) {
    let store = backend.open();
    store.open_run(new_run("a")).await.unwrap();
    assert_eq!(store.spent("a").await.unwrap(), Spent::default());
    let spent = Spent {
        input: 100,
        cached: 40,
        output: 10,
        cost: 0.25,
        unpriced_calls: 1,
    };
    for _ in 0..2 {
        store.add_spent("a", spent).await.unwrap();
    }
    drop(store);
    let store = backend.open();
    assert_eq!(
        store.spent("a").await.unwrap(),
        Spent {
            input: 200,
            cached: 80,
            output: 20,
            cost: 0.5,
            unpriced_calls: 2,
        }
    );
    assert_eq!(store.spent("none").await.unwrap(), Spent::default());
    assert!(matches!(
        store.add_spent("none", spent).await,
        Err(StoreError::UnknownRun { .. })
    ));
}

pub(crate) async fn everything_survives_reopening(backend: &impl Backend) {
    let store = backend.open();
    store.open_run(new_run("a")).await.unwrap();
    store.keep(call(b"k", b"reply")).await.unwrap();
    store.set_note("small", "structured", "tool").await.unwrap();
    seal(&store, "a", "r", Outcome::Revised).await;
    store.reject("a", rejected(2, "bad")).await.unwrap();
    store.set_checkpoint("a", far()).await.unwrap();
    let run = store.run("a").await.unwrap();
    let transcripts = store.transcripts("a", None, 10).await.unwrap();
    drop(store);

    let store = backend.open();
    assert_eq!(store.run("a").await.unwrap(), run);
    let reply = store.reply(Digest::of(b"k")).await.unwrap();
    assert_eq!(reply.as_deref(), Some(&b"reply"[..]));
    let note = store.note("small", "structured").await.unwrap();
    assert_eq!(note.as_deref(), Some("tool"));
    let again = store.transcripts("a", None, 10).await.unwrap();
    assert_eq!(again, transcripts);
    assert_eq!(store.rejected("a", 9).await.unwrap().1, 1);
    assert_eq!(store.checkpoint("a").await.unwrap(), far());
}

pub(crate) async fn what_is_not_awaited_is_flushed(backend: &impl Backend) {
    let store = backend.open();
    store.open_run(new_run("a")).await.unwrap();
    for line in 0..50 {
        let row = sealed_row(&line.to_string(), line, Outcome::Compliant, "{}");
        let mut sealing = store.seal("a", row);
        // Handed over, then no longer waited for.
        let _ = futures::poll!(&mut sealing);
    }
    store.flush().await.unwrap();
    assert_eq!(sealed_count(&store, "a").await, 50);
}

fn rejected(line: u64, reason: &str) -> RejectedRow {
    RejectedRow {
        line,
        reason: reason.to_owned(),
        excerpt: "{\"prompt".to_owned(),
    }
}

fn far() -> Checkpoint {
    Checkpoint {
        lines: 900,
        bytes: 1 << 40,
        rows: 890,
        digest: Some(Digest::of(b"so far")),
    }
}
