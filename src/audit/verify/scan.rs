//! Every leaf of a store, looked at in ranges, two at a time, and given on in order.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use futures::stream::{self, Stream, StreamExt as _};

use super::facts::Facts;
use super::leaf::{Found, look};
use super::report::Problem;
use crate::merkle::Hash;
use crate::store::{Leaf, Store, StoreError};

/// How many leaves are looked at in one piece.
const RANGE: u64 = 8192;
/// How many ranges are in work at once: what a store can read at a time.
const AT_ONCE: usize = 2;

/// What a range of leaves came to.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// The hash of each leaf, in order; absent where the leaf is missing.
    pub(super) hashes: Vec<Option<Hash>>,
    /// What is wrong with leaves themselves.
    pub(super) leaves: Vec<Problem>,
    /// What is wrong with what they are about.
    pub(super) payloads: Vec<Problem>,
    /// What each run has.
    pub(super) runs: BTreeMap<String, Tally>,
}

/// What one run has.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) transcripts: u64,
    pub(super) erased: u64,
    pub(super) outcomes: BTreeMap<String, u64>,
    /// The last leaf that is about a transcript of it.
    pub(super) last: u64,
}

impl Tally {
    /// Adds what a later range has.
    pub(super) fn add(&mut self, other: Self) {
        self.transcripts += other.transcripts;
        self.erased += other.erased;
        self.last = self.last.max(other.last);
        for (outcome, count) in other.outcomes {
            *self.outcomes.entry(outcome).or_default() += count;
        }
    }
}

/// Looks at every leaf below `size`; of the payloads at those of one run, if one is named.
pub(super) fn scan(
    store: Arc<dyn Store>,
    size: u64,
    facts: Arc<Facts>,
    run: Option<String>,
) -> impl Stream<Item = Result<Part, StoreError>> {
    let starts = (0..size.div_ceil(RANGE)).map(|number| number * RANGE);
    let ranges = starts.map(move |start| start..size.min(start + RANGE));
    stream::iter(ranges)
        .map(move |range| look_at_range(Arc::clone(&store), range, Arc::clone(&facts), run.clone()))
        .buffered(AT_ONCE)
}

async fn look_at_range(
    store: Arc<dyn Store>,
    range: Range<u64>,
    facts: Arc<Facts>,
    run: Option<String>,
) -> Result<Part, StoreError> {
    let mut part = Part::default();
    let mut next = range.start;
    while next < range.end {
        let leaves = store.leaves(next, range.end).await?;
        let Some(last) = leaves.last() else { break };
        let after = last.index + 1;
        let (facts, run) = (Arc::clone(&facts), run.clone());
        let looking = tokio::task::spawn_blocking(move || {
            part.take(next, leaves, &facts, run.as_deref());
            part
        });
        part = looking
            .await
            .map_err(|error| StoreError::Backend(Box::new(error)))?;
        next = after;
    }
    part.miss(next..range.end);
    Ok(part)
}

impl Part {
    /// Looks at leaves, the first of which ought to be leaf `next`.
    fn take(&mut self, mut next: u64, leaves: Vec<Leaf>, facts: &Facts, run: Option<&str>) {
        for leaf in leaves {
            self.miss(next..leaf.index);
            next = leaf.index + 1;
            self.hashes.push(leaf.hash);
            let name = leaf.transcript.as_ref().and_then(|row| row.run.as_deref());
            let is_asked = run.is_none_or(|run| name == Some(run));
            let (found, faults) = look(&leaf, facts, is_asked);
            self.leaves.extend(faults.leaf);
            let fault = faults.payload.filter(|fault| {
                run.is_none_or(|run| fault.run.as_deref() == Some(run) || name == Some(run))
            });
            self.payloads.extend(fault);
            if let (Found::Transcript { is_erased }, Some(row)) = (found, leaf.transcript) {
                let tally = self.runs.entry(row.run.unwrap_or_default()).or_default();
                tally.transcripts += 1;
                tally.erased += u64::from(is_erased);
                *tally.outcomes.entry(row.outcome).or_default() += 1;
                tally.last = leaf.index;
            }
        }
    }

    fn miss(&mut self, missing: Range<u64>) {
        for index in missing {
            self.hashes.push(None);
            self.leaves
                .push(Problem::of_leaf(index, "the leaf is missing"));
        }
    }
}
