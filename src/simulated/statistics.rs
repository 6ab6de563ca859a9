//! What a simulated server has done.

use serde::{Deserialize, Serialize};

/// What a simulated server has done since its first request. Only requests for completions count.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SimulatedStatistics {
    /// Requests that came.
    pub requests: u64,
    /// Requests that got an answer.
    pub answered: u64,
    /// Requests refused with 429, for the rate limit or for want of a slot.
    pub refused: u64,
    /// Attempts that failed because they were to fail.
    pub faults: u64,
    /// Seconds from the first request to the last reply.
    pub elapsed: f64,
    /// Seconds that slots were busy within the capacity.
    pub busy: f64,
    /// Seconds that slots were there.
    pub capacity: f64,
    /// The share of the slots' time that was used.
    pub utilisation: f64,
    /// How many requests the rate limit would have let in, where there is one.
    pub allowed: Option<f64>,
    /// The most requests that were decoded or waited at one time.
    pub most_in_flight: u64,
    /// The most that waited.
    pub most_queued: u64,
    /// How many waited on average.
    pub mean_queue: f64,
    /// Tokens of the answered requests.
    pub input: u64,
    /// Those of them that the prefix cache held.
    pub cached: u64,
    /// Tokens of the answers.
    pub output: u64,
    /// Second by second.
    pub seconds: Vec<Second>,
}

/// One second of a simulated server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Second {
    /// Requests that got an answer.
    pub answered: u64,
    /// Requests refused with 429.
    pub refused: u64,
    /// The most requests that were decoded or waited at one time.
    pub most_in_flight: u64,
}

impl SimulatedStatistics {
    /// The statistics of several servers that did one work together.
    #[must_use]
    pub fn together(servers: &[Self]) -> Self {
        let mut sum = Self::default();
        for server in servers {
            sum.requests += server.requests;
            sum.answered += server.answered;
            sum.refused += server.refused;
            sum.faults += server.faults;
            sum.elapsed = sum.elapsed.max(server.elapsed);
            sum.busy += server.busy;
            sum.capacity += server.capacity;
            sum.allowed = match (sum.allowed, server.allowed) {
                (Some(one), Some(other)) => Some(one + other),
                (one, other) => one.or(other),
            };
            sum.most_in_flight += server.most_in_flight;
            sum.most_queued += server.most_queued;
            sum.mean_queue += server.mean_queue;
            sum.input += server.input;
            sum.cached += server.cached;
            sum.output += server.output;
            for (at, second) in server.seconds.iter().enumerate() {
                let into = sum.second(at);
                into.answered += second.answered;
                into.refused += second.refused;
                into.most_in_flight += second.most_in_flight;
            }
        }
        sum.utilisation = ratio(sum.busy, sum.capacity);
        sum
    }

    /// The second of that number, which is there from now on.
    pub(super) fn second(&mut self, number: usize) -> &mut Second {
        if self.seconds.len() <= number {
            self.seconds.resize(number + 1, Second::default());
        }
        &mut self.seconds[number]
    }
}

pub(super) fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_add_up() {
        let one = SimulatedStatistics {
            busy: 1.0,
            capacity: 4.0,
            elapsed: 2.0,
            seconds: vec![Second::default(); 2],
            ..SimulatedStatistics::default()
        };
        let other = SimulatedStatistics {
            busy: 3.0,
            elapsed: 3.0,
            seconds: vec![
                Second {
                    answered: 5,
                    ..Second::default()
                };
                3
            ],
            ..one.clone()
        };
        let sum = SimulatedStatistics::together(&[one, other]);
        assert!((sum.utilisation - 0.5).abs() < 1e-9 && (sum.elapsed - 3.0).abs() < 1e-9);
        assert_eq!((sum.seconds.len(), sum.seconds[2].answered), (3, 5));
    }
}
