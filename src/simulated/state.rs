//! All that a simulated server knows at one moment.

use std::time::Duration;

use super::asked::Asked;
use super::bucket::Bucket;
use super::cache::PrefixCache;
use super::fault::{Fault, Faults};
use super::mix::share;
use super::reply::Said;
use super::slots::{Place, Slots};
use super::statistics::ratio;
use super::{SimulatedOptions, SimulatedStatistics};

/// All that a simulated server knows; it is told the time since the first request.
#[derive(Debug)]
pub(super) struct State {
    options: SimulatedOptions,
    slots: Slots,
    bucket: Option<Bucket>,
    cache: PrefixCache,
    faults: Faults,
    counts: SimulatedStatistics,
    last_reply: Duration,
}

/// What becomes of a request that has come.
#[derive(Debug)]
pub(super) enum Entry {
    /// It is refused, and may come again after so long.
    Refused(Duration, &'static str),
    /// It fails at once.
    Fails(Fault),
    /// It is decoded, or waits for that, and may fail afterwards.
    Let(Place, Option<Fault>),
}

impl State {
    pub(super) fn new(options: SimulatedOptions) -> Self {
        Self {
            slots: Slots::new(options.clone()),
            bucket: options.rate.map(Bucket::new),
            cache: PrefixCache::new(options.cache_blocks),
            faults: Faults::new(options.faults, options.seed),
            counts: SimulatedStatistics::default(),
            last_reply: Duration::ZERO,
            options,
        }
    }

    /// A request comes.
    pub(super) fn enter(&mut self, asked: &Asked<'_>, now: Duration) -> Entry {
        self.counts.requests += 1;
        if let Some(Err(wait)) = self.bucket.as_mut().map(|bucket| bucket.take(now)) {
            return self.refuse(now, wait, "the rate limit is reached");
        }
        let fault = self.faults.draw(asked.hash);
        self.counts.faults += u64::from(fault.is_some());
        if let Some(Fault::TooMany | Fault::Broken | Fault::Unavailable) = fault {
            return fault.map_or(Entry::Let(Place::Refused, None), Entry::Fails);
        }
        let place = self.slots.enter(now);
        if let Place::Refused = place {
            return self.refuse(now, Duration::from_secs(1), "every slot is busy");
        }
        let in_flight = self.slots.in_flight() as u64;
        self.counts.most_in_flight = self.counts.most_in_flight.max(in_flight);
        let second = self.counts.second(number(now));
        second.most_in_flight = second.most_in_flight.max(in_flight);
        Entry::Let(place, fault)
    }

    fn refuse(&mut self, now: Duration, wait: Duration, why: &'static str) -> Entry {
        self.counts.refused += 1;
        self.counts.second(number(now)).refused += 1;
        Entry::Refused(wait, why)
    }

    /// A request is being decoded from now on: for how long, and how many characters of it are
    /// cached.
    pub(super) fn decode(&mut self, asked: &Asked<'_>) -> (Duration, usize) {
        let cached = self.cache.look_up(asked.messages.as_bytes());
        let grown = 1.0 + self.options.growth * self.slots.load();
        let latency = self
            .options
            .latency
            .mul_f64(grown * self.spread(asked.hash));
        (latency, cached)
    }

    /// A request has been decoded, and gets its reply unless it fails.
    pub(super) fn leave(&mut self, said: &Said, fails: bool, now: Duration) {
        self.slots.leave(now);
        self.last_reply = self.last_reply.max(now);
        if fails {
            return;
        }
        self.counts.answered += 1;
        self.counts.input += said.input;
        self.counts.cached += said.cached;
        self.counts.output += said.output;
        self.counts.second(number(now)).answered += 1;
    }

    /// The capacity may have changed.
    pub(super) fn turn(&mut self, now: Duration) {
        self.slots.turn(now);
    }

    /// The headers of a reply that tell the rate limit.
    pub(super) fn rate_headers(&mut self, now: Duration) -> String {
        self.bucket
            .as_mut()
            .map_or_else(String::new, |bucket| bucket.headers(now))
    }

    /// What has been done up to the last reply.
    pub(super) fn statistics(&self) -> SimulatedStatistics {
        let elapsed = self.last_reply.as_secs_f64();
        let (busy, queue) = self.slots.times();
        let capacity = self.slots.capacity_time(self.last_reply);
        SimulatedStatistics {
            elapsed,
            busy,
            capacity,
            utilisation: ratio(busy, capacity),
            allowed: self
                .options
                .rate
                .map(|limit| Bucket::allowed(limit, self.last_reply)),
            most_queued: self.slots.most_queued() as u64,
            mean_queue: ratio(queue, elapsed),
            ..self.counts.clone()
        }
    }

    /// By what the latency of that request is multiplied: log-normal, with a mean of 1.
    fn spread(&self, hash: u64) -> f64 {
        let deviation = self.options.spread;
        if deviation <= 0.0 {
            return 1.0;
        }
        let seed = self.options.seed;
        let radius = (-2.0 * (1.0 - share(hash, seed ^ 1)).ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * share(hash, seed ^ 2)).cos();
        (deviation * normal - deviation * deviation / 2.0).exp()
    }
}

/// The number of the second in which that moment is.
fn number(now: Duration) -> usize {
    usize::try_from(now.as_secs()).unwrap_or(usize::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulated::mix::hash;

    #[test]
    fn a_spread_of_latencies_keeps_their_mean() {
        let state = State::new(SimulatedOptions {
            spread: 0.5,
            ..SimulatedOptions::default()
        });
        let drawn: Vec<f64> = (0..20_000_u64)
            .map(|request| state.spread(hash(0, &request.to_le_bytes())))
            .collect();
        let mean = drawn.iter().sum::<f64>() / 20_000.0;
        let below = drawn.iter().filter(|factor| **factor < 1.0).count();
        assert!((0.97..1.03).contains(&mean), "{mean}");
        assert!((11_000..13_000).contains(&below), "{below}");
    }
}
