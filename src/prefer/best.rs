//! The best of several answers: each next one is compared with the best so far.

use super::samples::{Challenge, Sample, SamplesRow};
use super::work::{Labelled, RowEnd, failure};
use super::{Comparison, Judge, Label, Preference, Side};
use crate::dataset::{Pair, ReadRow, excerpt};
use crate::message::Message;
use crate::round::RoundError;
use crate::run::RunError;
use crate::store::RejectedRow;

/// Takes the samples of one record to the row of the best one. A tie, and what cannot be read,
/// leaves the earlier one where it is.
///
/// # Errors
///
/// Only for what reaches every row.
pub(super) async fn best_sample(
    judge: &Judge,
    line: u64,
    place: u64,
    read: &ReadRow,
) -> Result<RowEnd, RunError> {
    let text = read.row.text();
    let worker = |error: serde_json::Error| RunError::Worker(error.to_string());
    let row: SamplesRow = serde_json::from_str(text).map_err(worker)?;
    let candidates = row.candidates();
    let Some(first) = candidates.first().copied() else {
        return Ok(RowEnd::Rejected(RejectedRow {
            line,
            reason: "has no sample whose answer is there, was brought to its end and wholly \
                     assessed"
                .to_owned(),
            excerpt: excerpt(text.as_bytes()),
        }));
    };
    let (best, challenges) = match compete(judge, &row, first, &candidates[1..], place).await {
        Ok(won) => won,
        Err(error) => {
            let (preference, server_failure) = failure(error)?;
            return Ok(RowEnd::Labelled(Labelled {
                id: row.id,
                preferences: vec![preference],
                lines: Vec::new(),
                given: None,
                server_failure,
            }));
        }
    };
    let answer = Message::assistant(best.answer.as_deref().unwrap_or_default());
    let line = serde_json::to_vec(&row.best(best, &answer, &challenges)).map_err(worker)?;
    Ok(RowEnd::Labelled(Labelled {
        id: row.id.clone(),
        preferences: challenges
            .into_iter()
            .map(|challenge| challenge.preference)
            .collect(),
        lines: vec![line],
        given: None,
        server_failure: None,
    }))
}

/// The winner, and every comparison on the way.
async fn compete<'r>(
    judge: &Judge,
    row: &'r SamplesRow,
    first: &'r Sample,
    others: &[&'r Sample],
    place: u64,
) -> Result<(&'r Sample, Vec<Challenge>), RoundError> {
    let mut best = first;
    let mut challenges = Vec::new();
    for next in others.iter().copied() {
        let preference = challenge(judge, row, best, next, place).await?;
        let [a, b] = [&best.record, &next.record].map(Clone::clone);
        if preference.label.side() == Some(Side::B) {
            best = next;
        }
        challenges.push(Challenge { a, b, preference });
    }
    Ok((best, challenges))
}

async fn challenge(
    judge: &Judge,
    row: &SamplesRow,
    best: &Sample,
    next: &Sample,
    place: u64,
) -> Result<Preference, RoundError> {
    let text = |sample: &Sample| sample.answer.clone().unwrap_or_default();
    let (a, b) = (text(best), text(next));
    if a == b {
        let why = "both answers are the same";
        return Ok(Preference::without(Label::Incomparable, why));
    }
    let comparison = Comparison {
        id: row.id.clone(),
        tags: row.tags.clone(),
        pair: Pair {
            conversation: row.prompt.clone(),
            a,
            b,
            columns: [&best.record, &next.record].map(ToString::to_string),
        },
        place,
    };
    let mut preferences = judge.compare(&comparison).await?;
    Ok(preferences.swap_remove(0))
}
