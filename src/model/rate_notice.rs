//! What a server says about its rate limits while it answers.

use std::fmt::Debug;
use std::time::Duration;

/// What one reply said about the limits of the key that asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateNotice {
    /// How many requests may still be sent.
    pub requests: Option<Allowance>,
    /// How many tokens may still be asked for.
    pub tokens: Option<Allowance>,
}

/// What is left of one limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowance {
    /// How much may be used in one window.
    pub limit: Option<u64>,
    /// How much of that is left.
    pub remaining: Option<u64>,
    /// How long until the limit is whole again.
    pub reset: Option<Duration>,
}

/// Somebody who wants to hear what servers say about their rate limits.
pub trait RateSink: Debug + Send + Sync {
    /// Is told what one reply, or one failure, said; never called when it said nothing.
    fn told(&self, notice: &RateNotice);
}
