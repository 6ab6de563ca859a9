//! Writes that fail: one alone, or all of a transaction, and what is left afterwards.

use rusqlite::limits::Limit;

use super::Fresh;
use crate::model::journal::Journal;
use crate::record::RecordId;
use crate::store::conformance::{new_run, sealed_row};
use crate::store::sqlite::SqliteStore;
use crate::store::{SealedRow, Store, StoreError};
use crate::transcript::Outcome;

fn row(number: u64) -> SealedRow {
    let body = "x".repeat(20_000);
    sealed_row(&number.to_string(), number, Outcome::Compliant, &body)
}

/// Makes the file as full as a disk with room for so many more pages.
async fn leave_room(store: &SqliteStore, pages: i64) {
    let limit = store.writer().unwrap().write(0, move |session| {
        let connection = session.connection();
        let now: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
        Ok(
            connection.pragma_update_and_check(None, "max_page_count", now + pages, |row| {
                row.get::<_, i64>(0)
            })?,
        )
    });
    limit.await.unwrap();
}

#[tokio::test]
async fn a_full_disk_is_told_and_loses_nothing() {
    let fresh = Fresh::new();
    let store = fresh.store();
    store.open_run(new_run("a")).await.unwrap();
    leave_room(&store, 40).await;
    let mut sealed = Vec::new();
    for number in 0..100 {
        match store.seal("a", row(number)).await {
            Ok(()) => sealed.push(number),
            Err(error) => {
                assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
                break;
            }
        }
    }
    assert!((5..100).contains(&sealed.len()));

    // A group that does not fit fails as a whole, and says so to each of its callers.
    let group = (200..250).map(|number| store.seal("a", row(number)));
    for result in futures::future::join_all(group).await {
        assert!(matches!(result, Err(StoreError::Full { .. })));
    }
    let expected = sealed.len() as u64;
    assert_eq!(store.run("a").await.unwrap().unwrap().sealed, expected);

    // Room was made: the same writer goes on.
    leave_room(&store, 1_000).await;
    store.seal("a", row(999)).await.unwrap();
    sealed.push(999);
    drop(store);

    let store = fresh.store();
    for number in &sealed {
        let record = RecordId::new(number.to_string());
        let found = store.transcript("a", &record).await.unwrap();
        assert_eq!(found.unwrap().row, row(*number));
    }
    let run = store.run("a").await.unwrap().unwrap();
    assert_eq!(run.sealed, sealed.len() as u64);
    let mark = store.seal_mark("a", &RecordId::new("200")).await.unwrap();
    assert_eq!(mark, None);
}

#[tokio::test]
async fn a_row_that_no_file_can_hold_fails_alone() {
    let fresh = Fresh::new();
    let store = fresh.store();
    store.open_run(new_run("a")).await.unwrap();
    let limit = store.writer().unwrap().write(0, |session| {
        session
            .connection()
            .set_limit(Limit::SQLITE_LIMIT_LENGTH, 10_000)?;
        Ok(())
    });
    limit.await.unwrap();
    let small = |id: &str| store.seal("a", sealed_row(id, 1, Outcome::Compliant, "{}"));
    let (before, long, after) = futures::join!(small("1"), store.seal("a", row(2)), small("3"));
    assert!(before.is_ok() && after.is_ok());
    assert!(matches!(long, Err(StoreError::Backend(_))), "{long:?}");
    assert_eq!(store.run("a").await.unwrap().unwrap().sealed, 2);
}

#[tokio::test]
async fn several_statements_are_undone_together() {
    let fresh = Fresh::new();
    let store = fresh.store();
    store.open_run(new_run("a")).await.unwrap();
    let work = store.writer().unwrap().write(0, |session| {
        session.atomically(|session| {
            session.prepare("UPDATE runs SET sealed = 7")?.execute([])?;
            session
                .prepare("INSERT INTO runs (name) VALUES ('half')")?
                .execute([])?;
            Ok(())
        })
    });
    let (failed, kept) = futures::join!(work, store.set_note("m", "n", "kept"));
    assert!(failed.is_err());
    kept.unwrap();
    assert_eq!(store.run("a").await.unwrap().unwrap().sealed, 0);
    let note = store.note("m", "n").await.unwrap();
    assert_eq!(note.as_deref(), Some("kept"));
}

#[tokio::test]
async fn what_the_store_holds_is_not_trusted() {
    let fresh = Fresh::new();
    let store = fresh.store();
    store.open_run(new_run("a")).await.unwrap();
    let row = sealed_row("r", 1, Outcome::Compliant, "{}");
    store.seal("a", row).await.unwrap();
    let spoiled = [
        ("outcome = 'splendid'", "column outcome"),
        ("digest = x'00'", "column digest"),
        ("times = '{'", "column times"),
        ("line = -1", "column line"),
    ];
    for (change, place) in spoiled {
        let sql = format!("UPDATE transcripts SET {change}");
        let spoil = store.writer().unwrap().write(0, move |session| {
            Ok(session.connection().execute_batch(&format!(
                "DELETE FROM transcripts WHERE record = 'copy';
                 INSERT INTO transcripts (run, record, line, content, outcome, changed, digest,
                     times, body)
                 SELECT run, 'copy', line, content, outcome, changed, digest, times, body
                 FROM transcripts WHERE record = 'r';
                 {sql} WHERE record = 'copy'"
            ))?)
        });
        spoil.await.unwrap();
        let found = store.find_record(None, "copy", 1).await;
        let error = found.unwrap_err().to_string();
        assert!(error.contains(place), "{error}");
    }
}
