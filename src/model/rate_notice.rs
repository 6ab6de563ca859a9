//! What a server says about its rate limits.

use std::time::Duration;

/// The rate limits of a key, as one reply told them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateNotice {
    /// Requests that may be sent.
    pub requests: Option<Allowance>,
    /// Tokens that may be spent.
    pub tokens: Option<Allowance>,
}

/// One limit; a server may leave any part of it unsaid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowance {
    /// How much there is at most; most servers mean: in a minute.
    pub limit: Option<u64>,
    /// How much is left now.
    pub remaining: Option<u64>,
    /// How long it takes until all of it is there again.
    pub reset: Option<Duration>,
}

impl RateNotice {
    /// Whether nothing was told.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.requests.is_none() && self.tokens.is_none()
    }
}
