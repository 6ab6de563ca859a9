//! The right edge of a growing tree.

use super::Hash;
use super::hash::node_hash;

/// What is needed of a tree to add leaves and to say its root: the roots of its perfect subtrees, the
/// largest first, one for each bit of its size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// A tree without leaves.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The frontier of a tree of that size, as [`to_bytes`](Self::to_bytes) gave it; absent where the
    /// bytes are none of such a tree.
    #[must_use]
    pub fn from_bytes(size: u64, bytes: &[u8]) -> Option<Self> {
        let (hashes, rest) = bytes.as_chunks::<32>();
        let fits = rest.is_empty() && hashes.len() == size.count_ones() as usize;
        fits.then(|| Self {
            size,
            peaks: hashes.iter().copied().map(Hash::from_bytes).collect(),
        })
    }

    /// The hashes one after another.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let bytes = self.peaks.iter().flat_map(Hash::as_bytes);
        bytes.copied().collect()
    }

    /// How many leaves the tree has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut right = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                right = node_hash(&left, &right);
            }
        }
        self.peaks.push(right);
        self.size += 1;
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(smallest) = peaks.next() else {
            return Hash::of_nothing();
        };
        peaks.fold(*smallest, |right, left| node_hash(left, &right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::leaf_hash;

    #[test]
    fn a_frontier_goes_on_from_its_bytes() {
        let mut whole = Frontier::new();
        for number in 0..77_u8 {
            let read = Frontier::from_bytes(whole.size(), &whole.to_bytes());
            assert_eq!(read.as_ref(), Some(&whole));
            assert_eq!(Frontier::from_bytes(whole.size() + 1, b"x"), None);
            whole.push(leaf_hash(&[number]));
        }
        assert_eq!(whole.size(), 77);
    }
}
