//! The test data that implementations of RFC 6962 share: eight leaves, their roots and proofs.

use super::*;

const LEAVES: [&[u8]; 8] = [
    b"",
    b"\0",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
];

/// The roots of the trees of 0 to 8 leaves.
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

const L0: &str = ROOTS[1];
const L1: &str = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
const L4: &str = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
const N23: &str = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
const N45: &str = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";
const N67: &str = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
const N4567: &str = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";
const N0123: &str = ROOTS[4];

/// Leaf, size and path.
const INCLUSIONS: [(u64, u64, &[&str]); 5] = [
    (0, 1, &[]),
    (0, 8, &[L1, N23, N4567]),
    (5, 8, &[L4, N67, N0123]),
    (2, 3, &[ROOTS[2]]),
    (1, 5, &[L0, N23, L4]),
];

/// Older size, size and path.
const CONSISTENCIES: [(u64, u64, &[&str]); 4] = [
    (1, 1, &[]),
    (1, 8, &[L1, N23, N4567]),
    (6, 8, &[N45, N67, N0123]),
    (2, 5, &[N23, L4]),
];

fn hash(hex: &str) -> Hash {
    hex.parse().unwrap()
}

fn leaves() -> Vec<Hash> {
    LEAVES.iter().map(|data| leaf_hash(data)).collect()
}

fn root(leaves: &[Hash]) -> Hash {
    let mut frontier = Frontier::new();
    for leaf in leaves {
        frontier.push(*leaf);
    }
    frontier.root()
}

fn roots_of(ranges: Vec<std::ops::Range<u64>>, leaves: &[Hash]) -> Vec<Hash> {
    let mut roots = RangeRoots::new(ranges);
    for leaf in leaves {
        roots.push(*leaf);
    }
    roots.roots()
}

#[test]
fn the_roots_are_those_that_were_published() {
    let leaves = leaves();
    for (size, expected) in ROOTS.into_iter().enumerate() {
        assert_eq!(root(&leaves[..size]), hash(expected), "{size} leaves");
    }
}

#[test]
fn the_inclusion_proofs_are_those_that_were_published() {
    let leaves = leaves();
    for (index, size, path) in INCLUSIONS {
        let path: Vec<Hash> = path.iter().map(|part| hash(part)).collect();
        let made = roots_of(inclusion_ranges(index, size), &leaves);
        assert_eq!(made, path, "leaf {index} of {size}");
    }
}

#[test]
fn the_consistency_proofs_are_those_that_were_published() {
    let leaves = leaves();
    for (older, size, path) in CONSISTENCIES {
        let path: Vec<Hash> = path.iter().map(|part| hash(part)).collect();
        let made = roots_of(consistency_ranges(older, size), &leaves);
        assert_eq!(made, path, "{older} of {size}");
    }
}

#[test]
fn every_proof_of_a_small_tree_holds_and_no_other_does() {
    let leaves: Vec<Hash> = (0..40_u8).map(|number| leaf_hash(&[number])).collect();
    let roots: Vec<Hash> = (0..=40).map(|size| root(&leaves[..size])).collect();
    for size in 0..=40_u64 {
        let whole = roots[usize::try_from(size).unwrap()];
        for index in 0..size {
            let place = usize::try_from(index).unwrap();
            let path = roots_of(inclusion_ranges(index, size), &leaves);
            let holds =
                |leaf, index, path: &[Hash]| verify_inclusion(leaf, index, size, path, whole);
            assert!(holds(leaves[place], index, &path), "{index} of {size}");
            assert!(!holds(leaves[(place + 1) % 40], index, &path));
            assert!(!holds(leaves[place], size, &path));
            assert!(!verify_inclusion(
                leaves[place],
                index,
                size,
                &path,
                leaf_hash(b"x")
            ));
            let longer = [&path[..], &[whole]].concat();
            assert!(!holds(leaves[place], index, &longer));
            if let Some((_, shorter)) = path.split_last() {
                assert!(!holds(leaves[place], index, shorter));
                assert!(!holds(leaves[place], index ^ 1, &path));
            }
        }
        for older in 0..=size {
            let before = roots[usize::try_from(older).unwrap()];
            let path = roots_of(consistency_ranges(older, size), &leaves);
            let holds =
                |before, path: &[Hash]| verify_consistency((older, before), (size, whole), path);
            assert!(holds(before, &path), "{older} of {size}");
            assert!(!holds(leaf_hash(b"x"), &path));
            assert!(!holds(before, &[&path[..], &[whole]].concat()));
            if let Some((_, shorter)) = path.split_last() {
                assert!(!holds(before, shorter));
            }
        }
    }
    assert!(!verify_consistency((9, roots[9]), (8, roots[8]), &[]));
}
