//! A store that somebody edits behind redraft's back: a thousand edits of every kind, each found and named.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::json;
use tempfile::TempDir;

use super::{Asked, Problem, Report, State, verify};
use crate::audit::proof::{SignedNote, SigningKey, make_checkpoint};
use crate::digest::Digest;
use crate::merkle::leaf_hash;
use crate::record::RecordId;
use crate::store::conformance::{NOW, new_run, sealed_row};
use crate::store::sqlite::SqliteStore;
use crate::store::{
    AuditLog, ERASED, Erasure, EventEntry, RejectedRow, RunState, Store, TranscriptEntry,
    payload_hash, rejected_root,
};
use crate::transcript::Outcome;

/// How many edits are tried.
const CASES: u64 = 1_000;
const RUNS: [&str; 2] = ["first", "second"];
const RECORDS: u64 = 12;

/// A store with everything in it that can be tampered with, and a checkpoint that was kept elsewhere.
struct Sealed {
    folder: TempDir,
    asked: Asked,
}

impl Sealed {
    async fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("sealed.db")).unwrap();
        let key = SigningKey::generate("auditor").unwrap();
        for run in RUNS {
            fill(&store, run).await;
        }
        let made = make_checkpoint(&store, Some(&key), NOW).await.unwrap();
        assert!(!made.was_there);
        let asked = Asked {
            checkpoint: Some(made.note),
            key: Some(key.public()),
            ..Asked::default()
        };
        Self { folder, asked }
    }

    /// A copy to be edited.
    fn copy(&self, name: &str) -> PathBuf {
        let copy = self.folder.path().join(name);
        fs::copy(self.folder.path().join("sealed.db"), &copy).unwrap();
        copy
    }

    async fn verify(&self, store: &Path) -> Report {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open_read_only(store).unwrap());
        verify(store, self.asked.clone()).await.unwrap()
    }
}

/// A finished run with a record that was done again, one that was erased, and rejected rows.
async fn fill(store: &SqliteStore, run: &str) {
    store.open_run(new_run(run)).await.unwrap();
    let failed = sealed_row("again", 1, Outcome::Failed, r#"{"why":"no reply"}"#);
    store.seal(run, failed).await.unwrap();
    for line in 2..=RECORDS {
        let body = format!(r#"{{"run":"{run}","answer":"what record {line} answers"}}"#);
        let record = format!("{run}-{line}");
        let row = sealed_row(
            &record,
            line,
            Outcome::ALL[usize::from(line % 2 == 0)],
            &body,
        );
        store.seal(run, row).await.unwrap();
    }
    assert_eq!(store.unseal(run, Outcome::Failed, NOW).await.unwrap(), 1);
    let again = sealed_row("again", 1, Outcome::Compliant, r#"{"why":"a reply"}"#);
    store.seal(run, again).await.unwrap();
    let erasure = Erasure {
        event: EventEntry::new("erased", NOW, Some(run), json!({ "reason": "asked for" })),
        tombstone: br#"{"why":"erased"}"#.to_vec(),
        calls: Vec::new(),
    };
    let record = RecordId::new(format!("{run}-3"));
    store.erase(run, &record, erasure).await.unwrap();
    for line in [20, 21] {
        let (reason, excerpt) = ("bad".to_owned(), "{".to_owned());
        let row = RejectedRow {
            line,
            reason,
            excerpt,
        };
        store.reject(run, row).await.unwrap();
    }
    let (rejected, root) = rejected_root(store, run).await.unwrap();
    let more = json!({
        "rows": RECORDS + rejected, "doubled": 0, "samples": 1, "transcripts": RECORDS,
        "rejected": { "rows": rejected, "root": root },
    });
    let ended = EventEntry::new("ended", NOW, Some(run), more);
    store.append_event(ended).await.unwrap();
    store
        .set_run_state(run, RunState::Finished, NOW)
        .await
        .unwrap();
}

/// Numbers that look random and are the same every time.
struct Draws(u64);

impl Draws {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 += 1;
        Digest::of(&self.0.to_le_bytes()).number() % limit
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }
}

/// What a report must name.
#[derive(Clone, Debug, PartialEq)]
enum Named {
    Record(String),
    Leaf(u64),
    Run(String),
    /// Only the whole can be named: what differs was made to look right.
    Whole,
}

impl Named {
    fn is_named_by(&self, problem: &Problem) -> bool {
        match self {
            Self::Record(record) => problem.record.as_ref() == Some(record),
            Self::Leaf(leaf) => problem.leaf == Some(*leaf),
            Self::Run(run) => problem.run.as_ref() == Some(run),
            Self::Whole => problem.what.contains("checkpoint"),
        }
    }
}

/// Somebody with the file and SQLite.
struct Tamperer<'a> {
    file: Connection,
    draws: &'a mut Draws,
}

impl Tamperer<'_> {
    /// A transcript whose payload is there: its position and record.
    fn victim(&mut self) -> (i64, String) {
        let offset = self.draws.below(2 * (RECORDS - 1));
        let sql = "SELECT position, record FROM transcripts WHERE content <> ?1
                   ORDER BY position LIMIT 1 OFFSET ?2";
        let row = params![ERASED.as_bytes(), i64::try_from(offset).unwrap()];
        self.file
            .query_row(sql, row, |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
    }

    fn two_victims(&mut self) -> [(i64, String); 2] {
        loop {
            let both = [self.victim(), self.victim()];
            if both[0].0 != both[1].0 {
                return both;
            }
        }
    }

    fn run(&mut self) -> String {
        self.draws.of(&RUNS).to_owned()
    }

    fn change(&self, sql: &str, values: impl rusqlite::Params) {
        assert!(self.file.execute(sql, values).unwrap() > 0, "{sql}");
    }

    fn body(&self, position: i64) -> String {
        self.file
            .query_row(
                "SELECT body FROM transcripts WHERE position = ?1",
                [position],
                |row| row.get(0),
            )
            .unwrap()
    }

    fn leaves(&self) -> i64 {
        self.file
            .query_row("SELECT max(number) FROM leaves", [], |row| row.get(0))
            .unwrap()
    }

    fn flip(&mut self) -> Named {
        let (position, record) = self.victim();
        let mut body = self.body(position).into_bytes();
        let place = usize::try_from(self.draws.below(body.len() as u64)).unwrap();
        body[place] ^= 1;
        let body = String::from_utf8(body).unwrap();
        self.change(
            "UPDATE transcripts SET body = ?2 WHERE position = ?1",
            params![position, body],
        );
        if self.draws.below(2) == 0 {
            // Even with the digest made to fit.
            self.change(
                "UPDATE transcripts SET digest = ?2 WHERE position = ?1",
                params![position, Digest::of(body.as_bytes()).as_bytes()],
            );
        }
        Named::Record(record)
    }

    fn edit_column(&mut self) -> Named {
        let (position, record) = self.victim();
        let edit = self.draws.of(&[
            "line = line + 1",
            "changed = 1 - changed",
            "changed = 2",
            "outcome = 'unresolved'",
            "outcome = 'splendid'",
            "times = '{}'",
            "content = x'00'",
            "digest = zeroblob(16)",
            "run = 3 - run",
            "run = 77",
        ]);
        let sql = format!("UPDATE transcripts SET {edit} WHERE position = ?1");
        self.file
            .execute_batch("DROP INDEX transcripts_by_record")
            .unwrap();
        self.change(&sql, [position]);
        Named::Record(record)
    }

    fn delete(&mut self) -> Named {
        let (position, record) = self.victim();
        self.change("DELETE FROM transcripts WHERE position = ?1", [position]);
        self.change("UPDATE runs SET sealed = sealed - 1", []);
        Named::Record(record)
    }

    fn insert(&mut self) -> Named {
        let (position, _) = self.victim();
        self.change(
            "INSERT INTO transcripts (run, record, line, content, outcome, changed, digest, times, body)
             SELECT run, 'forged', line, content, outcome, changed, digest, times, body
             FROM transcripts WHERE position = ?1",
            [position],
        );
        if self.draws.below(2) == 0 {
            self.change("UPDATE runs SET sealed = sealed + 1", []);
        }
        Named::Record("forged".to_owned())
    }

    fn truncate(&mut self) -> Named {
        let (position, record) = self.victim();
        let mut body = self.body(position);
        body.truncate(usize::try_from(self.draws.below(body.len() as u64)).unwrap());
        self.change(
            "UPDATE transcripts SET body = ?2 WHERE position = ?1",
            params![position, body],
        );
        Named::Record(record)
    }

    fn swap(&mut self) -> Named {
        let [(one, record), (other, _)] = self.two_victims();
        let columns = self.draws.of(&[
            "body",
            "body, digest",
            "content, digest, times, body",
            "line, content, outcome, changed, digest, times, body",
        ]);
        let new = columns.split(", ").map(|column| format!("new.{column}"));
        let new: Vec<String> = new.collect();
        self.file
            .execute_batch("CREATE TEMP TABLE old AS SELECT * FROM transcripts")
            .unwrap();
        for (to, from) in [(one, other), (other, one)] {
            let sql = format!(
                "UPDATE transcripts SET ({columns}, times) = (SELECT {}, new.times FROM old new
                 WHERE new.position = ?2) WHERE position = ?1",
                new.join(", ")
            );
            let sql = if columns.contains("times") {
                sql.replace(", times) =", ") =")
                    .replace(", new.times FROM", " FROM")
            } else {
                sql
            };
            self.change(&sql, [to, from]);
        }
        Named::Record(record)
    }

    fn swap_names(&mut self) -> Named {
        let [(one, record), (other, second)] = self.two_victims();
        self.file
            .execute_batch("DROP INDEX transcripts_by_record")
            .unwrap();
        for (position, name) in [(one, &second), (other, &record)] {
            self.change(
                "UPDATE transcripts SET record = ?2 WHERE position = ?1",
                params![position, name],
            );
        }
        // The two records that are both called `again` are told apart by their runs.
        if record == second {
            self.change(
                "UPDATE transcripts SET record = 'x' WHERE position = ?1",
                [one],
            );
        }
        Named::Record(record)
    }

    fn reorder(&mut self) -> Named {
        let leaves = u64::try_from(self.leaves()).unwrap();
        let one = self.draws.below(leaves - 1) + 1;
        let (one, other) = (i64::try_from(one).unwrap(), i64::try_from(one + 1).unwrap());
        for (from, to) in [(one, -1), (other, one), (-1, other)] {
            self.change(
                "UPDATE leaves SET number = ?2 WHERE number = ?1",
                [from, to],
            );
        }
        Named::Whole
    }

    fn swap_positions(&mut self) -> Named {
        let [(one, record), (other, _)] = self.two_victims();
        for (from, to) in [(one, -1), (other, one), (-1, other)] {
            self.change(
                "UPDATE leaves SET position = ?2 WHERE position = ?1",
                [from, to],
            );
        }
        Named::Record(record)
    }

    fn edit_event(&mut self) -> Named {
        let (number, entry): (i64, String) = {
            let events: i64 = self.draws.below(10).try_into().unwrap();
            let sql = "SELECT number, entry FROM leaves WHERE position IS NULL
                       ORDER BY number LIMIT 1 OFFSET ?1 % (SELECT count(*) FROM leaves WHERE position IS NULL)";
            self.file
                .query_row(sql, [events], |row| Ok((row.get(0)?, row.get(1)?)))
                .unwrap()
        };
        let edited = entry.replacen("2026", "2025", 1);
        assert_ne!(edited, entry);
        self.change(
            "UPDATE leaves SET entry = ?2 WHERE number = ?1",
            params![number, edited],
        );
        if self.draws.below(2) == 0 {
            return Named::Leaf(number.unsigned_abs() - 1);
        }
        self.rehash(number, &edited);
        Named::Whole
    }

    fn rehash(&self, number: i64, entry: &str) {
        let hash = leaf_hash(entry.as_bytes());
        self.change(
            "UPDATE leaves SET hash = ?2 WHERE number = ?1",
            params![number, hash.as_bytes()],
        );
    }

    /// An edit by somebody who knows how leaves are made.
    fn forge(&mut self) -> Named {
        let (position, record) = self.victim();
        let body = self
            .body(position)
            .replace("record", "Record")
            .replace("reply", "Reply");
        let digest = Digest::of(body.as_bytes());
        self.change(
            "UPDATE transcripts SET body = ?2, digest = ?3 WHERE position = ?1",
            params![position, body, digest.as_bytes()],
        );
        let (number, entry, salt): (i64, String, Vec<u8>) = self
            .file
            .query_row(
                "SELECT number, entry, salt FROM leaves WHERE position = ?1",
                [position],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .unwrap();
        let (content, times): (Vec<u8>, String) = self
            .file
            .query_row(
                "SELECT content, times FROM transcripts WHERE position = ?1",
                [position],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap();
        let entry: TranscriptEntry = serde_json::from_str(&entry).unwrap();
        assert_eq!(entry.record, record);
        let payload = payload_hash(
            &salt,
            &content,
            digest.as_bytes(),
            times.as_bytes(),
            body.as_bytes(),
        );
        let entry = TranscriptEntry { payload, ..entry }.to_json();
        self.change(
            "UPDATE leaves SET entry = ?2 WHERE number = ?1",
            params![number, entry],
        );
        self.rehash(number, &entry);
        Named::Whole
    }

    /// The newest leaves with what they are about, and the checkpoints of the store.
    fn drop_newest(&mut self) -> Named {
        let keep = self.leaves() - 1 - i64::try_from(self.draws.below(15)).unwrap();
        self.file
            .execute(
                "DELETE FROM transcripts WHERE position IN
                 (SELECT position FROM leaves WHERE number > ?1)",
                [keep],
            )
            .unwrap();
        self.change("DELETE FROM leaves WHERE number > ?1", [keep]);
        self.change(
            "UPDATE runs SET sealed =
             (SELECT count(*) FROM transcripts WHERE transcripts.run = runs.id)",
            [],
        );
        self.change("DELETE FROM tree_checkpoints", []);
        Named::Whole
    }

    fn spoil_leaf(&mut self) -> Named {
        let (position, record) = self.victim();
        let number: i64 = self
            .file
            .query_row(
                "SELECT number FROM leaves WHERE position = ?1",
                [position],
                |row| row.get(0),
            )
            .unwrap();
        let leaf = number.unsigned_abs() - 1;
        let (sql, named) = self.draws.of(&[
            ("DELETE FROM leaves WHERE number = ?1", false),
            ("UPDATE leaves SET salt = NULL WHERE number = ?1", true),
            (
                "UPDATE leaves SET salt = zeroblob(32) WHERE number = ?1",
                true,
            ),
            (
                "UPDATE leaves SET hash = zeroblob(32) WHERE number = ?1",
                true,
            ),
            ("UPDATE leaves SET hash = x'00' WHERE number = ?1", true),
            ("UPDATE leaves SET position = NULL WHERE number = ?1", true),
            ("UPDATE leaves SET position = 999 WHERE number = ?1", true),
            ("UPDATE leaves SET entry = '{}' WHERE number = ?1", false),
        ]);
        self.change(sql, [number]);
        if named {
            Named::Record(record)
        } else {
            Named::Leaf(leaf)
        }
    }

    fn edit_rejected(&mut self) -> Named {
        let run = self.run();
        let edit = self.draws.of(&[
            "UPDATE rejected SET reason = 'fine' WHERE line = 20",
            "UPDATE rejected SET excerpt = '' WHERE line = 21",
            "UPDATE rejected SET line = 22 WHERE line = 21",
            "DELETE FROM rejected WHERE line = 20",
        ]);
        let sql = format!("{edit} AND run = (SELECT id FROM runs WHERE name = ?1)");
        self.change(&sql, [&run]);
        Named::Run(run)
    }

    fn edit_run(&mut self) -> Named {
        let run = self.run();
        let edit = self.draws.of(&[
            "UPDATE runs SET decided_by = '{}'",
            "UPDATE runs SET dataset = 'other'",
            "UPDATE runs SET scope = 'fresh'",
            "UPDATE runs SET started = '2025'",
            "UPDATE runs SET sealed = sealed + 1",
            "UPDATE runs SET name = 'other'",
            "DELETE FROM runs",
        ]);
        self.change(&format!("{edit} WHERE name = ?1"), [&run]);
        Named::Run(run)
    }

    fn edit_tombstone(&mut self) -> Named {
        let run = self.run();
        let edit = self.draws.of(&[
            "body = '{\"why\":\"nothing\"}'",
            "content = x'01'",
            "outcome = 'failed'",
            "line = 99",
            "changed = 1 - changed",
        ]);
        let record = format!("{run}-3");
        let sql = format!("UPDATE transcripts SET {edit} WHERE record = ?1");
        self.change(&sql, [&record]);
        Named::Record(record)
    }

    fn edit_checkpoint(&mut self) -> Named {
        let note: String = self
            .file
            .query_row("SELECT note FROM tree_checkpoints", [], |row| row.get(0))
            .optional()
            .unwrap()
            .unwrap();
        let mut note: SignedNote = note.parse().unwrap();
        let lines: Vec<&str> = note.text.lines().collect();
        let root = leaf_hash(b"another tree");
        let root = json!(root).as_str().unwrap()[..43].to_owned();
        note.text = note.text.replacen(lines[2], &format!("{root}="), 1);
        self.change("UPDATE tree_checkpoints SET note = ?1", [note.to_string()]);
        Named::Whole
    }

    /// One edit of a kind.
    fn tamper(&mut self, kind: u64) -> (&'static str, Named) {
        match kind {
            0 => ("flip", self.flip()),
            1 => ("edit a column", self.edit_column()),
            2 => ("delete", self.delete()),
            3 => ("insert", self.insert()),
            4 => ("truncate", self.truncate()),
            5 => ("swap", self.swap()),
            6 => ("swap names", self.swap_names()),
            7 => ("reorder", self.reorder()),
            8 => ("swap positions", self.swap_positions()),
            9 => ("edit an event", self.edit_event()),
            10 => ("forge", self.forge()),
            11 => ("drop the newest", self.drop_newest()),
            12 => ("spoil a leaf", self.spoil_leaf()),
            13 => ("edit a rejected row", self.edit_rejected()),
            14 => ("edit a run", self.edit_run()),
            15 => ("edit a tombstone", self.edit_tombstone()),
            _ => ("edit a checkpoint", self.edit_checkpoint()),
        }
    }
}

/// The kinds of [`Tamperer::tamper`].
const KINDS: u64 = 17;

#[tokio::test]
async fn a_store_that_nobody_edited_holds_in_every_part() {
    let sealed = Sealed::make().await;
    let report = sealed.verify(&sealed.copy("whole.db")).await;
    assert!(report.holds(), "{report:#?}");
    for (name, check) in report.checks() {
        let expected = match name {
            "consistency" => State::NotChecked,
            _ => State::Holds,
        };
        assert_eq!(check.state, expected, "{name}: {check:?}");
    }
    assert_eq!(report.anchored.until.as_deref(), Some(NOW));
    assert_eq!(report.anchored.later, 0);
    for run in &report.runs {
        assert_eq!((run.erased, run.withdrawn, run.rejected), (1, 1, 2));
        assert_eq!(run.transcripts, RECORDS);
    }
}

#[tokio::test]
async fn a_thousand_edits_are_found_and_named() {
    let sealed = Sealed::make().await;
    let mut draws = Draws(0);
    let mut wrong = Vec::new();
    for case in 0..CASES {
        let copy = sealed.copy("edited.db");
        let mut tamperer = Tamperer {
            file: Connection::open(&copy).unwrap(),
            draws: &mut draws,
        };
        let switch = tamperer.file.pragma_update(None, "foreign_keys", false);
        switch.unwrap();
        let (kind, named) = tamperer.tamper(case % KINDS);
        drop(tamperer);
        let report = sealed.verify(&copy).await;
        let checks = report.checks().into_iter();
        let mut problems = checks.flat_map(|(_, check)| &check.problems);
        if report.holds() {
            wrong.push(format!("case {case}, {kind}: not found ({named:?})"));
        } else if !problems.any(|problem| named.is_named_by(problem)) {
            let found: Vec<_> = report
                .checks()
                .map(|(_, check)| check.problems.clone())
                .concat();
            wrong.push(format!(
                "case {case}, {kind}: {named:?} is not named in {found:?}"
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} cases:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[tokio::test]
async fn a_signature_under_another_text_is_found() {
    let sealed = Sealed::make().await;
    let copy = sealed.copy("whole.db");
    let asked = |note: SignedNote| Asked {
        checkpoint: Some(note),
        ..sealed.asked.clone()
    };
    let store = || -> Arc<dyn Store> { Arc::new(SqliteStore::open_read_only(&copy).unwrap()) };
    let mut note = sealed.asked.checkpoint.clone().unwrap();
    note.text = note.text.replace("time 2026", "time 2027");
    let report = verify(store(), asked(note.clone())).await.unwrap();
    assert_eq!(report.signature.state, State::Fails);
    assert_eq!(
        report.anchored.until.as_deref(),
        Some(NOW),
        "the store's own copy"
    );
    note.signatures.clear();
    let report = verify(store(), asked(note)).await.unwrap();
    assert_eq!(report.signature.state, State::Fails);
}
