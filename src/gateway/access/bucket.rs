//! A bucket that fills evenly: so much a minute, and at most a minute's worth at once.

use std::time::Duration;

use tokio::time::Instant;

/// What there is at a moment of something that comes in so much a minute.
#[derive(Debug)]
pub(super) struct Bucket {
    level: f64,
    at: Instant,
}

impl Bucket {
    /// A full bucket.
    pub(super) fn full(per_minute: u64) -> Self {
        Self {
            level: as_number(per_minute),
            at: Instant::now(),
        }
    }

    /// Whether there is at least one, or how long until there is.
    pub(super) fn has_one(&mut self, per_minute: u64) -> Result<(), Duration> {
        self.fill(per_minute);
        if self.level >= 1.0 {
            return Ok(());
        }
        let a_second = as_number(per_minute) / 60.0;
        Err(Duration::from_secs_f64((1.0 - self.level) / a_second))
    }

    /// Takes so many out. There may be less than nothing afterwards: what was used is used.
    pub(super) fn take(&mut self, amount: u64) {
        self.level -= as_number(amount);
    }

    fn fill(&mut self, per_minute: u64) {
        let now = Instant::now();
        let gained = now.duration_since(self.at).as_secs_f64() * as_number(per_minute) / 60.0;
        self.level = (self.level + gained).min(as_number(per_minute));
        self.at = now;
    }
}

#[expect(clippy::cast_precision_loss, reason = "amounts are far below 2^52")]
fn as_number(amount: u64) -> f64 {
    amount as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_fills_evenly_and_never_beyond_a_minute() {
        let mut bucket = Bucket::full(60);
        for _ in 0..60 {
            assert_eq!(bucket.has_one(60), Ok(()));
            bucket.take(1);
        }
        assert_eq!(bucket.has_one(60), Err(Duration::from_secs(1)));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(bucket.has_one(60), Ok(()));
        bucket.take(30);
        assert_eq!(bucket.has_one(60), Err(Duration::from_secs(30)));
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert_eq!(bucket.has_one(60), Ok(()));
        bucket.take(60);
        assert_eq!(bucket.has_one(60), Err(Duration::from_secs(1)));
    }
}
