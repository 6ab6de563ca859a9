//! Why a run did not come to its end.

use crate::dataset::{OutputError, SourceError};
use crate::model::ModelError;
use crate::pipeline::PipelineError;
use crate::round::RoundError;
use crate::store::StoreError;

/// A run did not come to its end; what is sealed stays sealed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The input cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The output cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A failure that reaches every record.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// The run of that name was begun with other settings.
    #[error(
        "the run {name} was begun with something else: {} changed; \
         give another --run NAME, and calls that are the same are not made again",
        changes.join(", ")
    )]
    DecidedOtherwise {
        /// The run's name.
        name: String,
        /// What differs.
        changes: Vec<String>,
    },
    /// Nothing at the input's start is a row.
    #[error("none of the first {rows} rows can be used; the first one, in line {line}: {reason}")]
    NoGoodRow {
        /// How many rows were read.
        rows: u64,
        /// The first row's line.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// More rows are bad than may be.
    #[error(
        "{bad} rows cannot be used, and at most {allowed} may be; the last one, in line {line}: {reason}"
    )]
    TooManyBadRows {
        /// How many rows are bad.
        bad: u64,
        /// How many may be.
        allowed: u64,
        /// The last row's line.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A part of redraft itself failed.
    #[error("a worker ended unexpectedly: {0}")]
    Worker(String),
}

impl RunError {
    /// The limit that a call would have passed, if that is why.
    pub(crate) fn budget(&self) -> Option<&str> {
        match self {
            Self::Pipeline(PipelineError::Stopped(RoundError::Model {
                source: ModelError::BudgetReached { what },
                ..
            })) => Some(what),
            _ => None,
        }
    }
}
