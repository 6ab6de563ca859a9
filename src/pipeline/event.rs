//! What happens to one record, as it happens.

use crate::round::{RoundError, Took};
use crate::transcript::{Draft, Finding, Revision, Transcript};

/// Something that happened to a record.
#[derive(Debug)]
pub enum PipelineEvent<'a> {
    /// The first answer is there.
    Drafted(&'a Draft),
    /// A text was judged.
    Critiqued {
        /// The round, from 1.
        round: u32,
        /// What was found.
        findings: &'a [Finding],
        /// The critique in free text.
        critique: Option<&'a str>,
    },
    /// A new answer is there.
    Revised {
        /// The round, from 1.
        round: u32,
        /// The answer that it replies to.
        before: &'a str,
        /// The new answer.
        revision: &'a Revision,
    },
    /// A call failed for good, and the record with it.
    Failed(&'a RoundError),
    /// The record is worked on no longer: how long it took, and with which calls. Told also where the
    /// record stopped the run.
    Took(&'a Took),
    /// The record has its outcome.
    Ended(&'a Transcript),
}

/// Somebody who is told what happens.
pub trait Observer: Send + Sync {
    /// Is told of one event; must not block.
    fn event(&self, event: &PipelineEvent<'_>);
}

/// Nobody.
#[derive(Clone, Copy, Debug)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn event(&self, _event: &PipelineEvent<'_>) {}
}

impl<F: Fn(&PipelineEvent<'_>) + Send + Sync> Observer for F {
    fn event(&self, event: &PipelineEvent<'_>) {
        self(event);
    }
}
