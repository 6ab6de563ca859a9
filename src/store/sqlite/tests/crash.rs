//! Whatever was acknowledged is there after the process was killed.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::{Fresh, process};
use crate::digest::Digest;
use crate::model::journal::Journal;
use crate::record::RecordId;
use crate::store::conformance::{call, new_run, sealed_row};
use crate::store::sqlite::SqliteStore;
use crate::store::{Store, StoreError};
use crate::transcript::Outcome;

const NAME: &str = "store::sqlite::tests::crash::what_was_acknowledged_survives_a_kill";

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_a_kill() {
    if let Some(path) = process::part() {
        return write_until_killed(Path::new(&path)).await;
    }
    let fresh = Fresh::new();
    drop(fresh.store());
    let mut acknowledged = BTreeSet::new();
    for most in [1, 100, 700, 2_000] {
        let mut child = process::spawn(NAME, &fresh.path());
        acknowledged.extend(process::told(&mut child).take(most));
        // The process is killed as by `kill -9`, in the middle of its writes.
        child.kill().unwrap();
        child.wait().unwrap();

        let store = fresh.store();
        // Its lock died with it.
        drop(store.lock_run("a").await.unwrap());
        let sealed = store.run("a").await.unwrap().unwrap().sealed;
        let page = store.transcripts("a", None, usize::MAX).await.unwrap();
        assert_eq!(page.items.len() as u64, sealed);
        assert!(sealed >= acknowledged.len() as u64);
        for number in &acknowledged {
            let record = RecordId::new(number.to_string());
            let found = store.transcript("a", &record).await.unwrap();
            assert_eq!(found.unwrap().row, row(*number), "{number}");
            let reply = store.reply(Digest::of(&number.to_le_bytes())).await;
            assert!(reply.unwrap().is_some(), "{number}");
        }
    }
}

fn row(number: u64) -> crate::store::SealedRow {
    let body = "x".repeat(usize::try_from(number % 5_000).unwrap());
    sealed_row(&number.to_string(), number, Outcome::Compliant, &body)
}

async fn write_until_killed(path: &Path) {
    let store = Arc::new(SqliteStore::open(path).unwrap());
    let _lock = store.lock_run("a").await.unwrap();
    let run = store.open_run(new_run("a")).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..32 {
        let store = Arc::clone(&store);
        let first = (run.sealed + 1) * 1_000 + task;
        tasks.spawn(async move {
            for number in (first..).step_by(32) {
                store
                    .keep(call(&number.to_le_bytes(), b"reply"))
                    .await
                    .unwrap();
                match store.seal("a", row(number)).await {
                    Ok(()) => process::tell(number),
                    Err(StoreError::AlreadySealed { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        });
    }
    tasks.join_all().await;
}

#[tokio::test]
async fn a_store_dropped_without_flush_has_what_was_acknowledged() {
    let fresh = Fresh::new();
    let store = fresh.store();
    store.open_run(new_run("a")).await.unwrap();
    for number in 0..100 {
        store.seal("a", row(number)).await.unwrap();
    }
    drop(store);
    let files = std::fs::read_dir(fresh.folder.path()).unwrap().count();
    assert_eq!(files, 1, "the log is folded into the file");
    let run = fresh.store().run("a").await.unwrap().unwrap();
    assert_eq!(run.sealed, 100);
}
