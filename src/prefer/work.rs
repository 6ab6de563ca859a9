//! What is done with one row: all the way to the lines of the output.

use std::sync::Arc;

use super::best::best_sample;
use super::drafts::with_drafts;
use super::{Comparison, Judge, Label, PairMaking, PreferPlan, Preference, Side};
use crate::dataset::{ReadRow, excerpt, pair_columns, read_pair, write_back};
use crate::pipeline::PipelineError;
use crate::record::RecordId;
use crate::round::RoundError;
use crate::run::RunError;
use crate::store::RejectedRow;

/// The columns whose first one is the answer that people preferred.
const GIVEN: [&str; 2] = ["chosen", "rejected"];

/// How a row ended.
#[derive(Debug)]
pub(super) enum RowEnd {
    /// Its answers were compared, or there is a reason why not.
    Labelled(Labelled),
    /// It holds no pair.
    Rejected(RejectedRow),
}

/// A row with its preferences.
#[derive(Debug)]
pub(super) struct Labelled {
    pub(super) id: RecordId,
    pub(super) preferences: Vec<Preference>,
    /// The lines to write, one for each preference.
    pub(super) lines: Vec<Vec<u8>>,
    /// What people prefer, and which side the toss names.
    pub(super) given: Option<(Side, Side)>,
    /// Why its calls failed because of the server, if they did.
    pub(super) server_failure: Option<String>,
}

/// What every row needs.
#[derive(Debug)]
pub(super) struct Workshop {
    pub(super) judge: Arc<Judge>,
    pub(super) plan: PreferPlan,
}

impl Workshop {
    /// Takes one row to its lines.
    ///
    /// # Errors
    ///
    /// Only for what reaches every row.
    pub(super) async fn work(
        &self,
        line: u64,
        place: u64,
        read: ReadRow,
    ) -> Result<RowEnd, RunError> {
        if self.plan.making == PairMaking::BestSample {
            return best_sample(&self.judge, line, place, &read).await;
        }
        let wished = self.plan.columns.as_ref();
        let has_pair = pair_columns(&read.row, wished).is_some();
        let read = if self.plan.making == PairMaking::Drafts && !has_pair {
            match with_drafts(&self.judge, &read).await {
                Ok(Ok(drafted)) => drafted,
                Ok(Err(why)) => {
                    let preference = Preference::without(Label::Incomparable, why);
                    return labelled(&read, vec![preference], None, None);
                }
                Err(error) => return failed(&read, error),
            }
        } else {
            read
        };
        let pair = match read_pair(&read, wished) {
            Ok(pair) => pair,
            Err(problem) if problem.is_no_pair() => {
                return Ok(RowEnd::Rejected(RejectedRow {
                    line,
                    reason: problem.to_string(),
                    excerpt: excerpt(read.row.text().as_bytes()),
                }));
            }
            Err(problem) => {
                let why = problem.to_string();
                let preference = Preference::without(Label::Incomparable, why);
                return labelled(&read, vec![preference], None, None);
            }
        };
        let comparison = Comparison {
            id: read.record.id().clone(),
            tags: read.record.tags().to_vec(),
            pair,
            place,
        };
        match self.judge.compare(&comparison).await {
            Ok(preferences) => {
                let given = (comparison.pair.columns == GIVEN)
                    .then(|| (Side::A, self.judge.tossed(&comparison)));
                labelled(&read, preferences, given, None)
            }
            Err(error) => failed(&read, error),
        }
    }
}

/// A row whose calls failed, unless the failure reaches every row.
fn failed(read: &ReadRow, error: RoundError) -> Result<RowEnd, RunError> {
    let (preference, server_failure) = failure(error)?;
    labelled(read, vec![preference], None, server_failure)
}

/// What there is to say of a row whose calls failed, and why if it is the server's fault.
///
/// # Errors
///
/// When the failure reaches every row.
pub(super) fn failure(error: RoundError) -> Result<(Preference, Option<String>), RunError> {
    if error.reach() == crate::model::Reach::Run {
        return Err(PipelineError::Stopped(error).into());
    }
    let why = chain(&error);
    let server_failure = error.blames_server().then(|| why.clone());
    Ok((Preference::without(Label::Failed, why), server_failure))
}

fn labelled(
    read: &ReadRow,
    preferences: Vec<Preference>,
    given: Option<(Side, Side)>,
    server_failure: Option<String>,
) -> Result<RowEnd, RunError> {
    let lines = preferences
        .iter()
        .map(|preference| write_back(&read.row, None, preference));
    let lines = lines
        .collect::<Result<_, _>>()
        .map_err(|error| RunError::Worker(error.to_string()))?;
    Ok(RowEnd::Labelled(Labelled {
        id: read.record.id().clone(),
        preferences,
        lines,
        given,
        server_failure,
    }))
}

/// An error and what lies behind it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
