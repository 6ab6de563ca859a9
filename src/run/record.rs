//! What is done with one row: nothing when it is sealed, and else all the way to the seal.

use std::sync::Arc;

use tokio::time::Instant;

use super::RunError;
use crate::pipeline::Pipeline;
use crate::record::{Record, RecordId};
use crate::store::{RejectedRow, SealedRow, Store};
use crate::telemetry;
use crate::transcript::{Outcome, Times};

/// How a row ended.
#[derive(Debug)]
pub(super) enum RowEnd {
    /// Its record has a new transcript.
    Sealed {
        record: RecordId,
        outcome: Outcome,
        why: String,
        changed: bool,
    },
    /// Its record was sealed before: by an earlier process, or from an earlier row.
    Known,
    /// It cannot be used.
    Rejected(RejectedRow),
}

/// What every row of a run needs.
#[derive(Debug)]
pub(super) struct Workshop {
    pub(super) run: String,
    pub(super) pipeline: Arc<Pipeline>,
    pub(super) store: Arc<dyn Store>,
}

impl Workshop {
    /// Takes one record to its seal.
    pub(super) async fn work(
        &self,
        line: u64,
        record: Record,
        excerpt: String,
    ) -> Result<RowEnd, RunError> {
        if let Some(mark) = self.store.seal_mark(&self.run, record.id()).await? {
            if mark.content == record.content_digest() {
                return Ok(RowEnd::Known);
            }
            return self
                .reject(doubled_id(line, &record, mark.line, excerpt))
                .await;
        }
        let started = telemetry::now();
        let clock = Instant::now();
        let mut transcript = self.pipeline.revise(&record).await?;
        let journalled = transcript.times.take().unwrap_or_default().journalled;
        transcript.times = Some(Times {
            started,
            elapsed_ms: u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX),
            journalled,
        });
        let why = transcript.why.clone();
        let sealed = transcript.seal(record.content_digest());
        let end = RowEnd::Sealed {
            record: sealed.record.clone(),
            outcome: sealed.outcome,
            why,
            changed: sealed.changed,
        };
        self.store
            .seal(&self.run, SealedRow { line, sealed })
            .await?;
        Ok(end)
    }

    /// Keeps a row that cannot be used.
    pub(super) async fn reject(&self, row: RejectedRow) -> Result<RowEnd, RunError> {
        self.store.reject(&self.run, row.clone()).await?;
        Ok(RowEnd::Rejected(row))
    }
}

/// The rejection of a row that nobody can answer.
pub(super) fn undraftable(line: u64, excerpt: String) -> RejectedRow {
    let reason = "it has no answer, and no model is there to write one".to_owned();
    RejectedRow {
        line,
        reason,
        excerpt,
    }
}

/// The rejection of a row whose id names other content elsewhere.
pub(super) fn doubled_id(line: u64, record: &Record, first: u64, excerpt: String) -> RejectedRow {
    let reason = format!(
        "the id {:?} names other content in line {first}",
        record.id().as_str()
    );
    RejectedRow {
        line,
        reason,
        excerpt,
    }
}
