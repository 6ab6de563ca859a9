//! What a run is to do.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;

use serde_json::Value;

use crate::dataset::{ReadOptions, Target};
use crate::model::traffic::Traffic;

/// What a run is to do.
#[derive(Clone, Debug)]
pub struct RunPlan {
    /// The run's name.
    pub name: String,
    /// The dataset's name.
    pub dataset: String,
    /// All that decides the run's results, from [`decided_by`](super::decided_by).
    pub decided_by: Value,
    /// The journal scope of a run that ignores earlier calls.
    pub scope: Option<String>,
    /// The most rows that are taken, from the first.
    pub limit: Option<u64>,
    /// The calls of the pipeline's models: the records in flight follow them.
    pub traffic: Arc<Traffic>,
    /// How many rows may be bad; absent: any number, as long as a good one comes among the first.
    pub max_bad_rows: Option<u64>,
    /// How many records may fail in a row because of the server before the run stops; 0: any number.
    pub max_failed: usize,
    /// How many transcripts each record gets, apart from one another.
    pub samples: NonZeroU32,
    /// The rows that are taken, by their number from 1; absent: all. A run of picked rows stops
    /// behind them, writes no output, and notes no checkpoint.
    pub only_rows: Option<Arc<BTreeSet<u64>>>,
    /// Whether records that failed are done again.
    pub retry_failed: bool,
    /// How rows are read.
    pub read: ReadOptions,
    /// Where the rows are written back.
    pub output: Option<Target>,
}
