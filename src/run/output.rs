//! The second pass: every row in its order, its answer replaced by the final one.

use std::path::PathBuf;

use serde::Serialize;

use super::reader::{Read, Span, read};
use super::{RunError, RunPlan};
use crate::dataset::{Ended, Output, REDRAFT_COLUMN, ReadRow, Source, Target, write_back};
use crate::digest::Digest;
use crate::store::{ERASED, RejectedRow, Store, StoreError};
use crate::transcript::{Outcome, Transcript, Verdict};

/// What the column `redraft` of an output row says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RedraftColumn {
    /// How the record ended.
    pub outcome: Outcome,
    /// How many rounds its transcript has.
    pub rounds: usize,
    /// The principles that some text of it violated, in the order in which they were found.
    pub violated: Vec<String>,
    /// The digest of its transcript.
    pub transcript: Digest,
    /// Which sample of its row it is, from 1, where rows have several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<u32>,
}

impl RedraftColumn {
    fn of(transcript: &Transcript, digest: Digest) -> Self {
        let mut violated: Vec<String> = Vec::new();
        let findings = transcript.rounds.iter().flat_map(|round| &round.findings);
        for finding in findings.filter(|finding| finding.verdict == Verdict::Violates) {
            if !violated.contains(&finding.principle) {
                violated.push(finding.principle.clone());
            }
        }
        Self {
            outcome: transcript.outcome,
            rounds: transcript.rounds.len(),
            violated,
            transcript: digest,
            sample: None,
        }
    }

    /// A row that has nothing but this column, for formats that must know its type beforehand.
    fn sample(has_samples: bool) -> Vec<u8> {
        let column = Self {
            outcome: Outcome::Compliant,
            rounds: 0,
            violated: vec![String::new()],
            transcript: Digest::of(b""),
            sample: has_samples.then_some(1),
        };
        let row = serde_json::json!({ REDRAFT_COLUMN: column });
        row.to_string().into_bytes()
    }
}

/// Writes the rows of a finished run; gives the file of rejected rows, if there are any.
pub(super) async fn write_output(
    plan: &RunPlan,
    target: &Target,
    source: &Source,
    store: &dyn Store,
) -> Result<Option<PathBuf>, RunError> {
    let sample = RedraftColumn::sample(plan.samples.get() > 1);
    let mut target = target.clone().with_sample(&sample);
    loop {
        match write_all(plan, &target, source, store).await? {
            Ended::Whole { rejected } => return Ok(rejected),
            Ended::Again(wider) => target = *wider,
        }
    }
}

async fn write_all(
    plan: &RunPlan,
    target: &Target,
    source: &Source,
    store: &dyn Store,
) -> Result<Ended, RunError> {
    let mut output = Output::create(target)?;
    let span = Span {
        after: None,
        rows_before: 0,
        limit: plan.limit,
    };
    let mut reading = read(source.second_pass()?, plan.read.clone(), span).await?;
    while let Some(batch) = reading.batches.recv().await {
        for read in batch? {
            let Read::Row { line, result, .. } = read else {
                continue;
            };
            match result {
                Ok(row) => write_row(&mut output, plan, line, *row, store).await?,
                Err(bad) => output.reject(line, &bad.reason.to_string(), &bad.excerpt)?,
            }
        }
    }
    Ok(output.commit()?)
}

/// Writes a row with its record's final answer, once for each sample. A row without a transcript of
/// just this content reads well and was rejected all the same: its id names something else, or
/// nobody could draft.
async fn write_row(
    output: &mut Output,
    plan: &RunPlan,
    line: u64,
    row: ReadRow,
    store: &dyn Store,
) -> Result<(), RunError> {
    let ReadRow { row, record } = row;
    let run = &plan.name;
    let odd = |reason: String| StoreError::Inconsistent {
        place: format!("line {line} of run {run}"),
        reason,
    };
    for sample in 1..=plan.samples.get() {
        let record = record.clone().as_sample(sample);
        let stored = store.transcript(run, record.id()).await?;
        let sealed = stored.map(|stored| stored.row.sealed);
        if sealed
            .as_ref()
            .is_some_and(|sealed| sealed.content == ERASED)
        {
            output.reject(line, "its transcript was erased", "")?;
            return Ok(());
        }
        let Some(sealed) = sealed.filter(|sealed| sealed.content == record.content_digest()) else {
            let rejected = store.rejected_at(run, line).await?;
            let RejectedRow {
                reason, excerpt, ..
            } = rejected
                .ok_or_else(|| odd("it has neither transcript nor rejection".to_owned()))?;
            output.reject(line, &reason, &excerpt)?;
            return Ok(());
        };
        let transcript = sealed.open().map_err(|error| odd(error.to_string()))?;
        let column = RedraftColumn {
            sample: (plan.samples.get() > 1).then_some(sample),
            ..RedraftColumn::of(&transcript, sealed.digest)
        };
        let answer = transcript
            .final_answer
            .as_ref()
            .map(|last| last.text.as_str());
        let written = write_back(&row, answer, &column).map_err(|error| odd(error.to_string()))?;
        output.write_row(&written)?;
    }
    Ok(())
}
