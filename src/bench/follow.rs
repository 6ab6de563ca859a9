//! How quickly the load followed a server's capacity.

use std::time::Duration;

use serde::Serialize;

use crate::simulated::{SimulatedOptions, SimulatedStatistics};

/// From this share on of what the server could answer, a load has followed.
const ENOUGH: f64 = 0.9;
/// More in flight than so many times the capacity is too much: what the server cannot decode waits.
const TOO_MUCH: f64 = 1.6;

/// One change of a server's capacity, and how long it took the load to follow.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Follow {
    /// When the capacity changed, in seconds from the first request.
    pub at: f64,
    /// How many requests could be decoded at once from then on.
    pub slots: usize,
    /// After how many whole seconds the server first answered nine tenths of what it could with
    /// at most 1.6 times its slots in flight; absent when that did not happen before the next change.
    pub seconds: Option<f64>,
}

/// How each change of the capacity was followed.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub fn follows(server: &SimulatedOptions, statistics: &SimulatedStatistics) -> Vec<Follow> {
    let mut turns: Vec<Duration> = server
        .capacity_schedule
        .iter()
        .flat_map(|change| [change.from, change.until])
        .filter(|turn| turn.as_secs_f64() < statistics.elapsed)
        .collect();
    turns.sort();
    turns.dedup();
    let ends = turns.iter().skip(1).map(Duration::as_secs_f64);
    let ends: Vec<f64> = ends.chain([statistics.elapsed]).collect();
    turns
        .iter()
        .zip(ends)
        .map(|(turn, end)| {
            let slots = server.capacity(*turn);
            let load = (slots as f64 / server.slots.max(1) as f64).min(1.0);
            let latency = server.latency.as_secs_f64() * (1.0 + server.growth * load);
            let could = slots as f64 / latency.max(0.001);
            let at = turn.as_secs_f64();
            let whole = statistics.seconds.iter().enumerate();
            let followed = whole
                .map(|(second, counted)| (second as f64, counted))
                .filter(|(second, _)| *second >= at.floor() && second + 1.0 <= end)
                .find(|(_, counted)| {
                    counted.answered as f64 >= ENOUGH * could
                        && counted.most_in_flight as f64 <= TOO_MUCH * slots as f64
                });
            Follow {
                at,
                slots,
                seconds: followed.map(|(second, _)| second + 1.0 - at),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulated::{CapacityChange, Second};

    #[test]
    fn a_load_that_falls_late_and_comes_back_at_once_is_told_so() {
        let server = SimulatedOptions {
            slots: 10,
            latency: Duration::from_millis(100),
            capacity_schedule: vec![CapacityChange {
                from: Duration::from_secs(2),
                until: Duration::from_secs(6),
                factor: 0.5,
            }],
            ..SimulatedOptions::default()
        };
        let second = |answered, most_in_flight| Second {
            answered,
            refused: 0,
            most_in_flight,
        };
        let mut statistics = SimulatedStatistics {
            elapsed: 8.0,
            seconds: vec![second(100, 12); 8],
            ..SimulatedStatistics::default()
        };
        statistics.seconds[2] = second(55, 12);
        statistics.seconds[3] = second(50, 12);
        statistics.seconds[4] = second(50, 8);
        statistics.seconds[5] = second(50, 7);
        let [down, up] = &follows(&server, &statistics)[..] else {
            panic!("two changes");
        };
        assert_eq!((down.slots, down.seconds), (5, Some(3.0)));
        assert_eq!((up.slots, up.seconds), (10, Some(1.0)));

        statistics.seconds[6] = second(60, 7);
        statistics.seconds[7] = second(60, 7);
        assert_eq!(follows(&server, &statistics)[1].seconds, None);
    }
}
