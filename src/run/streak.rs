//! Failures of a server in a row: held back until it is known whether anything else succeeds.

/// Records that failed because of the server, with no success between them. A success anywhere says
/// that each failed by itself; too many of them say that the server only fails.
#[derive(Debug)]
pub(super) struct Streak<T> {
    most: usize,
    held: Vec<T>,
}

impl<T> Streak<T> {
    /// A streak that is broken off at `most` failures; at 0, never.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            held: Vec::new(),
        }
    }

    /// Holds a failure back; gives it back at once where failures are not counted.
    pub(super) fn hold(&mut self, failure: T) -> Option<T> {
        if self.most == 0 {
            return Some(failure);
        }
        self.held.push(failure);
        None
    }

    /// Whether as many failed as may.
    pub(super) fn is_full(&self) -> bool {
        self.most > 0 && self.held.len() >= self.most
    }

    /// Ends the streak, and gives what it held back.
    pub(super) fn release(&mut self) -> Vec<T> {
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_success_between_begins_the_count_anew() {
        let mut streak = Streak::new(3);
        assert_eq!((streak.hold(1), streak.hold(2)), (None, None));
        assert_eq!(streak.release(), [1, 2]);
        assert_eq!((streak.hold(3), streak.hold(4)), (None, None));
        assert!(!streak.is_full());
        assert_eq!(streak.hold(5), None);
        assert!(streak.is_full());
    }

    #[test]
    fn at_zero_nothing_is_held_back() {
        let mut streak = Streak::new(0);
        assert_eq!(streak.hold(1), Some(1));
        assert!(!streak.is_full());
        assert!(streak.release().is_empty());
    }
}
