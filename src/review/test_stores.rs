//! Stores with held records, for tests.

use std::sync::Arc;

use tempfile::TempDir;

use crate::digest::Digest;
use crate::export::test_transcripts::mended;
use crate::record::RecordId;
use crate::store::sqlite::SqliteStore;
use crate::store::{NewRun, SealedRow, Store};
use crate::transcript::{Held, HoldReason, Outcome, Transcript};

/// A store whose run `r` has these transcripts, the first of line 1.
pub(crate) async fn store(
    folder: &TempDir,
    transcripts: impl IntoIterator<Item = Transcript>,
) -> Arc<dyn Store> {
    let store = SqliteStore::open(folder.path().join("s.db")).unwrap();
    let run = NewRun {
        name: "r".to_owned(),
        dataset: "d".to_owned(),
        decided_by: serde_json::Value::Null,
        scope: None,
        started: "2026-11-24T10:00:00.000Z".to_owned(),
    };
    store.open_run(run).await.unwrap();
    for (line, transcript) in (1_u64..).zip(transcripts) {
        let sealed = transcript.seal(Digest::of(&line.to_be_bytes()));
        store.seal("r", SealedRow { line, sealed }).await.unwrap();
    }
    Arc::new(store)
}

/// A transcript of a record that is held for so many people.
pub(crate) fn held(record: impl Into<String>, reason: HoldReason, reviewers: u32) -> Transcript {
    let mut transcript = mended();
    transcript.run = "r".to_owned();
    transcript.record.id = RecordId::new(record.into());
    transcript.outcome = Outcome::Held;
    transcript.held = Some(Held {
        reasons: vec![reason],
        otherwise: Outcome::Compliant,
        reviewers,
    });
    transcript
}
