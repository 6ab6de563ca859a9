//! What happens in a run, as it happens.

use crate::record::RecordId;
use crate::store::RejectedRow;
use crate::transcript::Outcome;

/// Something that happened in a run.
#[derive(Debug)]
pub enum RunEvent<'a> {
    /// The run began, or goes on.
    Started {
        /// The run's name.
        name: &'a str,
        /// Bytes of the input, where they are known.
        bytes: Option<u64>,
        /// Bytes that an earlier process finished.
        done: u64,
        /// Rows that an earlier process finished.
        rows: u64,
    },
    /// A record has its transcript.
    Sealed {
        /// The record.
        record: &'a RecordId,
        /// How it ended.
        outcome: Outcome,
        /// Why it ended so.
        why: &'a str,
        /// Whether the final answer differs from the draft.
        changed: bool,
        /// How many violations its critiques found, over all rounds.
        violations: u64,
        /// How many of its calls asked again because a reply could not be used.
        contract_retries: u64,
        /// How many revisions it took beyond the first, where it ends as soon as it is clean.
        policy_retries: u64,
        /// Where its row ends in the input.
        end: u64,
    },
    /// The answers of a pair were compared.
    Labelled {
        /// The pair's record.
        record: &'a RecordId,
        /// What came of it.
        label: &'a str,
        /// Why there is no preference, where there is none.
        why: Option<&'a str>,
        /// Whether that is because its calls failed.
        failed: bool,
        /// Where its row ends in the input.
        end: u64,
    },
    /// A record had its transcript already.
    Known {
        /// The record.
        record: &'a RecordId,
        /// Where its row ends in the input.
        end: u64,
    },
    /// A row cannot be used.
    Rejected {
        /// The row.
        row: &'a RejectedRow,
        /// Where it ends in the input.
        end: u64,
    },
    /// Nothing new is begun; what is in flight may end.
    Stopping {
        /// How many records are in flight.
        in_flight: usize,
    },
    /// The output is being written.
    Writing,
}

/// Somebody who is told what happens in a run.
pub trait RunObserver: Send + Sync {
    /// Is told of one event; must not block.
    fn event(&self, event: &RunEvent<'_>);
}

impl<F: Fn(&RunEvent<'_>) + Send + Sync> RunObserver for F {
    fn event(&self, event: &RunEvent<'_>) {
        self(event);
    }
}
