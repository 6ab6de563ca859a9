//! The slots that requests are decoded in, and the queue before them.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::oneshot;

use super::{SimulatedOptions, WhenFull};

/// Slots that are busy or free, by a capacity that follows its schedule.
#[derive(Debug)]
pub(super) struct Slots {
    options: SimulatedOptions,
    busy: usize,
    waiting: VecDeque<oneshot::Sender<()>>,
    seen: Duration,
    busy_time: f64,
    queue_time: f64,
    most_queued: usize,
}

/// What becomes of a request that asks for a slot.
#[derive(Debug)]
pub(super) enum Place {
    /// It has one.
    Free,
    /// It has one once this is ready.
    Later(oneshot::Receiver<()>),
    /// It gets none.
    Refused,
}

impl Slots {
    pub(super) fn new(options: SimulatedOptions) -> Self {
        Self {
            options,
            busy: 0,
            waiting: VecDeque::new(),
            seen: Duration::ZERO,
            busy_time: 0.0,
            queue_time: 0.0,
            most_queued: 0,
        }
    }

    /// Asks for a slot.
    pub(super) fn enter(&mut self, now: Duration) -> Place {
        self.advance(now);
        if self.busy < self.options.capacity(now) {
            self.busy += 1;
            return Place::Free;
        }
        if self.options.when_full == WhenFull::Refuse {
            return Place::Refused;
        }
        let (ready, place) = oneshot::channel();
        self.waiting.push_back(ready);
        self.most_queued = self.most_queued.max(self.waiting.len());
        Place::Later(place)
    }

    /// Gives a slot back.
    pub(super) fn leave(&mut self, now: Duration) {
        self.advance(now);
        self.busy = self.busy.saturating_sub(1);
        self.let_in(now);
    }

    /// Looks at the capacity again, which may have changed.
    pub(super) fn turn(&mut self, now: Duration) {
        self.advance(now);
        self.let_in(now);
    }

    /// Requests that are decoded or wait.
    pub(super) fn in_flight(&self) -> usize {
        self.busy + self.waiting.len()
    }

    /// The share of the slots that are busy.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a number of slots, far below 2^52"
    )]
    pub(super) fn load(&self) -> f64 {
        self.busy as f64 / self.options.slots.max(1) as f64
    }

    pub(super) fn most_queued(&self) -> usize {
        self.most_queued
    }

    /// Seconds that slots were busy within the capacity, and that requests waited, up to the last
    /// time that something happened.
    pub(super) fn times(&self) -> (f64, f64) {
        (self.busy_time, self.queue_time)
    }

    /// Seconds of slots that there were until then.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a number of slots, far below 2^52"
    )]
    pub(super) fn capacity_time(&self, until: Duration) -> f64 {
        let mut time = 0.0;
        let mut from = Duration::ZERO;
        let turns = self.options.turns();
        for turn in turns
            .into_iter()
            .filter(|turn| *turn < until)
            .chain([until])
        {
            time += self.options.capacity(from) as f64 * turn.saturating_sub(from).as_secs_f64();
            from = turn;
        }
        time
    }

    /// Adds up what was so since the last time that something happened.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a number of slots, far below 2^52"
    )]
    fn advance(&mut self, now: Duration) {
        let since = now.saturating_sub(self.seen).as_secs_f64();
        let busy = self.busy.min(self.options.capacity(self.seen));
        self.busy_time += busy as f64 * since;
        self.queue_time += self.waiting.len() as f64 * since;
        self.seen = now;
    }

    fn let_in(&mut self, now: Duration) {
        while self.busy < self.options.capacity(now)
            && let Some(ready) = self.waiting.pop_front()
        {
            // Whoever has gone away needs no slot.
            self.busy += usize::from(ready.send(()).is_ok());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulated::CapacityChange;

    fn slots(size: usize, when_full: WhenFull) -> Slots {
        Slots::new(SimulatedOptions {
            slots: size,
            when_full,
            capacity_schedule: vec![CapacityChange {
                from: Duration::from_secs(10),
                until: Duration::from_secs(20),
                factor: 0.5,
            }],
            ..SimulatedOptions::default()
        })
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn who_comes_first_is_served_first() {
        let mut slots = slots(2, WhenFull::Queue);
        assert!(matches!(slots.enter(at(0)), Place::Free));
        assert!(matches!(slots.enter(at(0)), Place::Free));
        let mut waiting = [slots.enter(at(0)), slots.enter(at(0))].map(|place| match place {
            Place::Later(place) => place,
            other => panic!("{other:?}"),
        });
        slots.leave(at(1));
        assert!(waiting[0].try_recv().is_ok() && waiting[1].try_recv().is_err());
        assert_eq!((slots.in_flight(), slots.most_queued()), (3, 2));
        assert_eq!(slots.times(), (2.0, 2.0));
    }

    #[test]
    fn a_full_server_may_refuse() {
        let mut slots = slots(1, WhenFull::Refuse);
        assert!(matches!(slots.enter(at(0)), Place::Free));
        assert!(matches!(slots.enter(at(0)), Place::Refused));
        slots.leave(at(1));
        assert!(matches!(slots.enter(at(1)), Place::Free));
    }

    #[test]
    fn capacity_that_goes_is_not_used_and_capacity_that_returns_is() {
        let mut slots = slots(4, WhenFull::Queue);
        for _ in 0..4 {
            assert!(matches!(slots.enter(at(0)), Place::Free));
        }
        slots.turn(at(10));
        for _ in 0..3 {
            slots.leave(at(12));
        }
        assert!(matches!(slots.enter(at(12)), Place::Free));
        let Place::Later(mut later) = slots.enter(at(12)) else {
            panic!("half of four slots are busy")
        };
        slots.turn(at(20));
        assert!(later.try_recv().is_ok());
        slots.leave(at(30));
        // 4 for 10 s, then 2 for 10 s, then 3 for 10 s.
        assert_eq!(slots.times(), (90.0, 8.0));
        assert!((slots.capacity_time(at(30)) - 100.0).abs() < 1e-9);
    }

    #[test]
    fn who_went_away_takes_no_slot() {
        let mut slots = slots(1, WhenFull::Queue);
        slots.enter(at(0));
        drop(slots.enter(at(0)));
        slots.leave(at(1));
        assert_eq!(slots.in_flight(), 0);
    }
}
