//! What a run did.

use std::path::PathBuf;
use std::time::Duration;

/// How a run came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunEnd {
    /// Every row that was asked for is done.
    Finished,
    /// The rows that were picked out are done; the others are not.
    Picked,
    /// It was asked to stop, and can go on.
    Interrupted,
    /// Record after record failed because of the server; it can go on.
    OnlyFailures,
    /// What may be spent is spent; it can go on with more.
    BudgetReached,
}

/// What a run did; rows of earlier processes of the same run are counted, too.
#[derive(Clone, Debug)]
pub struct RunReport {
    /// The run's name.
    pub name: String,
    /// How it ended.
    pub end: RunEnd,
    /// Rows read, good and bad.
    pub rows: u64,
    /// Rows that are the same record as an earlier one; known once the run is finished.
    pub doubled: u64,
    /// Rows that cannot be used.
    pub rejected: u64,
    /// Rows that an earlier process of this run had finished.
    pub resumed: u64,
    /// Records that this process sealed.
    pub sealed: u64,
    /// Where the rejected rows are listed.
    pub rejected_file: Option<PathBuf>,
    /// What stopped it: what failed last, where record after record did, or the budget's limit.
    pub stopped_by: Option<String>,
    /// How long this process took.
    pub elapsed: Duration,
}
