//! What is told about every answered request, for whoever counts.

use std::fmt::Debug;
use std::time::Duration;

use super::Mode;
use super::access::Admitted;
use crate::telemetry::metrics::InFlight;
use crate::transcript::{Outcome, UsageByRole};

/// What became of one request.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// The endpoint, such as `chat/completions`.
    pub endpoint: &'static str,
    /// The model's public name; empty when the request named none that is offered.
    pub model: &'a str,
    /// What becomes of that model's answers.
    pub mode: Option<Mode>,
    /// Whether a stream was asked for.
    pub is_stream: bool,
    /// The HTTP status.
    pub status: u16,
    /// The worst outcome of the answer's texts; absent where they were not judged before it left.
    pub outcome: Option<Outcome>,
    /// What was given in place of the answer, if something was.
    pub delivered: Option<&'static str>,
    /// The most rounds that one of the texts took.
    pub rounds: u32,
    /// The principles that were found violated in any round, each once.
    pub violated: &'a [String],
    /// What critic and reviser used.
    pub usage: &'a UsageByRole,
    /// Tokens of the answer and its prompt, as its server counted them.
    pub upstream_tokens: (u64, u64),
    /// Whether critic or reviser failed.
    pub critic_failed: bool,
    /// The time that went into the model's own answer.
    pub upstream: Duration,
    /// The time that went into judging and revising, where models were asked for that.
    pub revision: Duration,
    /// The rest of the time until the answer left.
    pub own: Duration,
    /// The key that it came with, where keys are asked for.
    pub admitted: Option<&'a Admitted>,
}

/// Somebody who counts.
pub trait Reporter: Debug + Send + Sync {
    /// Is told of a request that ended, with an answer or without; must not block.
    fn answered(&self, facts: &Facts<'_>);

    /// Is told what the critique of an observed answer found, after the answer has left; must not
    /// block.
    fn observed(&self, facts: &Facts<'_>);

    /// Is told of an observed answer that nobody criticises, because too many wait; must not
    /// block.
    fn observation_dropped(&self, model: &str);

    /// Is told how many observed answers wait for their critique; must not block.
    fn observations_waiting(&self, _waiting: usize) {}

    /// Is told of the end of a stream that was answered before its tokens were known; must not block.
    fn streamed(&self, _facts: &Facts<'_>) {}

    /// Counts a request as being answered while the guard is held.
    fn begun(&self) -> Option<InFlight> {
        None
    }
}

/// Nobody counts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unreported;

impl Reporter for Unreported {
    fn answered(&self, _facts: &Facts<'_>) {}

    fn observed(&self, _facts: &Facts<'_>) {}

    fn observation_dropped(&self, _model: &str) {}
}
