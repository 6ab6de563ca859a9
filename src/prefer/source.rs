//! Where pairs come from: the rows of a dataset, or the transcripts of a run.

use std::sync::Arc;

use serde::Serialize;

use super::samples::SamplesRow;
use crate::dataset::{ReadOptions, Rejected, Source, excerpt, read_row};
use crate::message::Conversation;
use crate::run::{Read, Reading, RunError, RunPlan, Span, read};
use crate::store::{Store, StoreError, StoredTranscript};
use crate::transcript::{Outcome, Transcript};

/// How many transcripts are read at a time.
const PAGE: usize = 64;

/// Where pairs come from.
#[derive(Debug)]
pub enum PairSource {
    /// The rows of a dataset.
    Rows(Source),
    /// The transcripts of the run of that name: each draft against its final answer.
    Run(String),
    /// The same transcripts, all samples of a record together.
    Samples(String),
}

impl PairSource {
    /// The run whose transcripts are taken, if it is one.
    #[must_use]
    pub fn run(&self) -> Option<&str> {
        match self {
            Self::Rows(_) => None,
            Self::Run(run) | Self::Samples(run) => Some(run),
        }
    }

    /// The dataset whose rows are taken, if it is one.
    #[must_use]
    pub fn rows(&self) -> Option<&Source> {
        match self {
            Self::Rows(source) => Some(source),
            Self::Run(_) | Self::Samples(_) => None,
        }
    }
}

/// Pairs under way.
pub(super) enum Pairs {
    Rows(Reading),
    Run {
        store: Arc<dyn Store>,
        run: String,
        together: bool,
        after: Option<i64>,
        left: u64,
        is_over: bool,
    },
}

impl Pairs {
    /// Begins to read.
    pub(super) async fn open(
        source: &mut PairSource,
        plan: &RunPlan,
        store: &Arc<dyn Store>,
    ) -> Result<Self, RunError> {
        let together = matches!(source, PairSource::Samples(_));
        Ok(match source {
            PairSource::Rows(source) => {
                let span = Span {
                    after: None,
                    rows_before: 0,
                    limit: plan.limit,
                };
                Self::Rows(read(source.first_pass()?, plan.read.clone(), span).await?)
            }
            PairSource::Run(run) | PairSource::Samples(run) => Self::Run {
                store: Arc::clone(store),
                run: run.clone(),
                together,
                after: None,
                left: plan.limit.unwrap_or(u64::MAX),
                is_over: false,
            },
        })
    }

    /// The next rows; nothing at the end. Whoever stops waiting loses none.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Read>>, RunError> {
        match self {
            Self::Rows(reading) => Ok(reading.batches.recv().await.transpose()?),
            Self::Run { is_over: true, .. } | Self::Run { left: 0, .. } => Ok(None),
            Self::Run {
                store,
                run,
                together,
                after,
                left,
                is_over,
            } => {
                let most = usize::try_from(*left).map_or(PAGE, |left| left.min(PAGE));
                let page = store.transcripts(run, *after, most).await?;
                let mut rows = Vec::with_capacity(page.items.len());
                for stored in &page.items {
                    if *together {
                        let row = SamplesRow::of(stored, store.as_ref()).await?;
                        rows.extend(row.map(|row| read_back(stored, &row)).transpose()?);
                    } else {
                        rows.push(row_of(stored)?);
                    }
                }
                *left -= rows.len() as u64;
                *after = page.next;
                *is_over = page.next.is_none();
                Ok(Some(rows))
            }
        }
    }
}

/// A transcript as the row of its pair.
#[derive(Serialize)]
struct TranscriptRow<'a> {
    id: &'a str,
    run: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    tags: &'a [String],
    outcome: Outcome,
    prompt: &'a Conversation,
    a: Option<&'a str>,
    b: Option<&'a str>,
}

fn row_of(stored: &StoredTranscript) -> Result<Read, RunError> {
    let transcript = opened(stored)?;
    let row = TranscriptRow {
        id: stored.row.sealed.record.as_str(),
        run: &stored.run,
        tags: &transcript.record.tags,
        outcome: transcript.outcome,
        prompt: &transcript.record.conversation,
        a: transcript.draft.as_ref().map(|draft| draft.text.as_str()),
        b: transcript
            .final_answer
            .as_ref()
            .map(|last| last.text.as_str()),
    };
    read_back(stored, &row)
}

/// The transcript that the store holds.
///
/// # Errors
///
/// When it is none.
pub(super) fn opened(stored: &StoredTranscript) -> Result<Transcript, RunError> {
    let opened = stored.row.sealed.open();
    Ok(opened.map_err(|error| inconsistent(stored, error.to_string()))?)
}

/// A row that was made here, as if it had been read from a dataset.
fn read_back(stored: &StoredTranscript, row: &impl Serialize) -> Result<Read, RunError> {
    let line = serde_json::to_vec(row).map_err(|error| inconsistent(stored, error.to_string()))?;
    let options = ReadOptions {
        ignore_answers: true,
        line_limit: usize::MAX,
        ..ReadOptions::default()
    };
    let result = read_row(&line, &options).map_err(|reason| Rejected {
        reason,
        excerpt: excerpt(&line),
    });
    Ok(Read::Row {
        line: stored.row.line,
        end: 0,
        result: result.map(Box::new),
    })
}

fn inconsistent(stored: &StoredTranscript, reason: String) -> StoreError {
    StoreError::Inconsistent {
        place: format!(
            "transcript {} of run {}",
            stored.row.sealed.record, stored.run
        ),
        reason,
    }
}
