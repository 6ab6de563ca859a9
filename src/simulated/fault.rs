//! First attempts that fail: which, and how.

use std::collections::HashSet;

use super::mix::share;

/// How an attempt fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fault {
    /// 429 with `retry-after-ms`.
    TooMany,
    /// 500.
    Broken,
    /// 503.
    Unavailable,
    /// The connection is reset in the middle of the reply.
    Reset,
    /// The reply's JSON breaks off.
    Truncated,
    /// A proxy's page instead of a reply.
    Html,
    /// The connection ends before the reply begins.
    HangUp,
    /// The reply comes whole, and in small pieces.
    SlowDrip,
}

impl Fault {
    const ALL: [Self; 8] = [
        Self::TooMany,
        Self::Broken,
        Self::Unavailable,
        Self::Reset,
        Self::Truncated,
        Self::Html,
        Self::HangUp,
        Self::SlowDrip,
    ];
}

/// Draws failures, and remembers who had its failure.
#[derive(Debug)]
pub(super) struct Faults {
    share: f64,
    seed: u64,
    done: HashSet<u64>,
}

impl Faults {
    pub(super) fn new(share: f64, seed: u64) -> Self {
        Self {
            share,
            seed,
            done: HashSet::new(),
        }
    }

    /// How this attempt at the request of that hash fails, if it does.
    pub(super) fn draw(&mut self, request: u64) -> Option<Fault> {
        if share(request, self.seed) >= self.share || !self.done.insert(request) {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a number from 0 up to 8"
        )]
        let kind = (share(request, !self.seed) * 8.0) as usize;
        Fault::ALL.get(kind).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_first_attempts_fail_in_every_way_and_no_second_one_does() {
        let mut faults = Faults::new(0.3, 7);
        let drawn: Vec<Fault> = (0..2_000)
            .filter_map(|request| faults.draw(request))
            .collect();
        assert!((500..700).contains(&drawn.len()), "{}", drawn.len());
        let kinds: HashSet<Fault> = drawn.into_iter().collect();
        assert_eq!(kinds.len(), Fault::ALL.len());
        assert!((0..2_000).all(|request| faults.draw(request).is_none()));
    }
}
