//! What is measured: replies, calls in flight and latency over a window of time.

use super::{BASE_CALLS, count};

/// Goodput and what it came from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rates {
    /// Mean calls in flight.
    pub(super) flying: f64,
    /// Replies in a second.
    pub(super) goodput: f64,
    /// Mean latency in seconds.
    pub(super) latency: f64,
}

impl Rates {
    /// The share of the change in flight, from `before` to these, that goodput followed; nothing
    /// when hardly anything changed in flight.
    pub(super) fn elasticity(&self, before: &Self) -> Option<f64> {
        let change = (self.flying / before.flying).ln();
        (change.abs() > 0.04).then(|| (self.goodput / before.goodput).ln() / change)
    }

    pub(super) fn blend(&mut self, newer: &Self) {
        let mix = |old: &mut f64, new: f64| *old += 0.3 * (new - *old);
        mix(&mut self.flying, newer.flying);
        mix(&mut self.goodput, newer.goodput);
        mix(&mut self.latency, newer.latency);
    }
}

/// The latencies of the first calls. Nearly all of them are waited for: the quickest alone
/// would make a base latency that no mean can keep.
#[derive(Debug, Default)]
pub(super) struct First {
    pub(super) replies: usize,
    pub(super) time: f64,
}

impl First {
    pub(super) fn add(&mut self, number: usize, time: f64) -> Option<f64> {
        if number <= BASE_CALLS {
            self.replies += 1;
            self.time += time;
        }
        (self.replies + 2 >= BASE_CALLS).then(|| self.time / count(self.replies))
    }
}

/// A window that is measured: it begins after the calls have settled, and slopes on both sides.
#[derive(Debug, Default)]
pub(super) struct Window {
    pub(super) begins: f64,
    pub(super) slope: f64,
    pub(super) ends: f64,
    pub(super) replies: f64,
    pub(super) latency: f64,
    pub(super) flying: f64,
    pub(super) samples: usize,
    pub(super) full: usize,
}

impl Window {
    pub(super) fn weight(&self, at: f64) -> f64 {
        ((at - self.begins).min(self.ends - at) / self.slope).clamp(0.0, 1.0)
    }

    /// The integral of the weight up to a moment.
    pub(super) fn weight_until(&self, at: f64) -> f64 {
        let passed = (at.min(self.ends) - self.begins).max(0.0);
        let (length, slope) = (self.ends - self.begins, self.slope);
        let (up, down) = (passed.min(slope), (passed - length + slope).max(0.0));
        let level = passed - up - down;
        up * up / (2.0 * slope) + level + down - down * down / (2.0 * slope)
    }

    pub(super) fn rates(&self) -> Option<Rates> {
        let weight = self.weight_until(self.ends);
        (self.replies > 0.0).then(|| Rates {
            flying: self.flying / weight,
            goodput: self.replies / weight,
            latency: self.latency / self.replies,
        })
    }

    /// Whether the places were taken: too little work is no evidence.
    pub(super) fn was_full(&self) -> bool {
        self.full * 4 >= self.samples * 3
    }
}
