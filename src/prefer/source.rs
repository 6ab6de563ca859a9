//! Where pairs come from: the rows of a dataset, or the transcripts of a run.

use std::sync::Arc;

use serde::Serialize;

use crate::dataset::{ReadOptions, Rejected, Source, excerpt, read_row};
use crate::message::Conversation;
use crate::run::{Read, Reading, RunError, RunPlan, Span, read};
use crate::store::{Store, StoreError, StoredTranscript};
use crate::transcript::Outcome;

/// How many transcripts are read at a time.
const PAGE: usize = 64;

/// Where pairs come from.
#[derive(Debug)]
pub enum PairSource {
    /// The rows of a dataset.
    Rows(Source),
    /// The transcripts of the run of that name: each draft against its final answer.
    Run(String),
}

/// Pairs under way.
pub(super) enum Pairs {
    Rows(Reading),
    Run {
        store: Arc<dyn Store>,
        run: String,
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
        Ok(match source {
            PairSource::Rows(source) => {
                let span = Span {
                    after: None,
                    rows_before: 0,
                    limit: plan.limit,
                };
                Self::Rows(read(source.first_pass()?, plan.read.clone(), span).await?)
            }
            PairSource::Run(run) => Self::Run {
                store: Arc::clone(store),
                run: run.clone(),
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
                after,
                left,
                is_over,
            } => {
                let most = usize::try_from(*left).map_or(PAGE, |left| left.min(PAGE));
                let page = store.transcripts(run, *after, most).await?;
                *left -= page.items.len() as u64;
                *after = page.next;
                *is_over = page.next.is_none();
                let rows = page.items.iter().map(row_of);
                Ok(Some(rows.collect::<Result<_, _>>()?))
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
    let sealed = &stored.row.sealed;
    let odd = |reason: String| StoreError::Inconsistent {
        place: format!("transcript {} of run {}", sealed.record, stored.run),
        reason,
    };
    let transcript = sealed.open().map_err(|error| odd(error.to_string()))?;
    let row = TranscriptRow {
        id: sealed.record.as_str(),
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
    let line = serde_json::to_vec(&row).map_err(|error| odd(error.to_string()))?;
    let options = ReadOptions {
        ignore_answers: true,
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
