//! Which parts of a tree a proof is made of, and their roots.

use std::ops::Range;

use super::{Frontier, Hash};

/// The leaves under each hash of the proof that leaf `index` is in a tree of `size` leaves, in the
/// order of the proof; none where the tree has no such leaf.
#[must_use]
pub fn inclusion_ranges(index: u64, size: u64) -> Vec<Range<u64>> {
    let mut ranges = Vec::new();
    let mut tree = 0..size;
    if index >= size {
        return ranges;
    }
    while tree.end - tree.start > 1 {
        let middle = split(&tree);
        if index < middle {
            ranges.push(middle..tree.end);
            tree.end = middle;
        } else {
            ranges.push(tree.start..middle);
            tree.start = middle;
        }
    }
    ranges.reverse();
    ranges
}

/// The leaves under each hash of the proof that a tree of `size` leaves begins with the tree of its
/// first `older` leaves, in the order of the proof; none where there is nothing to prove.
#[must_use]
pub fn consistency_ranges(older: u64, size: u64) -> Vec<Range<u64>> {
    let mut ranges = Vec::new();
    if older == 0 || older >= size {
        return ranges;
    }
    let mut tree = 0..size;
    while tree.end > older {
        let middle = split(&tree);
        if older <= middle {
            ranges.push(middle..tree.end);
            tree.end = middle;
        } else {
            ranges.push(tree.start..middle);
            tree.start = middle;
        }
    }
    if tree.start > 0 {
        ranges.push(tree);
    }
    ranges.reverse();
    ranges
}

/// Where a tree of two leaves or more parts into its left and its right.
fn split(tree: &Range<u64>) -> u64 {
    let size = tree.end - tree.start;
    tree.start + size.next_power_of_two() / 2
}

/// Hashes several ranges of leaves while all leaves pass by once, in their order.
#[derive(Clone, Debug)]
pub struct RangeRoots {
    next: u64,
    parts: Vec<(Range<u64>, Frontier)>,
}

impl RangeRoots {
    /// Of these ranges.
    #[must_use]
    pub fn new(ranges: Vec<Range<u64>>) -> Self {
        let parts = ranges.into_iter().map(|range| (range, Frontier::new()));
        Self {
            next: 0,
            parts: parts.collect(),
        }
    }

    /// Takes the next leaf.
    pub fn push(&mut self, leaf: Hash) {
        for (range, frontier) in &mut self.parts {
            if range.contains(&self.next) {
                frontier.push(leaf);
            }
        }
        self.next += 1;
    }

    /// The root of each range, in the order in which they were given.
    #[must_use]
    pub fn roots(&self) -> Vec<Hash> {
        let roots = self.parts.iter().map(|(_, frontier)| frontier.root());
        roots.collect()
    }
}
