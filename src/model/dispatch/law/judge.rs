//! What becomes of the limit when a window has been measured.

use std::time::Duration;

use super::window::Rates;
use super::{
    DOWNWARD_TRIAL, FORGOTTEN, Law, MOST, Phase, QUEUED, QUIET_ROUNDS, WORTH_LESS, WORTH_MORE, Why,
    count, scaled,
};

impl Law {
    /// Draws the conclusions of a window that is complete.
    pub(super) fn judge(&mut self, now: Duration) -> Option<Why> {
        let at = now.as_secs_f64();
        let (rates, was_full) = (self.window.rates(), self.window.was_full());
        let limit = self.limit;
        if let Some(rates) = &rates {
            self.shortest = rates.latency.min(self.shortest * FORGOTTEN);
        }
        let why = rates.and_then(|rates| match self.phase {
            Phase::Start { base, fits, .. } => self.judge_start(&rates, was_full, base, fits),
            Phase::Steady if was_full => self.judge_steady(now, &rates),
            Phase::Steady => None,
            Phase::Trial {
                from,
                before,
                settle,
            } => self.judge_trial(&rates, was_full, from, &before, settle),
        });
        if self.limit == limit {
            self.begin_window(at);
        } else {
            self.new_window(at);
        }
        why
    }

    fn judge_start(
        &mut self,
        rates: &Rates,
        was_full: bool,
        base: Option<f64>,
        fits: usize,
    ) -> Option<Why> {
        let base = base.unwrap_or(rates.latency);
        let before = Rates {
            flying: count(fits),
            goodput: count(fits) / base,
            latency: base,
        };
        let gain = match rates.elasticity(&before) {
            Some(gain) if rates.flying > before.flying => gain,
            _ => 0.0,
        };
        let is_full = gain < 0.4 && rates.latency > 1.15 * base;
        if !(was_full && is_full) {
            self.phase = Phase::Start {
                // A latency that goodput pays for is the one to compare with from now on.
                base: Some(rates.latency),
                fits: scaled(1, rates.flying),
                holds: false,
            };
            return None;
        }
        let fitting = rates.goodput * base / rates.flying * 1.1;
        let least = if gain < 0.15 { 0.45 } else { 0.8 };
        self.limit = scaled(self.limit, fitting.clamp(least, 1.0));
        self.phase = Phase::Steady;
        self.reference = None;
        self.quiet = QUIET_ROUNDS;
        Some("the server is full")
    }

    fn judge_steady(&mut self, now: Duration, rates: &Rates) -> Option<Why> {
        let Some(reference) = &mut self.reference else {
            self.reference = Some(*rates);
            return self.next_trial(now, rates);
        };
        let goodput = rates.goodput / reference.goodput;
        if rates.latency > 1.25 * reference.latency && goodput < 0.9 {
            return self.begin_trial(scaled(self.limit, goodput), rates, true, "it became slower");
        }
        if goodput > 1.05 && rates.latency < reference.latency {
            return self.try_more(now, rates);
        }
        reference.blend(rates);
        let reference = *reference;
        self.next_trial(now, &reference)
    }

    fn next_trial(&mut self, now: Duration, before: &Rates) -> Option<Why> {
        self.quiet += 1;
        if self.quiet < QUIET_ROUNDS {
            return None;
        }
        let settle = self.quiet > QUIET_ROUNDS;
        self.quiet = 0;
        self.trials += 1;
        let is_queued = before.latency > QUEUED * self.shortest;
        if is_queued && self.trials.is_multiple_of(DOWNWARD_TRIAL) {
            return self.begin_trial(less(self.limit), before, settle, "trying less");
        }
        self.try_more_then(now, before, settle)
    }

    fn try_more(&mut self, now: Duration, before: &Rates) -> Option<Why> {
        self.try_more_then(now, before, false)
    }

    fn try_more_then(&mut self, now: Duration, before: &Rates, settle: bool) -> Option<Why> {
        if let Some(ceiling) = &mut self.ceiling
            && self.limit >= ceiling.limit
            && now >= ceiling.next_try
        {
            ceiling.limit += 1;
            ceiling.next_try = now + ceiling.patience;
        }
        let more = more(self.limit).min(self.ceiling_limit());
        self.begin_trial(more, before, settle, "trying more")
    }

    fn begin_trial(&mut self, to: usize, before: &Rates, settle: bool, why: Why) -> Option<Why> {
        let from = self.limit;
        if to == from {
            return None;
        }
        self.limit = to.min(MOST);
        self.phase = Phase::Trial {
            from,
            before: *before,
            settle,
        };
        Some(why)
    }

    fn judge_trial(
        &mut self,
        rates: &Rates,
        was_full: bool,
        from: usize,
        before: &Rates,
        settle: bool,
    ) -> Option<Why> {
        self.phase = Phase::Steady;
        let to = self.limit;
        let gain = rates.elasticity(before).filter(|_| was_full);
        if to > from {
            match gain {
                Some(gain) if gain >= WORTH_MORE => {
                    self.reference = Some(*rates);
                    let step = if gain > 0.8 { 1.6 } else { 1.25 };
                    let next = grown(to, step).min(self.ceiling_limit());
                    return self
                        .begin_trial(next, rates, settle, "more is better")
                        .or(Some("more is better"));
                }
                Some(gain) => {
                    let paid = rates.goodput / before.goodput;
                    self.limit = if paid > 1.01 {
                        scaled(from, paid * 1.05).clamp(from, to)
                    } else {
                        from
                    };
                    self.reference = (self.limit == from).then_some(*before);
                    if gain > 0.1 {
                        self.quiet = QUIET_ROUNDS / 2;
                    }
                    if settle && gain < 0.1 {
                        return self.begin_trial(less(from), before, true, "trying less");
                    }
                }
                None => self.limit = from,
            }
            return Some("more is no better");
        }
        if gain.is_some_and(|gain| gain < WORTH_LESS) {
            self.reference = Some(*rates);
            return self.begin_trial(less(to), rates, settle, "less is as good");
        }
        let had_no_queue = gain.is_some_and(|gain| gain > 0.8);
        self.limit = if had_no_queue {
            scaled(from, 1.08).max(from + 1).min(self.ceiling_limit())
        } else {
            from
        };
        self.reference = (self.limit == from).then_some(*before);
        Some("less is worse")
    }
}

fn more(limit: usize) -> usize {
    grown(limit, 1.25)
}

fn grown(limit: usize, by: f64) -> usize {
    scaled(limit, by).max(limit + 1)
}

fn less(limit: usize) -> usize {
    scaled(limit, 0.85).min(limit - 1).max(1)
}
