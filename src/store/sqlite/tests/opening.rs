//! Files that open, files that do not, and what is said about those.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, params};

use super::{Fresh, process};
use crate::digest::Digest;
use crate::model::journal::Journal;
use crate::store::conformance::{call as call_of, new_run};
use crate::store::sqlite::{SqliteStore, migrate};
use crate::store::{AuditLog, EventEntry, Store, StoreError, TranscriptEntry, payload_hash};

/// What is said when the store cannot be opened, without the folder's random name.
fn refusal(fresh: &Fresh, path: impl AsRef<Path>) -> String {
    let error = SqliteStore::open(path).unwrap_err().to_string();
    error.replace(fresh.folder.path().to_str().unwrap(), "FOLDER")
}

#[test]
fn a_place_that_cannot_hold_a_store_is_named_with_the_reason() {
    let fresh = Fresh::new();
    let folder = fresh.folder.path();
    fs::write(folder.join("file"), "").unwrap();
    let told = [
        refusal(&fresh, folder),
        refusal(&fresh, folder.join("missing/redraft.db")),
        refusal(&fresh, folder.join("file/redraft.db")),
        refusal(&fresh, "/dev/null"),
        refusal(&fresh, ""),
    ];
    insta::assert_snapshot!(told.join("\n"), @r"
    cannot open the store FOLDER: it is a folder; give a file in it
    cannot open the store FOLDER/missing/redraft.db: there is no folder FOLDER/missing; make it, or give another --store
    cannot open the store FOLDER/file/redraft.db: Not a directory (os error 20)
    cannot open the store /dev/null: it is not a file
    cannot open the store : its name is empty; give a file
    ");
}

#[test]
fn a_foreign_file_is_refused_and_left_as_it_is() {
    let fresh = Fresh::new();
    let path = fresh.path();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE t (x)").unwrap();
    drop(other);
    let database = fs::read(&path).unwrap();
    for content in [database, b"prompt,answer\n".to_vec(), vec![0; 100]] {
        fs::write(&path, &content).unwrap();
        for opened in [SqliteStore::open(&path), SqliteStore::open_read_only(&path)] {
            let error = opened.unwrap_err();
            assert!(matches!(error, StoreError::Foreign { .. }), "{error:?}");
        }
        assert_eq!(fs::read(&path).unwrap(), content);
        assert_eq!(fs::read_dir(fresh.folder.path()).unwrap().count(), 1);
    }
}

#[test]
fn a_newer_store_is_refused_by_name() {
    let fresh = Fresh::new();
    drop(fresh.store());
    let other = Connection::open(fresh.path()).unwrap();
    other.pragma_update(None, "user_version", 99).unwrap();
    drop(other);
    let error = fresh_error(&fresh);
    assert!(matches!(error, StoreError::Newer { found: 99, .. }));
    assert!(error.to_string().contains("install a newer redraft"));
}

fn fresh_error(fresh: &Fresh) -> StoreError {
    SqliteStore::open(fresh.path()).unwrap_err()
}

#[tokio::test]
async fn a_store_of_the_first_format_opens_and_its_calls_are_read() {
    let fresh = Fresh::new();
    let old = Connection::open(fresh.path()).unwrap();
    migrate::migrate(&old, "old.db", &migrate::STEPS[..1]).unwrap();
    let key = Digest::of(b"asked by an older redraft");
    let asked = r#"{"request":{"messages":[]}}"#;
    let insert = "INSERT INTO calls (key, model, latency_us, reply, request)
                  VALUES (?1, 'm', 5, x'00ff', ?2)";
    old.execute(insert, params![key.as_bytes(), asked]).unwrap();
    drop(old);

    let store = fresh.store();
    let call = store.call(key).await.unwrap().unwrap();
    assert_eq!((call.request.as_ref(), call.head), (asked.as_bytes(), 0));
    assert_eq!(call.reply.as_ref(), b"\0\xff");
    assert!(store.keep(call_of(b"new", b"reply")).await.unwrap());
    assert!(!store.keep(call).await.unwrap());
}

#[tokio::test]
async fn transcripts_of_an_older_format_are_given_leaves_and_said_to_be_older() {
    let fresh = Fresh::new();
    let old = Connection::open(fresh.path()).unwrap();
    migrate::migrate(&old, "old.db", &migrate::STEPS[..3]).unwrap();
    let run = new_run("a");
    let insert = "INSERT INTO runs (name, dataset, decided_by, started, state, updated, sealed)
                  VALUES ('a', ?1, ?2, ?3, 'finished', ?3, 2)";
    let decided_by = run.decided_by.to_string();
    old.execute(insert, params![run.dataset, decided_by, run.started])
        .unwrap();
    for record in ["r1", "r2"] {
        let digest = Digest::of(b"{}");
        let insert = "INSERT INTO transcripts
                      (run, record, line, content, outcome, changed, digest, times, body)
                      VALUES (1, ?1, 1, ?2, 'compliant', 0, ?2, '{}', '{}')";
        old.execute(insert, params![record, digest.as_bytes()])
            .unwrap();
    }
    drop(old);

    let store: Arc<dyn Store> = Arc::new(fresh.store());
    assert_eq!(store.log_size().await.unwrap(), 3);
    let events = store.events(0, 9).await.unwrap();
    let event: EventEntry = serde_json::from_slice(&events[0].entry).unwrap();
    assert_eq!((events.len(), event.event.as_str()), (1, "adopted"));
    assert_eq!(event.more["leaves"], 2);
    let leaves = store.leaves(0, 2).await.unwrap();
    for leaf in leaves {
        let row = leaf.transcript.unwrap();
        let salt = leaf.salt.unwrap();
        let payload = payload_hash(&salt, &row.content, &row.digest, &row.times, &row.body);
        let entry: TranscriptEntry = serde_json::from_slice(&leaf.entry).unwrap();
        assert_eq!((entry.record, entry.payload), (row.record, payload));
    }
    drop(store);
    assert_eq!(fresh.store().log_size().await.unwrap(), 3, "only once");
}

#[test]
fn a_damaged_store_is_called_damaged() {
    let fresh = Fresh::new();
    drop(fresh.store());
    let mut bytes = fs::read(fresh.path()).unwrap();
    bytes[100..20_000].fill(0xaa);
    fs::write(fresh.path(), bytes).unwrap();
    let error = fresh_error(&fresh);
    assert!(
        matches!(error, StoreError::Inconsistent { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_empty_file_and_odd_names_are_fine() {
    let fresh = Fresh::new();
    for name in [
        "empty.db",
        "file:memory?mode=memory",
        ":memory:",
        "100% a b#?.db",
        "é🦀'\".db",
    ] {
        let path = fresh.folder.path().join(name);
        fs::write(&path, "").unwrap();
        let store = SqliteStore::open(&path).unwrap();
        assert_eq!(store.location(), path.to_str().unwrap());
        store.open_run(new_run("a")).await.unwrap();
        drop(store.lock_run("a").await.unwrap());
        drop(store);
        assert!(fs::metadata(&path).unwrap().len() > 0);
        let again = SqliteStore::open_read_only(&path).unwrap();
        assert!(again.run("a").await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_store_opened_for_reading_is_read_and_not_written() {
    let fresh = Fresh::new();
    let missing = SqliteStore::open_read_only(fresh.path()).unwrap_err();
    assert!(missing.to_string().ends_with("there is no such file"));
    assert!(!fresh.path().exists());

    let writer = fresh.store();
    writer.open_run(new_run("a")).await.unwrap();
    let reader = SqliteStore::open_read_only(fresh.path()).unwrap();
    assert!(reader.run("a").await.unwrap().is_some());
    writer.open_run(new_run("b")).await.unwrap();
    assert!(reader.run("b").await.unwrap().is_some());
    let refused = reader.open_run(new_run("c")).await.unwrap_err();
    assert!(matches!(refused, StoreError::ReadOnly { .. }));
    let refused = reader.lock_run("a").await.unwrap_err();
    assert!(matches!(refused, StoreError::ReadOnly { .. }));
    assert!(reader.set_note("m", "n", "v").await.is_err());
}

#[cfg(unix)]
#[test]
fn a_read_only_place_is_found_when_it_is_opened() {
    process::unprivileged(
        "store::sqlite::tests::opening::a_read_only_place_is_found_when_it_is_opened",
        read_only_places,
    );
}

#[cfg(unix)]
fn read_only_places() {
    use std::os::unix::fs::PermissionsExt;
    let allow = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let fresh = Fresh::new();
    let (folder, path) = (fresh.folder.path(), fresh.path());

    allow(folder, 0o555);
    let mut told = vec![refusal(&fresh, &path)];
    allow(folder, 0o755);
    drop(fresh.store());
    allow(folder, 0o555);
    told.push(refusal(&fresh, &path));
    // It can be read all the same.
    let reader = SqliteStore::open_read_only(&path).unwrap();
    drop(reader);
    allow(folder, 0o755);
    allow(&path, 0o444);
    told.push(refusal(&fresh, &path));
    drop(SqliteStore::open_read_only(&path).unwrap());
    allow(&path, 0);
    told.push(refusal(&fresh, &path));
    let reasons = [
        "its folder cannot be written",
        "the file or its folder is read-only",
        "the file or its folder is read-only",
        "the file cannot be read, or its folder not written",
    ];
    for (told, reason) in told.iter().zip(reasons) {
        let expected = format!(
            "cannot open the store FOLDER/redraft.db: {reason}; \
             change the permissions, or give another --store"
        );
        assert_eq!(*told, expected);
    }
}
