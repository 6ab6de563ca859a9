//! How batches gather, and how often they are looked at.

use std::time::Duration;

/// How batches gather, and how often they are looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchOptions {
    /// The most requests of one batch; OpenAI takes 50,000.
    pub max_requests: usize,
    /// The most bytes of one input file; OpenAI takes 200 MB.
    pub max_bytes: usize,
    /// A batch is closed when no request has joined it for so long.
    pub gather: Duration,
    /// A batch is closed so long after its first request, whoever joins.
    pub longest_gather: Duration,
    /// The wait between the first two looks at a batch; later ones grow.
    pub first_poll: Duration,
    /// The longest wait between two looks at a batch.
    pub longest_poll: Duration,
}

impl Default for BatchOptions {
    fn default() -> Self {
        Self {
            max_requests: 50_000,
            max_bytes: 190_000_000,
            gather: Duration::from_secs(5),
            longest_gather: Duration::from_secs(60),
            first_poll: Duration::from_secs(5),
            longest_poll: Duration::from_secs(60),
        }
    }
}

impl BatchOptions {
    /// The same, closing a batch that nobody has joined for `quiet`, and every batch after twelve
    /// times that.
    #[must_use]
    pub fn gathering_for(self, quiet: Duration) -> Self {
        Self {
            gather: quiet,
            longest_gather: quiet.saturating_mul(12),
            ..self
        }
    }

    /// The same, looking at a batch at least once in `longest`.
    #[must_use]
    pub fn polling_every(self, longest: Duration) -> Self {
        Self {
            first_poll: self.first_poll.min(longest),
            longest_poll: longest,
            ..self
        }
    }
}
