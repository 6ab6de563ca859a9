//! Checking proofs without the tree.

use super::Hash;
use super::hash::node_hash;

/// Whether `path` proves that `leaf` is leaf `index` of the tree of `size` leaves with that `root`.
#[must_use]
pub fn verify_inclusion(leaf: Hash, index: u64, size: u64, path: &[Hash], root: Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut place, mut last) = (index, size - 1);
    let mut hash = leaf;
    for other in path {
        if last == 0 {
            return false;
        }
        if is_right(place, last) {
            hash = node_hash(other, &hash);
            skip_levels(&mut place, &mut last);
        } else {
            hash = node_hash(&hash, other);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    last == 0 && hash == root
}

/// Whether `path` proves that the tree of `size` leaves with that `root` begins with the tree of `older`
/// leaves whose root is `older_root`.
#[must_use]
pub fn verify_consistency(
    (older, older_root): (u64, Hash),
    (size, root): (u64, Hash),
    path: &[Hash],
) -> bool {
    if older > size {
        return false;
    }
    if older == size {
        return path.is_empty() && older_root == root;
    }
    if older == 0 {
        return path.is_empty() && older_root == Hash::of_nothing();
    }
    // The older tree is itself part of the newer one where its size is a power of two.
    let whole = older.is_power_of_two().then_some(older_root);
    let mut path = whole.iter().chain(path);
    let Some(first) = path.next() else {
        return false;
    };
    let level = (older - 1).trailing_ones();
    let (mut place, mut last) = ((older - 1) >> level, (size - 1) >> level);
    let (mut before, mut after) = (*first, *first);
    for other in path {
        if last == 0 {
            return false;
        }
        if is_right(place, last) {
            before = node_hash(other, &before);
            after = node_hash(other, &after);
            skip_levels(&mut place, &mut last);
        } else {
            after = node_hash(&after, other);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    last == 0 && before == older_root && after == root
}

/// Whether the node at a place of its level has its sibling on the left.
fn is_right(place: u64, last: u64) -> bool {
    place & 1 == 1 || place == last
}

/// Climbs the levels on which a node at the right edge has no sibling.
fn skip_levels(place: &mut u64, last: &mut u64) {
    while *place & 1 == 0 && *place != 0 {
        (*place, *last) = (*place >> 1, *last >> 1);
    }
}
