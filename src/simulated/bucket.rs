//! The token bucket of a rate limit.

use std::time::Duration;

use super::RateLimit;

/// A bucket that fills evenly, up to the burst.
#[derive(Debug)]
pub(super) struct Bucket {
    limit: RateLimit,
    tokens: f64,
    filled: Duration,
}

impl Bucket {
    pub(super) fn new(limit: RateLimit) -> Self {
        Self {
            limit,
            tokens: f64::from(limit.burst),
            filled: Duration::ZERO,
        }
    }

    /// Takes a token, or says how long it is until there is one.
    pub(super) fn take(&mut self, now: Duration) -> Result<(), Duration> {
        self.fill(now);
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        Err(self.time_for(1.0 - self.tokens))
    }

    /// The `x-ratelimit` headers as they stand, where the server tells them.
    pub(super) fn headers(&mut self, now: Duration) -> String {
        if !self.limit.headers {
            return String::new();
        }
        self.fill(now);
        let full = self.time_for(f64::from(self.limit.burst) - self.tokens);
        format!(
            "x-ratelimit-limit-requests: {}\r\nx-ratelimit-remaining-requests: {}\r\nx-ratelimit-reset-requests: {:.3}s\r\n",
            self.limit.per_minute,
            self.tokens.floor(),
            full.as_secs_f64()
        )
    }

    /// How many requests the limit lets in within so long from the first.
    pub(super) fn allowed(limit: RateLimit, within: Duration) -> f64 {
        f64::from(limit.burst) + per_second(limit) * within.as_secs_f64()
    }

    fn fill(&mut self, now: Duration) {
        let since = now.saturating_sub(self.filled).as_secs_f64();
        self.tokens =
            (self.tokens + since * per_second(self.limit)).min(f64::from(self.limit.burst));
        self.filled = now;
    }

    fn time_for(&self, tokens: f64) -> Duration {
        Duration::from_secs_f64((tokens / per_second(self.limit)).clamp(0.0, 3600.0))
    }
}

fn per_second(limit: RateLimit) -> f64 {
    f64::from(limit.per_minute) / 60.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_one_at_a_time() {
        let mut bucket = Bucket::new(RateLimit {
            per_minute: 600,
            burst: 3,
            headers: true,
        });
        let at = Duration::from_millis;
        assert!((0..3).all(|_| bucket.take(at(0)).is_ok()));
        let wait = bucket.take(at(0)).expect_err("the bucket is empty");
        assert_eq!(wait.as_millis(), 100);
        assert!(bucket.take(at(100)).is_ok() && bucket.take(at(150)).is_err());
        assert!((0..3).all(|_| bucket.take(at(9_000)).is_ok()), "it fills");
        assert!(
            bucket.take(at(9_000)).is_err(),
            "to the burst and no further"
        );
        let headers = bucket.headers(at(9_100));
        assert!(headers.contains("remaining-requests: 1\r\n"), "{headers}");
        assert!(headers.contains("reset-requests: 0.200s"), "{headers}");
    }
}
