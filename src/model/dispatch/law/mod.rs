//! How many calls one endpoint is good for, found out from its replies alone.
//!
//! The law climbs the hill of goodput: replies in a second, mean calls in flight and mean latency
//! are measured over windows, and windows before and after a change of the limit are compared. The
//! *elasticity* is the share of a change in flight that shows as a change of goodput. Where it is 1
//! the server has room; where it is 0 the calls only queue (Little's law). A window weighs its middle
//! most and slopes down over one latency on both sides: so replies that come in waves, one wave each
//! latency, weigh the same wherever a window begins.
//!
//! * **Start** doubles the limit each latency, one more for each reply (slow start: Jacobson 1988),
//!   until the latency rises and goodput does not follow. Then the limit is goodput × base latency,
//!   what fits without a queue (BBR: Cardwell et al. 2016), and a tenth.
//! * **Steady** now and then tries a quarter more, and keeps what goodput pays for, and more rarely
//!   some less, and keeps that when goodput does not fall: a queue is given up. When the latency
//!   jumps (the gradient of TCP Vegas: Brakmo & Peterson 1995) the limit comes down in proportion
//!   to the goodput, on trial as well: longer answers raise the latency, too, and are no overload.
//! * **Refusals** and failures lower the limit at once (multiplicative decrease: Jacobson 1988).
//!   Refusals that go on below the lowered limit are about a rate, and no business of this law.
//!
//! Time is told from outside, so that the law can be simulated.

mod judge;
mod window;

use std::time::Duration;

use self::window::{First, Rates, Window};
use crate::model::Concurrency;

const FIRST_LIMIT: usize = 10;
/// So many calls at the beginning make the base latency.
const BASE_CALLS: usize = 24;
const MOST: usize = 1 << 16;
/// So many replies at least make a window.
const FEWEST_SAMPLES: f64 = 32.0;
/// Goodput pays for a larger limit from this elasticity on.
const WORTH_MORE: f64 = 0.25;
/// Below this elasticity a smaller limit costs nothing.
const WORTH_LESS: f64 = 0.15;
/// A mean latency that is longer than the shortest one by this factor tells of a queue.
const QUEUED: f64 = 1.25;
/// By this factor the shortest latency is forgotten with each window.
const FORGOTTEN: f64 = 1.01;
/// Rounds between two trials.
const QUIET_ROUNDS: u32 = 8;
/// One trial in so many is downwards.
const DOWNWARD_TRIAL: u32 = 3;
/// Refusals within this time of the last lowering belong together.
const REFUSALS_BELONG: Duration = Duration::from_secs(10);
/// Over so many calls the share of failures is smoothed.
const RECENT_CALLS: f64 = 32.0;
/// A share of failures from which they are taken for overload: fewer come from elsewhere, and would
/// not become fewer with the load.
const OVERLOAD: f64 = 0.4;
/// How long a ceiling is believed at first.
const CEILING_HOLDS: Duration = Duration::from_secs(30);

/// What a call in flight carries for its reply.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    at: Duration,
    flying: usize,
    number: usize,
    change: u64,
}

/// What a refusal is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Too many calls at once.
    Crowd,
    /// Too many calls in a time.
    Rate,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Start {
        /// The latency beside which the latest ones look long.
        base: Option<f64>,
        /// The most in flight with which they did not.
        fits: usize,
        /// Whether they do, so that the limit must not grow until a window has been measured.
        holds: bool,
    },
    Steady,
    Trial {
        from: usize,
        before: Rates,
        /// Whether a failed trial upwards is followed by one downwards.
        settle: bool,
    },
}

/// The limit of one endpoint.
#[derive(Debug)]
pub(super) struct Law {
    pinned: bool,
    limit: usize,
    phase: Phase,
    window: Window,
    reference: Option<Rates>,
    quiet: u32,
    trials: u32,
    in_flight: usize,
    sent: usize,
    first: First,
    measured_at: f64,
    changes: u64,
    recent: f64,
    smoothed: f64,
    ceiling: Option<Ceiling>,
    lowered: Option<Lowered>,
    rate_limited: bool,
    /// The share of the last calls that failed.
    trouble: f64,
    /// The shortest mean latency of a window, slowly forgotten.
    shortest: f64,
    /// The limit that had found itself when another one was pinned.
    found: usize,
}

/// More calls at once than this were refused.
#[derive(Clone, Copy, Debug)]
struct Ceiling {
    limit: usize,
    next_try: Duration,
    patience: Duration,
}

/// The last lowering after a refusal.
#[derive(Clone, Copy, Debug)]
struct Lowered {
    at: Duration,
    change: u64,
    from: usize,
}

/// Why a limit changed, in a few words.
pub(super) type Why = &'static str;

impl Law {
    pub(super) fn new(concurrency: Concurrency) -> Self {
        let mut law = Self {
            pinned: false,
            limit: FIRST_LIMIT,
            phase: Phase::Steady,
            window: Window::default(),
            reference: None,
            quiet: 0,
            trials: 0,
            in_flight: 0,
            sent: 0,
            first: First::default(),
            measured_at: 0.0,
            changes: 0,
            recent: 0.0,
            smoothed: 0.0,
            ceiling: None,
            lowered: None,
            rate_limited: false,
            trouble: 0.0,
            shortest: f64::INFINITY,
            found: FIRST_LIMIT,
        };
        law.restart();
        law.set_concurrency(concurrency);
        law
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// How many calls more may hold a place because their reply is on its way to the disk: the
    /// server has nothing to do with them. A pinned limit is one of all calls that a kill would
    /// repeat.
    pub(super) fn spare(&self) -> usize {
        if self.pinned { 0 } else { self.limit / 8 + 1 }
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    pub(super) fn is_starting(&self) -> bool {
        !self.pinned && matches!(self.phase, Phase::Start { .. })
    }

    /// The smoothed latency.
    pub(super) fn latency(&self) -> Duration {
        Duration::from_secs_f64(self.smoothed)
    }

    /// Pins the limit, or finds it anew.
    pub(super) fn set_concurrency(&mut self, concurrency: Concurrency) {
        match concurrency {
            Concurrency::Fixed(limit) => {
                if !self.pinned {
                    self.found = self.limit;
                }
                self.pinned = true;
                self.limit = limit.clamp(1, MOST);
            }
            // What had been found is nearer to the truth than what was pinned.
            Concurrency::Auto if self.pinned => {
                self.pinned = false;
                self.limit = self.found;
                self.settle(Duration::from_secs_f64(self.measured_at));
            }
            Concurrency::Auto => {}
        }
    }

    /// Finds the limit anew, from where it is: the endpoint was away.
    pub(super) fn restart(&mut self) {
        self.phase = Phase::Start {
            base: None,
            fits: 1,
            holds: false,
        };
        self.reference = None;
        self.first = First::default();
        self.sent = 0;
        self.new_window(self.measured_at);
    }

    /// A call is sent.
    pub(super) fn sent(&mut self, now: Duration) -> Sent {
        self.measure(now);
        self.in_flight += 1;
        self.sent += 1;
        Sent {
            at: now,
            flying: self.in_flight,
            number: self.sent,
            change: self.changes,
        }
    }

    /// A call is answered, while `in_use` places were taken. Says why when the limit changed.
    pub(super) fn replied(&mut self, now: Duration, sent: Sent, in_use: usize) -> Option<Why> {
        self.ended(now);
        let at = now.as_secs_f64();
        let time = now.saturating_sub(sent.at).as_secs_f64().max(1e-6);
        self.observe_latency(time);
        self.trouble -= self.trouble / RECENT_CALLS;
        if self.pinned {
            return None;
        }
        if let Phase::Start {
            base,
            fits,
            holds: false,
        } = self.phase
        {
            return self.start(at, sent, time, in_use, base, fits);
        }
        let weight = self.window.weight(at);
        self.window.replies += weight;
        self.window.latency += weight * time;
        self.window.samples += 1;
        self.window.full += usize::from(in_use * 8 >= self.limit * 7);
        if at < self.window.ends {
            return None;
        }
        self.judge(now)
    }

    /// A call was put off with 429 or 503.
    pub(super) fn refused(&mut self, now: Duration, sent: Sent) -> Refusal {
        self.ended(now);
        if self.rate_limited {
            return Refusal::Rate;
        }
        if self.pinned {
            return self.refused_when_pinned(now, sent);
        }
        match self.lowered {
            Some(lowered) if sent.change < lowered.change => {
                let fits = self.fits();
                if fits < self.limit {
                    self.limit = fits;
                    self.hold_ceiling(now);
                }
                Refusal::Crowd
            }
            Some(lowered) if now < lowered.at + REFUSALS_BELONG => {
                self.limit = lowered.from.max(self.limit);
                self.ceiling = None;
                self.rate_limited = true;
                self.settle(now);
                Refusal::Rate
            }
            _ => {
                let from = self.limit;
                self.limit = self.fits();
                self.settle(now);
                self.lowered = Some(Lowered {
                    at: now,
                    change: self.changes,
                    from,
                });
                self.hold_ceiling(now);
                Refusal::Crowd
            }
        }
    }

    /// The first refusal may be about one call; those that follow it are about the rate.
    fn refused_when_pinned(&mut self, now: Duration, sent: Sent) -> Refusal {
        match self.lowered {
            Some(first) if now < first.at + REFUSALS_BELONG => {
                if sent.at > first.at {
                    self.rate_limited = true;
                    return Refusal::Rate;
                }
            }
            _ => {
                self.lowered = Some(Lowered {
                    at: now,
                    change: self.changes,
                    from: self.limit,
                });
            }
        }
        Refusal::Crowd
    }

    /// A call failed in a way that overload explains: it took too long, or the server broke.
    pub(super) fn failed(&mut self, now: Duration, sent: Sent) -> Option<Why> {
        self.ended(now);
        self.trouble += (1.0 - self.trouble) / RECENT_CALLS;
        if self.pinned || sent.change < self.changes || self.trouble < OVERLOAD {
            return None;
        }
        self.trouble = 0.0;
        self.limit = scaled(self.limit, 0.7);
        self.settle(now);
        Some("calls failed")
    }

    /// A call ended in a way that says nothing about the load.
    pub(super) fn ended(&mut self, now: Duration) {
        self.measure(now);
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Adds the calls in flight since the last time.
    fn measure(&mut self, now: Duration) {
        let at = now.as_secs_f64();
        if at > self.measured_at {
            let weight = self.window.weight_until(at) - self.window.weight_until(self.measured_at);
            self.window.flying += weight * count(self.in_flight);
            self.measured_at = at;
        }
    }

    fn observe_latency(&mut self, time: f64) {
        let smooth = |mean: &mut f64, over: usize| {
            *mean += if *mean == 0.0 {
                time
            } else {
                (time - *mean) / count(over)
            };
        };
        smooth(&mut self.recent, (self.limit / 8).max(24));
        smooth(&mut self.smoothed, self.limit.max(16));
    }

    /// How many calls at once a server that refuses takes, by those that it did take.
    fn fits(&self) -> usize {
        scaled(self.in_flight, 0.95)
    }

    fn hold_ceiling(&mut self, now: Duration) {
        let patience = self
            .ceiling
            .map_or(CEILING_HOLDS, |ceiling| ceiling.patience * 2);
        let patience = match self.lowered {
            Some(lowered) if lowered.at < now => {
                self.ceiling.map_or(patience, |known| known.patience)
            }
            _ => patience,
        };
        self.ceiling = Some(Ceiling {
            limit: self.limit,
            next_try: now + patience,
            patience,
        });
    }

    fn ceiling_limit(&self) -> usize {
        self.ceiling.map_or(MOST, |ceiling| ceiling.limit.max(1))
    }

    /// Begins a window, once the calls have settled at the limit as it is now.
    fn new_window(&mut self, at: f64) {
        self.changes += 1;
        self.begin_window(at + self.recent);
    }

    fn begin_window(&mut self, begins: f64) {
        let slope = self.recent.max(1e-6);
        let enough = slope * FEWEST_SAMPLES / count(self.limit);
        self.window = Window {
            begins,
            slope,
            ends: begins + slope + slope.max(enough),
            ..Window::default()
        };
    }

    /// Goes on from the limit as it is now, without anything to compare it with.
    fn settle(&mut self, now: Duration) {
        self.phase = Phase::Steady;
        self.reference = None;
        self.quiet = QUIET_ROUNDS - 2;
        self.new_window(now.as_secs_f64());
    }

    /// Doubles the limit each latency, until the latest ones look long.
    fn start(
        &mut self,
        at: f64,
        sent: Sent,
        time: f64,
        in_use: usize,
        base: Option<f64>,
        fits: usize,
    ) -> Option<Why> {
        let is_used = in_use * 4 >= self.limit * 3;
        let base = base.or_else(|| self.first.add(sent.number, time));
        let Some(base) = base else {
            return self.grow(is_used);
        };
        let holds = self.recent > 1.4 * base;
        let fits = if self.recent < 1.1 * base {
            fits.max(sent.flying)
        } else {
            fits
        };
        self.phase = Phase::Start {
            base: Some(base),
            fits,
            holds,
        };
        if holds {
            self.limit = sent.flying.clamp(scaled(self.limit, 0.75), self.limit);
            self.new_window(at);
            return Some("the latency grows");
        }
        self.grow(is_used)
    }

    fn grow(&mut self, is_used: bool) -> Option<Why> {
        if !is_used || self.limit >= self.ceiling_limit() {
            return None;
        }
        self.limit += 1;
        self.limit.is_power_of_two().then_some("the start")
    }
}

fn scaled(limit: usize, by: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "limits are small and positive"
    )]
    let scaled = (count(limit) * by).round() as usize;
    scaled.clamp(1, MOST)
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn count(number: usize) -> f64 {
    number as f64
}
