//! What a simulated server is like.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a simulated server is like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SimulatedOptions {
    /// Where it listens; port 0 takes a free one.
    pub address: SocketAddr,
    /// How many requests are decoded at once.
    pub slots: usize,
    /// How long a request is decoded; in seconds where it is written.
    #[serde(with = "seconds")]
    pub latency: Duration,
    /// The standard deviation of the latency's logarithm; 0 makes every request equal, and the mean
    /// stays the same.
    pub spread: f64,
    /// How much longer a request takes when all slots are busy, as a share of the latency.
    pub growth: f64,
    /// What becomes of a request when no slot is free.
    pub when_full: WhenFull,
    /// How many requests are let in.
    pub rate: Option<RateLimit>,
    /// How many blocks of 256 characters the prefix cache holds.
    pub cache_blocks: usize,
    /// When the capacity is another one.
    pub capacity_schedule: Vec<CapacityChange>,
    /// How long an answer is, about, in characters.
    pub reply_characters: usize,
    /// The share of requests that fail at the first attempt.
    pub faults: f64,
    /// The seed of latencies and failures.
    pub seed: u64,
}

impl Default for SimulatedOptions {
    fn default() -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            slots: 256,
            latency: Duration::from_millis(200),
            spread: 0.0,
            growth: 0.0,
            when_full: WhenFull::Queue,
            rate: None,
            cache_blocks: 0,
            capacity_schedule: Vec::new(),
            reply_characters: 800,
            faults: 0.0,
            seed: 0,
        }
    }
}

/// What becomes of a request when no slot is free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenFull {
    /// It waits its turn, first come, first served.
    #[default]
    Queue,
    /// It is refused with 429 and `retry-after: 1`.
    Refuse,
}

/// A rate limit, kept by a token bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateLimit {
    /// Requests per minute.
    pub per_minute: u32,
    /// How many may come at once.
    pub burst: u32,
    /// Whether replies tell the limit in `x-ratelimit` headers.
    pub headers: bool,
}

/// A stretch of time in which the server has another capacity.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CapacityChange {
    /// When it begins, counted from the first request.
    #[serde(with = "seconds")]
    pub from: Duration,
    /// When it ends.
    #[serde(with = "seconds")]
    pub until: Duration,
    /// By what the slots are multiplied.
    pub factor: f64,
}

impl SimulatedOptions {
    /// How many requests may be decoded at once, so long after the first one.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of slots, far below 2^52"
    )]
    pub fn capacity(&self, now: Duration) -> usize {
        let factor = self
            .capacity_schedule
            .iter()
            .find(|change| (change.from..change.until).contains(&now))
            .map_or(1.0, |change| change.factor.max(0.0));
        (self.slots as f64 * factor).round() as usize
    }

    /// The moments at which the capacity changes.
    pub(super) fn turns(&self) -> Vec<Duration> {
        let ends = |change: &CapacityChange| [change.from, change.until];
        let mut turns: Vec<Duration> = self.capacity_schedule.iter().flat_map(ends).collect();
        turns.sort();
        turns.dedup();
        turns
    }
}

/// Times as numbers of seconds.
mod seconds {
    use std::time::Duration;

    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        time: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(time.as_secs_f64())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        Duration::try_from_secs_f64(seconds).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_the_same_after_a_way_through_text() {
        let options = SimulatedOptions {
            latency: Duration::from_millis(150),
            rate: Some(RateLimit {
                per_minute: 600,
                burst: 20,
                headers: false,
            }),
            ..SimulatedOptions::default()
        };
        let text = serde_json::to_string(&options).expect("JSON");
        assert!(text.contains(r#""latency":0.15,"#), "{text}");
        let read: SimulatedOptions = serde_json::from_str(&text).expect("options");
        assert_eq!(read, options);
    }

    #[test]
    fn the_capacity_follows_its_schedule_and_comes_back() {
        let options = SimulatedOptions {
            slots: 9,
            capacity_schedule: vec![CapacityChange {
                from: Duration::from_secs(10),
                until: Duration::from_secs(20),
                factor: 0.5,
            }],
            ..SimulatedOptions::default()
        };
        let at = |seconds| options.capacity(Duration::from_secs(seconds));
        assert_eq!([at(0), at(9), at(10), at(19), at(20)], [9, 9, 5, 5, 9]);
        assert_eq!(options.turns().len(), 2);
    }
}
