//! The arithmetic of RFC 6962's Merkle trees, pure: hashes in, hashes out.
//!
//! A [`struct@Hash`] is that of a leaf or of a node. A [`Frontier`] is all that is needed of a tree to add
//! leaves to it and to say its root. [`inclusion_ranges`] and [`consistency_ranges`] say which parts of
//! a tree a proof is made of, [`RangeRoots`] hashes them while the leaves pass by once, and
//! [`verify_inclusion`] and [`verify_consistency`] check a proof without the tree.

mod frontier;
mod hash;
mod proof;
mod ranges;
#[cfg(test)]
mod vectors;

pub use frontier::Frontier;
pub use hash::{Hash, ParseHashError, commitment, leaf_hash};
pub use proof::{verify_consistency, verify_inclusion};
pub use ranges::{RangeRoots, consistency_ranges, inclusion_ranges};
