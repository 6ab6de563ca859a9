//! Label values whose number is bounded, whatever is counted.

use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};

/// What a value is called that came after the last that there was room for.
pub(super) const OTHER: &str = "other";

/// The values that one label has had, of which there are at most so many.
#[derive(Debug)]
pub(super) struct Bounded {
    most: usize,
    known: RwLock<HashSet<String>>,
}

impl Bounded {
    /// A label with at most `most` values, [`OTHER`] apart.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            known: RwLock::default(),
        }
    }

    /// The value, or [`OTHER`] where there have been too many others.
    pub(super) fn admit(&self, value: &str) -> String {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if known.contains(value) {
            return value.to_owned();
        }
        drop(known);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() < self.most || known.contains(value) {
            known.insert(value.to_owned());
            value.to_owned()
        } else {
            OTHER.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_too_late_is_called_other() {
        let label = Bounded::new(2);
        let admitted = ["a", "b", "c", "a", "d", "b"].map(|value| label.admit(value));
        assert_eq!(admitted, ["a", "b", OTHER, "a", OTHER, "b"]);
    }
}
