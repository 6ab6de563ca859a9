//! Many tasks, two stores and two processes on one file at once.

use std::path::Path;
use std::sync::{Arc, mpsc};

use rusqlite::Connection;

use super::{Fresh, process};
use crate::model::journal::Journal;
use crate::record::RecordId;
use crate::store::conformance::{call, new_run, sealed_row};
use crate::store::sqlite::SqliteStore;
use crate::store::{Store, StoreError};
use crate::transcript::Outcome;

#[tokio::test(flavor = "multi_thread")]
async fn many_tasks_write_and_read_at_once() {
    let fresh = Fresh::new();
    let store = Arc::new(fresh.store());
    store.open_run(new_run("a")).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..64_u64 {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            for step in 0..100 {
                let number = task * 100 + step;
                let key = number.to_le_bytes();
                store.keep(call(&key, b"reply")).await.unwrap();
                let id = number.to_string();
                let row = sealed_row(&id, number, Outcome::Compliant, "{}");
                store.seal("a", row).await.unwrap();
                // What was acknowledged is seen by every reader.
                let mark = store.seal_mark("a", &RecordId::new(id)).await.unwrap();
                assert_eq!(mark.unwrap().line, number);
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(store.run("a").await.unwrap().unwrap().sealed, 6_400);
}

#[tokio::test]
async fn what_requests_begin_with_is_kept_once_by_two_stores() {
    let fresh = Fresh::new();
    let (one, other) = (fresh.store(), fresh.store());
    for number in 0..10_u8 {
        one.keep(call(&[number, 0], b"reply")).await.unwrap();
        other.keep(call(&[number, 1], b"reply")).await.unwrap();
    }
    let read = |sql| {
        let file = Connection::open(fresh.path()).unwrap();
        file.query_row(sql, [], |row| row.get::<_, String>(0))
    };
    let heads = read("SELECT group_concat(text) FROM heads").unwrap();
    assert_eq!(heads, r#"{"messages":["#);
    let own = read("SELECT min(request) || max(request) || count(*) FROM calls").unwrap();
    assert_eq!(own, "]}]}20");
}

#[tokio::test]
async fn what_another_store_kept_is_found_however_much_is_kept_here() {
    let fresh = Fresh::new();
    let (one, other) = (fresh.store(), fresh.store());
    for number in 0..200_u8 {
        let (there, here) = (call(&[number, 0], b"there"), call(&[number, 1], b"here"));
        let key = there.key;
        one.keep(there).await.unwrap();
        other.keep(here).await.unwrap();
        let reply = other.reply(key).await.unwrap();
        assert_eq!(reply.as_deref(), Some(&b"there"[..]));
    }
}

const TWO: &str = "store::sqlite::tests::together::two_processes_write_two_runs";

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_write_two_runs() {
    if let Some(path) = process::part() {
        fill(&SqliteStore::open(Path::new(&path)).unwrap(), "child").await;
        return process::tell(1);
    }
    let fresh = Fresh::new();
    let store = fresh.store();
    let mut child = process::spawn(TWO, &fresh.path());
    fill(&store, "parent").await;
    assert_eq!(process::told(&mut child).count(), 1);
    assert!(child.wait().unwrap().success());
    for run in ["parent", "child"] {
        assert_eq!(store.run(run).await.unwrap().unwrap().sealed, 2_000);
    }
}

async fn fill(store: &SqliteStore, run: &str) {
    let _lock = store.lock_run(run).await.unwrap();
    store.open_run(new_run(run)).await.unwrap();
    for chunk in 0..200 {
        let rows = (0..10).map(|number| {
            let id = (chunk * 10 + number).to_string();
            store.seal(run, sealed_row(&id, 1, Outcome::Compliant, "{}"))
        });
        futures::future::try_join_all(rows).await.unwrap();
    }
}

#[tokio::test]
async fn a_run_has_one_holder() {
    let fresh = Fresh::new();
    let (first, second) = (fresh.store(), fresh.store());
    let lock = first.lock_run("a").await.unwrap();
    let error = second.lock_run("a").await.unwrap_err();
    assert!(matches!(&error, StoreError::RunInUse { run } if run == "a"));
    second.lock_run("b").await.unwrap();
    drop(lock);
    second.lock_run("a").await.unwrap();
}

#[test]
fn eight_stores_are_made_in_one_file_at_once() {
    for _ in 0..10 {
        let fresh = Fresh::new();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| drop(fresh.store()));
            }
        });
    }
}

#[tokio::test]
async fn readers_do_not_wait_for_a_long_write() {
    let fresh = Fresh::new();
    let store = Arc::new(fresh.store());
    store.open_run(new_run("a")).await.unwrap();
    let (started, has_started) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let writing = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            let writer = store.writer().unwrap();
            let work = writer.write(0, move |session| {
                session.prepare("UPDATE runs SET sealed = 7")?.execute([])?;
                started.send(()).unwrap();
                released.recv().unwrap();
                Ok(())
            });
            work.await
        }
    });
    while has_started.try_recv().is_err() {
        tokio::task::yield_now().await;
    }
    // In the middle of the transaction, each kind of reader sees what was before it.
    assert_eq!(store.run("a").await.unwrap().unwrap().sealed, 0);
    assert_eq!(store.runs().await.unwrap()[0].sealed, 0);
    assert!(store.find_record(None, "r", 1).await.unwrap().is_empty());
    release.send(()).unwrap();
    writing.await.unwrap().unwrap();
    assert_eq!(store.run("a").await.unwrap().unwrap().sealed, 7);
}
