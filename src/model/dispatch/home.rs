//! Which replica a record's calls go to first: rendezvous hashing, so that a replica more or less
//! moves only the records that it must.

/// A number for an address.
pub(super) fn seed(address: &str) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325_u64;
    address.bytes().fold(start, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// How much a record wants to be at the replica with this seed.
fn attraction(home: u64, seed: u64) -> u64 {
    let mut mixed = home ^ seed.rotate_left(32);
    for factor in [0xff51_afd7_ed55_8ccd, 0xc4ce_b9fe_1a85_ec53] {
        mixed = (mixed ^ (mixed >> 33)).wrapping_mul(factor);
    }
    mixed ^ (mixed >> 33)
}

/// The home of a record among replicas with these seeds.
pub(super) fn home(home: u64, seeds: impl Iterator<Item = (usize, u64)>) -> Option<usize> {
    seeds
        .max_by_key(|(_, seed)| attraction(home, *seed))
        .map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn homes(replicas: usize) -> Vec<usize> {
        let seeds: Vec<u64> = (0..replicas)
            .map(|index| seed(&format!("http://gpu-{index}:8000/v1")))
            .collect();
        (0..4000)
            .map(|record| home(record, seeds.iter().copied().enumerate()).expect("a home"))
            .collect()
    }

    #[test]
    fn records_spread_evenly_and_a_fifth_replica_moves_a_fifth() {
        let (four, five) = (homes(4), homes(5));
        for replica in 0..4 {
            let share = four.iter().filter(|home| **home == replica).count();
            assert!((850..1150).contains(&share), "{replica}: {share}");
        }
        let moved: Vec<_> = four.iter().zip(&five).filter(|(a, b)| a != b).collect();
        assert!(moved.iter().all(|(_, to)| **to == 4));
        assert!((650..950).contains(&moved.len()), "{}", moved.len());
    }
}
