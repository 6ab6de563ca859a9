//! An index follows its store, whoever else does the same.

use std::sync::Arc;

use serde_json::json;

use super::take_in::Trace;
use super::{Extract, Facts, Filter, Index, Kind, Sort, Spoken, catch_up, renew};
use crate::digest::Digest;
use crate::record::RecordId;
use crate::store::conformance::{NOW, new_run, sealed_row};
use crate::store::sqlite::SqliteStore;
use crate::store::{AuditLog as _, Erasure, EventEntry, Store, StoredTranscript};
use crate::transcript::{ConstitutionMark, Outcome};

/// Facts of a body that is a text: it violates `kind` when it says so.
fn extract(stored: &StoredTranscript) -> Extract {
    let text = String::from_utf8_lossy(&stored.row.sealed.body).into_owned();
    let violates = text.contains("unkind");
    Extract {
        facts: Facts {
            outcome: Some(stored.row.sealed.outcome),
            changed: stored.row.sealed.changed,
            violations: [0, 0, u32::from(violates), 0],
            spoken: vec![Spoken {
                principle: "kind".to_owned(),
                complies: !violates,
                violates,
                severity: if violates { 3 } else { 0 },
                ..Spoken::default()
            }],
            tags: vec!["a tag".to_owned(), "a tag".to_owned()],
            ..Facts::default()
        },
        constitution: Some(ConstitutionMark {
            name: "manners".to_owned(),
            version: "1".to_owned(),
            digest: Digest::of(b"manners"),
        }),
        excerpt: text.clone(),
        text,
    }
}

struct Desk {
    folder: tempfile::TempDir,
    store: Arc<SqliteStore>,
}

impl Desk {
    async fn of(records: std::ops::Range<u64>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(folder.path().join("a.db")).unwrap());
        store.open_run(new_run("a")).await.unwrap();
        let desk = Self { folder, store };
        desk.seal(records, Outcome::Compliant).await;
        desk
    }

    async fn seal(&self, records: std::ops::Range<u64>, outcome: Outcome) {
        for record in records {
            let body = if record % 2 == 0 {
                "an unkind word"
            } else {
                "a kind word"
            };
            let row = sealed_row(&format!("r{record}"), record, outcome, body);
            self.store.seal("a", row).await.unwrap();
        }
    }

    fn index(&self) -> Arc<Index> {
        Arc::new(Index::open(self.folder.path().join("a.db.index")).unwrap())
    }

    async fn follow(&self, index: &Arc<Index>) {
        catch_up(index, self.store.as_ref(), extract, &|_| ())
            .await
            .unwrap();
    }
}

fn unkind() -> Filter {
    Filter {
        run: Some("a".to_owned()),
        principle: Some("kind".to_owned()),
        severity: Some(3),
        tag: Some("a tag".to_owned()),
        ..Filter::default()
    }
}

/// What search, pages and counts say of how many transcripts there are.
fn counted(index: &Index) -> [u64; 4] {
    let all = Filter::default();
    let items = index
        .page(&all, Sort::Severity, None, false, 1000)
        .unwrap()
        .items;
    let tallies = index.run("a").unwrap().tallies;
    [
        index.count(&all).unwrap().0,
        items.len() as u64,
        tallies.transcripts(),
        tallies.count(Kind::Worst, 3) + tallies.count(Kind::Worst, 0),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sealed_is_taken_in_once_however_many_do_it() {
    let desk = Desk::of(0..40).await;
    let (one, other) = (desk.index(), desk.index());
    tokio::join!(desk.follow(&one), desk.follow(&other));
    assert_eq!(counted(&one), [40; 4]);
    desk.seal(40..60, Outcome::Compliant).await;
    tokio::join!(desk.follow(&one), desk.follow(&other));
    assert_eq!(counted(&other), [60; 4]);
    assert_eq!(one.count(&unkind()).unwrap(), (30, false));
    let kind = &one.run("a").unwrap().tallies.principles()[0];
    assert_eq!((kind.assessed, kind.violated), (60, 30));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unsealed_is_forgotten_and_what_took_its_place_is_there() {
    let desk = Desk::of(0..10).await;
    desk.seal(10..16, Outcome::Failed).await;
    let index = desk.index();
    desk.follow(&index).await;
    assert_eq!(counted(&index), [16; 4]);
    desk.store.unseal("a", Outcome::Failed, NOW).await.unwrap();
    // As many again, of which some failed again.
    desk.seal(10..14, Outcome::Failed).await;
    desk.seal(14..16, Outcome::Revised).await;
    desk.follow(&index).await;
    assert_eq!(counted(&index), [16; 4]);
    let failed = Filter {
        outcome: Some(Outcome::Failed),
        ..Filter::default()
    };
    assert_eq!(index.count(&failed).unwrap().0, 4);
    desk.store.unseal("a", Outcome::Failed, NOW).await.unwrap();
    desk.store
        .set_run_state(
            "a",
            crate::store::RunState::Finished,
            "2026-01-02T03:04:06Z",
        )
        .await
        .unwrap();
    desk.follow(&index).await;
    assert_eq!(counted(&index), [12; 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn content_that_is_another_is_taken_in_again() {
    let desk = Desk::of(0..4).await;
    let index = desk.index();
    desk.follow(&index).await;
    let items = index
        .page(&unkind(), Sort::Newest, None, false, 9)
        .unwrap()
        .items;
    assert_eq!(items.len(), 2);
    assert!(
        !renew(&index, desk.store.as_ref(), extract, &items)
            .await
            .unwrap()
    );
    let connection = rusqlite::Connection::open(desk.folder.path().join("a.db")).unwrap();
    connection
        .execute(
            "UPDATE transcripts SET body = 'gone', content = zeroblob(16) WHERE record = 'r2'",
            [],
        )
        .unwrap();
    assert!(
        renew(&index, desk.store.as_ref(), extract, &items)
            .await
            .unwrap()
    );
    assert_eq!(index.count(&unkind()).unwrap().0, 1);
    assert_eq!(counted(&index), [4; 4]);
    let words = Filter {
        text: "gone".to_owned(),
        ..Filter::default()
    };
    assert_eq!(index.count(&words).unwrap().0, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_follows_next_finishes_what_a_killed_process_began_to_forget() {
    let desk = Desk::of(0..4).await;
    let row = sealed_row("r9", 9, Outcome::Compliant, "an unkind secret");
    desk.store.seal("a", row).await.unwrap();
    let index = desk.index();
    desk.follow(&index).await;
    let holds = || {
        ["a.db.index", "a.db.index-wal"].iter().any(|file| {
            let bytes = std::fs::read(desk.folder.path().join(file)).unwrap_or_default();
            bytes.windows(6).any(|piece| piece == b"secret")
        })
    };
    assert!(holds());
    let page = index.page(&unkind(), Sort::Newest, None, false, 1).unwrap();
    let place = page.items[0].position;
    // A process that is killed here has forgotten the item, and not yet its words.
    index.replace("a", &[place], &[], Trace::None).unwrap();
    drop(index);
    assert!(holds());
    desk.follow(&desk.index()).await;
    assert!(!holds());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_store_at_the_same_place_is_another_index() {
    let desk = Desk::of(0..5).await;
    let index = desk.index();
    desk.follow(&index).await;
    let other = SqliteStore::open(desk.folder.path().join("b.db")).unwrap();
    other.open_run(new_run("a")).await.unwrap();
    let row = sealed_row("only", 1, Outcome::Compliant, "a kind word");
    other.seal("a", row).await.unwrap();
    catch_up(&index, &other, extract, &|_| ()).await.unwrap();
    assert_eq!(counted(&index), [1; 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_reviewed_is_found_and_stays_so_when_it_is_erased() {
    let desk = Desk::of(0..4).await;
    let index = desk.index();
    desk.follow(&index).await;
    let count = |index: &Index, reviewed: bool| {
        let filter = Filter {
            reviewed: Some(reviewed),
            ..unkind()
        };
        index.count(&filter).unwrap().0
    };
    assert_eq!((count(&index, true), count(&index, false)), (0, 2));
    let now = desk.store.transcript("a", &RecordId::new("r0")).await;
    let digest = now.unwrap().expect("a transcript").row.sealed.digest;
    let review = |record: &str, transcript: Digest| {
        let more = json!({ "record": record, "transcript": transcript });
        EventEntry::new("review", NOW, Some("a"), more)
    };
    // Twice, about one that is not there, and about a transcript that another has taken the place of.
    for (record, transcript) in [
        ("r0", digest),
        ("r0", digest),
        ("r9", digest),
        ("r2", Digest::of(b"another")),
    ] {
        let event = review(record, transcript);
        desk.store.append_event(event).await.unwrap();
    }
    desk.follow(&index).await;
    assert_eq!((count(&index, true), count(&index, false)), (1, 1));
    assert_eq!(counted(&index), [4, 4, 4, 4]);
    let record = RecordId::new("r0");
    let erasure = Erasure {
        event: EventEntry::new("erased", NOW, Some("a"), json!({})),
        tombstone: b"an unkind tombstone".to_vec(),
        calls: Vec::new(),
    };
    desk.store.erase("a", &record, erasure).await.unwrap();
    desk.follow(&index).await;
    assert_eq!((count(&index, true), count(&index, false)), (1, 1));
    drop(index);
    std::fs::remove_file(desk.folder.path().join("a.db.index")).unwrap();
    let anew = desk.index();
    desk.follow(&anew).await;
    assert_eq!((count(&anew, true), count(&anew, false)), (1, 1));
}
