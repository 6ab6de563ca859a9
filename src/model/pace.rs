//! How fast calls may follow each other on one key: by the settings, by what the server says, or by
//! what its refusals teach.
//!
//! Each limit is a bucket that fills at a rate; a call takes from it before it is sent, and waits
//! for its turn when the bucket is empty. Where nothing is known, two refusals tell: the server's
//! own bucket was empty at both, so what it let through in between, by the time in between, is its
//! rate.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::{Allowance, RateNotice, RateSink};
use crate::digest::Digest;

const MINUTE: f64 = 60.0;
/// How long everybody waits when a server that refuses does not say.
const PLAIN_HOLD: Duration = Duration::from_secs(1);
/// So many calls without a refusal, and a little more is tried.
const CALM: u64 = 1000;
/// An estimate from fewer calls than this may be far too low, which only calm can tell.
const FIRM_ESTIMATE: u64 = 150;
/// An estimate below this share of an earlier one is of no rate limit: a server that has one lets
/// through what is spaced by the first good estimate.
const FALSE_ESTIMATE: f64 = 0.5;
/// So many calls make an estimate good enough to be compared with later ones.
const GOOD_ESTIMATE: u64 = 8;
/// From fewer calls than this, an estimate may be as low by the way they fall.
const FEWEST_CALLS: u64 = 4;
/// How long refusals are taken for chance after that; longer each time.
const TAKEN_FOR_CHANCE: Duration = Duration::from_secs(60);

/// All paces of a process, one for each key, or for each address that needs none.
#[derive(Debug, Default)]
pub struct Paces(Mutex<HashMap<Digest, Arc<Pace>>>);

impl Paces {
    /// The pace of an account; limits that are configured here hold for all who share it.
    pub fn of(&self, account: Digest, rpm: Option<u32>, tpm: Option<u32>) -> Arc<Pace> {
        let mut paces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pace = paces.entry(account).or_default();
        if rpm.is_some() || tpm.is_some() {
            pace.configure(rpm, tpm);
        }
        Arc::clone(pace)
    }
}

/// How fast calls may follow each other on one key.
#[derive(Debug, Default)]
pub struct Pace(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    requests: Bucket,
    tokens: Bucket,
    /// Nobody goes before this.
    hold: Option<Instant>,
    /// Counts holds: who slept through one takes its turn anew.
    holds: u64,
    /// Calls sent and not answered.
    out: u64,
    sleeping: u64,
    learned: Learned,
    mean_output: f64,
}

/// Who may set a bucket; a stronger one is not overruled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    #[default]
    Nobody,
    Refusals,
    Headers,
    Settings,
}

#[derive(Debug, Default)]
struct Bucket {
    source: Source,
    rate: f64,
    most: f64,
    level: f64,
    at: Option<Instant>,
}

impl Bucket {
    fn set(&mut self, source: Source, rate: f64, most: f64, level: f64, at: Instant) {
        (self.source, self.rate, self.most) = (source, rate.max(0.01), most);
        (self.level, self.at) = (level.min(most), Some(at));
    }

    fn fill(&mut self, now: Instant) {
        let at = *self.at.get_or_insert(now);
        if now > at {
            let filled = now.duration_since(at).as_secs_f64() * self.rate;
            self.level = (self.level + filled).min(self.most);
            self.at = Some(now);
        }
    }

    /// Takes from the bucket; says how long to wait until it was there.
    fn take(&mut self, cost: f64, now: Instant) -> Duration {
        if self.source == Source::Nobody {
            return Duration::ZERO;
        }
        self.fill(now);
        let early = self
            .at
            .map_or(Duration::ZERO, |at| at.saturating_duration_since(now));
        // A cost above the whole bucket waits until it is full.
        let short = -(self.level - cost.min(self.most));
        self.level -= cost;
        if short <= 0.0 {
            return early;
        }
        early + Duration::from_secs_f64((short / self.rate).min(3600.0))
    }

    fn give_back(&mut self, cost: f64) {
        self.level = (self.level + cost).min(self.most);
    }

    fn told(&mut self, allowance: &Allowance, gone: f64, now: Instant) {
        if self.source > Source::Headers {
            return;
        }
        let Some(remaining) = allowance.remaining.map(float) else {
            return;
        };
        let limit = allowance.limit.map_or(remaining.max(1.0), float);
        let refill = allowance
            .reset
            .filter(|reset| !reset.is_zero() && limit > remaining)
            .map(|reset| (limit - remaining) / reset.as_secs_f64());
        // Mostly the limit is that of a minute; a small one may be that of the bucket alone.
        let rate = match refill {
            Some(refill) if limit < MINUTE => refill,
            Some(refill) => refill.min(limit / MINUTE),
            None => limit / MINUTE,
        };
        self.set(Source::Headers, rate, limit, remaining - gone, now);
    }
}

/// What refusals taught.
#[derive(Debug, Default)]
struct Learned {
    /// When the server's bucket was last known to be empty.
    empty: Option<Instant>,
    began: Option<Instant>,
    /// Calls let through since then.
    passed: u64,
    /// The time before that, and how many calls it let through.
    measured: Option<(f64, u64)>,
    /// The rate and count of what had been learned before.
    known: Option<(f64, u64)>,
    rate: f64,
    /// The highest good estimate.
    highest: f64,
    /// Until when refusals say nothing about a rate, and how long that lasts.
    chance: Option<(Instant, Duration)>,
    /// From how many calls the rate was learned.
    from: u64,
    calm: u64,
}

impl Learned {
    /// A refusal, the first of its kind for a while. Says at which rate to go on.
    fn refused(&mut self, now: Instant) -> f64 {
        let since = self.empty.or(self.began).unwrap_or(now);
        let time = now.duration_since(since).as_secs_f64().max(0.01);
        self.known = self.empty.map(|_| (self.rate, self.from));
        // The call that was refused has been counted as let through.
        self.measured = Some((time, self.passed.saturating_sub(1)));
        self.empty = Some(now);
        (self.passed, self.calm) = (0, 0);
        self.learn()
    }

    /// Whether refusals come whatever the rate is. They are then taken for chance for a while.
    fn is_chance(&mut self, now: Instant) -> bool {
        if let Some((until, _)) = self.chance
            && now < until
        {
            return true;
        }
        if self.rate > self.highest * FALSE_ESTIMATE || self.from < FEWEST_CALLS {
            if self.from >= GOOD_ESTIMATE {
                self.highest = self.highest.max(self.rate);
            }
            return false;
        }
        let lasts = self
            .chance
            .map_or(TAKEN_FOR_CHANCE, |(_, lasted)| lasted * 2);
        *self = Self {
            chance: Some((now + lasts, lasts)),
            ..Self::default()
        };
        true
    }

    /// Another call of those that the last refusal came with.
    fn refused_as_well(&mut self) -> f64 {
        if let Some((_, passed)) = &mut self.measured {
            *passed = passed.saturating_sub(1);
        }
        self.learn()
    }

    fn learn(&mut self) -> f64 {
        if let Some((time, passed)) = self.measured {
            let rate = float(passed.max(1)) / time;
            (self.rate, self.from) = match self.known {
                // The bucket was full at first, so this is more than the rate.
                None => (rate, 0),
                // It confirms what was known.
                Some((known, from)) if from > 0 && (rate / known - 1.0).abs() < 0.1 => {
                    let (known_from, all) = (from.min(CALM), from.min(CALM) + passed);
                    let sum = known * float(known_from) + rate * float(passed);
                    (sum / float(all), all)
                }
                Some(_) => (rate, passed),
            };
        }
        self.spaced()
    }

    /// The fewer calls an estimate is from, the less of what is allowed may be left unused for it.
    fn spaced(&self) -> f64 {
        self.rate
            * match self.from {
                0..30 => 1.08,
                30..FIRM_ESTIMATE => 1.02,
                _ => 0.99,
            }
    }

    /// A call was answered. Says by how much more to go on, when enough of them were.
    fn answered(&mut self) -> Option<f64> {
        self.calm += 1;
        let (calm, more) = match self.from {
            0..30 => (30, 1.1),
            30..FIRM_ESTIMATE => (2 * self.from, 1.05),
            _ => (CALM, 1.02),
        };
        if self.calm < calm {
            return None;
        }
        self.calm = 0;
        Some(more)
    }
}

impl State {
    /// A call goes out.
    fn begin(&mut self) {
        self.out += 1;
        self.learned.passed += 1;
    }
}

impl Pace {
    /// A pace with these limits of requests and tokens in a minute; those not given are learned.
    #[must_use]
    pub fn configured(rpm: Option<u32>, tpm: Option<u32>) -> Self {
        let pace = Self::default();
        pace.configure(rpm, tpm);
        pace
    }

    fn configure(&self, rpm: Option<u32>, tpm: Option<u32>) {
        let mut state = self.state();
        let set = |bucket: &mut Bucket, limit: Option<u32>| {
            if let Some(limit) = limit {
                let rate = f64::from(limit) / MINUTE;
                // A second's worth at once: how much the server's bucket holds is not known.
                bucket.set(
                    Source::Settings,
                    rate,
                    rate.max(1.0),
                    rate.max(1.0),
                    Instant::now(),
                );
            }
        };
        let State {
            requests, tokens, ..
        } = &mut *state;
        set(requests, rpm);
        set(tokens, tpm);
        if tpm.is_some() {
            // A call is never more than a bucket of tokens: those hold a minute's worth.
            tokens.most *= MINUTE;
        }
    }

    /// How many tokens a request will cost, about.
    pub(super) fn estimate(&self, request_bytes: usize, max_tokens: Option<u32>) -> u64 {
        let input = request_bytes as u64 / 4;
        let output = max_tokens.map_or_else(|| whole(self.state().mean_output), u64::from);
        input + output
    }

    /// Whether a call would have to wait now.
    pub fn is_holding(&self) -> bool {
        let now = Instant::now();
        let mut state = self.state();
        let waits = |bucket: &mut Bucket| {
            bucket.fill(now);
            bucket.source != Source::Nobody && bucket.level < 1.0
        };
        let holds = state.hold.is_some_and(|hold| now < hold);
        holds || waits(&mut state.requests) || waits(&mut state.tokens)
    }

    /// Waits until a call of so many tokens may be sent; it is then out until
    /// [`answered`](Pass::answered) or dropped.
    pub async fn pass(&self, tokens: u64) -> Pass<'_> {
        loop {
            let (until, holds) = {
                let mut state = self.state();
                let now = Instant::now();
                state.learned.began.get_or_insert(now);
                let start = state.hold.map_or(now, |hold| hold.max(now));
                let wait = state
                    .requests
                    .take(1.0, now)
                    .max(state.tokens.take(float(tokens), now));
                let until = (now + wait).max(start);
                if until <= now {
                    state.begin();
                    return Pass { pace: self, tokens };
                }
                state.sleeping += 1;
                (until, state.holds)
            };
            let mut turn = Turn {
                pace: self,
                tokens,
                holds,
                used: false,
            };
            sleep_until(until).await;
            turn.used = true;
            drop(turn);
            let mut state = self.state();
            if state.holds == holds {
                state.begin();
                return Pass { pace: self, tokens };
            }
        }
    }

    /// A server refused a call because of its rate: everybody waits, and goes on more slowly.
    /// `sent` is when the call went out. Says how long everybody waits.
    pub fn refused(&self, sent: Instant, retry_after: Option<Duration>) -> Duration {
        let mut state = self.state();
        let now = Instant::now();
        if let Some(hold) = state.hold
            && sent <= hold
        {
            let rate = state.learned.refused_as_well();
            if state.requests.source == Source::Refusals {
                state.requests.rate = rate.max(0.01);
            }
            return hold.saturating_duration_since(now);
        }
        let wait = retry_after.unwrap_or(PLAIN_HOLD);
        let rate = state.learned.refused(now);
        if state.requests.source <= Source::Refusals && state.learned.is_chance(now) {
            state.requests = Bucket::default();
            return wait;
        }
        let hold = now + wait;
        state.hold = Some(hold);
        state.holds += 1;
        match state.requests.source {
            Source::Nobody | Source::Refusals => {
                state.requests.set(Source::Refusals, rate, 1.0, 0.0, hold);
            }
            Source::Headers => {
                state.requests.level = 0.0;
                state.requests.at = Some(hold);
            }
            Source::Settings => {}
        }
        hold.duration_since(now)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RateSink for Pace {
    /// A server told how much is left.
    fn told(&self, notice: &RateNotice) {
        let mut state = self.state();
        let now = Instant::now();
        // The call that brought the notice is counted in it already.
        let gone = float(state.out.saturating_sub(1) + state.sleeping);
        if let Some(requests) = &notice.requests {
            state.requests.told(requests, gone, now);
        }
        if let Some(tokens) = &notice.tokens {
            let each = state.mean_output;
            state.tokens.told(tokens, gone * each, now);
        }
    }
}

/// A call that waits for its turn.
struct Turn<'a> {
    pace: &'a Pace,
    tokens: u64,
    holds: u64,
    used: bool,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.pace.state();
        state.sleeping -= 1;
        if !self.used && state.holds == self.holds {
            state.requests.give_back(1.0);
            state.tokens.give_back(float(self.tokens));
        }
    }
}

/// A call that may be sent, or is.
#[derive(Debug)]
pub struct Pass<'a> {
    pace: &'a Pace,
    tokens: u64,
}

impl Pass<'_> {
    /// The call was answered: what it really cost is taken, and the answer is a sign that the pace
    /// is not too fast.
    pub fn answered(&self, input: Option<u64>, output: Option<u64>) {
        let mut state = self.pace.state();
        if let Some(output) = output {
            let mean = state.mean_output;
            state.mean_output += (float(output) - mean) * if mean == 0.0 { 1.0 } else { 0.05 };
        }
        if let (Some(input), Some(output)) = (input, output)
            && state.tokens.source != Source::Nobody
        {
            state
                .tokens
                .give_back(float(self.tokens) - float(input + output));
        }
        if let Some(more) = state.learned.answered()
            && state.requests.source == Source::Refusals
        {
            state.requests.rate *= more;
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let mut state = self.pace.state();
        state.out = state.out.saturating_sub(1);
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn float(number: u64) -> f64 {
    number as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a mean of tokens is small and positive"
)]
fn whole(number: f64) -> u64 {
    number as u64
}
