//! What is done with one row: nothing when it is sealed, and else all the way to the seal.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::Instant;

use super::RunError;
use crate::pipeline::{Pipeline, PipelineEvent};
use crate::record::{Record, RecordId};
use crate::store::{ERASED, RejectedRow, SealedRow, Store};
use crate::telemetry;
use crate::transcript::{Outcome, Times, Transcript, Verdict};

/// How a row ended.
#[derive(Debug)]
pub(super) enum RowEnd {
    /// Its record has a new transcript.
    Sealed(Gist),
    /// Its record failed because of the server; whether that is sealed is not decided here.
    Unanswered(Box<Unsealed>),
    /// Its record was sealed before: by an earlier process, or from an earlier row.
    Known,
    /// It cannot be used.
    Rejected(RejectedRow),
}

/// What a run tells of a transcript.
#[derive(Debug)]
pub(super) struct Gist {
    pub(super) record: RecordId,
    pub(super) outcome: Outcome,
    pub(super) why: String,
    pub(super) changed: bool,
    pub(super) violations: u64,
    pub(super) contract_retries: u64,
    pub(super) policy_retries: u64,
    /// Whether a server answered at least one of its calls just now.
    pub(super) was_answered: bool,
}

/// A transcript that may be sealed.
#[derive(Debug)]
pub(super) struct Unsealed {
    pub(super) row: SealedRow,
    pub(super) gist: Gist,
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
            if mark.content == record.content_digest() || mark.content == ERASED {
                return Ok(RowEnd::Known);
            }
            return self
                .reject(doubled_id(line, &record, mark.line, excerpt))
                .await;
        }
        let (unsealed, blames_server) = self.revise(line, &record).await?;
        if blames_server {
            return Ok(RowEnd::Unanswered(Box::new(unsealed)));
        }
        self.seal(unsealed).await
    }

    /// Seals a transcript.
    pub(super) async fn seal(&self, unsealed: Unsealed) -> Result<RowEnd, RunError> {
        let Unsealed { row, gist } = unsealed;
        self.store.seal(&self.run, row).await?;
        Ok(RowEnd::Sealed(gist))
    }

    /// The record's transcript, and whether it failed because of the server.
    async fn revise(&self, line: u64, record: &Record) -> Result<(Unsealed, bool), RunError> {
        let started = telemetry::now();
        let clock = Instant::now();
        let blames_server = AtomicBool::new(false);
        let watch = |event: &PipelineEvent<'_>| {
            if let PipelineEvent::Failed(error) = event {
                blames_server.store(error.blames_server(), Ordering::Relaxed);
            }
        };
        let mut transcript = self.pipeline.revise_observed(record, &watch).await?;
        let journalled = transcript.times.take().unwrap_or_default().journalled;
        let gist = Gist {
            was_answered: calls(&transcript) > journalled.values().sum(),
            policy_retries: if self.pipeline.stops_when_clean() {
                revisions(&transcript).saturating_sub(1)
            } else {
                0
            },
            ..Gist::of(&transcript)
        };
        transcript.times = Some(Times {
            started,
            elapsed_ms: u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX),
            journalled,
        });
        let sealed = transcript.seal(record.content_digest());
        let row = SealedRow { line, sealed };
        Ok((Unsealed { row, gist }, blames_server.into_inner()))
    }

    /// Keeps a row that cannot be used.
    pub(super) async fn reject(&self, row: RejectedRow) -> Result<RowEnd, RunError> {
        self.store.reject(&self.run, row.clone()).await?;
        Ok(RowEnd::Rejected(row))
    }
}

impl Gist {
    fn of(transcript: &Transcript) -> Self {
        let findings = transcript.rounds.iter().flat_map(|round| &round.findings);
        let usage = transcript.usage.values();
        Self {
            record: transcript.record.id.clone(),
            outcome: transcript.outcome,
            why: transcript.why.clone(),
            changed: transcript.changed(),
            violations: findings
                .filter(|finding| finding.verdict == Verdict::Violates)
                .count() as u64,
            contract_retries: usage.map(|usage| usage.asked_again).sum(),
            policy_retries: 0,
            was_answered: false,
        }
    }
}

fn calls(transcript: &Transcript) -> u64 {
    transcript.usage.values().map(|usage| usage.calls).sum()
}

fn revisions(transcript: &Transcript) -> u64 {
    let rounds = transcript.rounds.iter();
    rounds.filter(|round| round.revision.is_some()).count() as u64
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
