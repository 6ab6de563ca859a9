//! A quick hash, equal on every machine: which requests are the same, and what chance gives them.

const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// The hash of `bytes` after what `seed` stands for.
pub(super) fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut state = seed ^ (bytes.len() as u64).wrapping_mul(FACTOR);
    for word in words {
        state = step(state, u64::from_le_bytes(*word));
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    finish(step(state, u64::from_le_bytes(last)))
}

/// A number from 0 up to 1 that is drawn for `hash` under `purpose`.
#[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
pub(super) fn share(hash: u64, purpose: u64) -> f64 {
    let drawn = finish(step(hash, purpose));
    (drawn >> 11) as f64 / (1_u64 << 53) as f64
}

fn step(state: u64, word: u64) -> u64 {
    (state ^ word).wrapping_mul(FACTOR).rotate_left(29)
}

fn finish(state: u64) -> u64 {
    let state = (state ^ (state >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    let state = (state ^ (state >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    state ^ (state >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_counts_and_so_does_the_seed() {
        let text = b"a request of some length, longer than a word or two";
        let whole = hash(1, text);
        assert_eq!(whole, hash(1, text));
        assert_ne!(whole, hash(2, text));
        for at in 0..text.len() {
            let mut other = *text;
            other[at] ^= 1;
            assert_ne!(whole, hash(1, &other), "byte {at}");
        }
        assert_ne!(hash(1, b"ab"), hash(1, b"ab\0"));
    }

    #[test]
    fn shares_spread_evenly() {
        let below = (0..10_000)
            .filter(|n| share(hash(0, &[1]), *n) < 0.3)
            .count();
        assert!((2_800..3_200).contains(&below), "{below}");
    }
}
