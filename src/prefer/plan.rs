//! What a run of comparisons is to do, and what it did.

use super::{PairMaking, Tally};
use crate::run::{RunPlan, RunReport};
use crate::store::RejectedRow;

/// What a run of comparisons is to do.
#[derive(Clone, Debug)]
pub struct PreferPlan {
    /// Name, input and output, as of any run.
    pub run: RunPlan,
    /// The columns that hold the pair; absent where they are recognised.
    pub columns: Option<[String; 2]>,
    /// How pairs are made where none are given.
    pub making: PairMaking,
}

/// What a run of comparisons did.
#[derive(Clone, Debug)]
pub struct PreferReport {
    /// What there is to say of any run; `sealed` counts the pairs.
    pub run: RunReport,
    /// The labels.
    pub tally: Tally,
    /// Some of the rows that could not be used.
    pub rejected: Vec<RejectedRow>,
}
