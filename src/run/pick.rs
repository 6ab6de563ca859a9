//! Picking rows by chance, out of a dataset whose length nobody knows before.

use std::collections::BTreeSet;

use super::RunError;
use crate::dataset::{Input, ReadOptions, RowReader, SourceError};
use crate::digest::Digest;

/// Some rows of a dataset, and how many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picked {
    /// The rows of the dataset, good and bad.
    pub of: u64,
    /// The numbers of those that were picked, from 1.
    pub rows: BTreeSet<u64>,
}

/// Counts the rows of a dataset, at most `limit`, and picks `most` of them: the same ones for the
/// same seed, each as likely as any other. One pass, and no more memory than what is picked.
///
/// # Errors
///
/// When the input cannot be read.
pub async fn pick_rows(
    input: Input,
    options: ReadOptions,
    limit: Option<u64>,
    most: usize,
    seed: u64,
) -> Result<Picked, RunError> {
    let picking = tokio::task::spawn_blocking(move || {
        let mut reader = RowReader::new(input, options);
        let mut lots = Lots::new(most, seed);
        while limit.is_none_or(|limit| lots.drawn < limit) && reader.next_row()?.is_some() {
            lots.draw();
        }
        Ok::<_, SourceError>(lots.close())
    });
    let picked = picking.await;
    Ok(picked.map_err(|error| RunError::Worker(error.to_string()))??)
}

/// A lot for every row, of which the lowest are kept: whichever rows follow, each has the same
/// chance.
struct Lots {
    most: usize,
    seed: u64,
    drawn: u64,
    lowest: BTreeSet<(Digest, u64)>,
}

impl Lots {
    fn new(most: usize, seed: u64) -> Self {
        Self {
            most,
            seed,
            drawn: 0,
            lowest: BTreeSet::new(),
        }
    }

    fn draw(&mut self) {
        self.drawn += 1;
        let lot = Digest::of_json(&("estimate", self.seed, self.drawn));
        self.lowest.insert((lot, self.drawn));
        if self.lowest.len() > self.most {
            self.lowest.pop_last();
        }
    }

    fn close(self) -> Picked {
        Picked {
            of: self.drawn,
            rows: self.lowest.into_iter().map(|(_, row)| row).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picked(rows: u64, most: usize, seed: u64) -> Picked {
        let mut lots = Lots::new(most, seed);
        (0..rows).for_each(|_| lots.draw());
        lots.close()
    }

    #[test]
    fn rows_are_picked_from_everywhere_and_the_same_for_the_same_seed() {
        let fifty = picked(10_000, 50, 1);
        assert_eq!((fifty.of, fifty.rows.len()), (10_000, 50));
        assert_eq!(fifty, picked(10_000, 50, 1));
        assert_ne!(fifty.rows, picked(10_000, 50, 2).rows);
        for quarter in 0..4 {
            let range = quarter * 2500 + 1..=(quarter + 1) * 2500;
            let count = fifty.rows.range(range).count();
            assert!((4..=25).contains(&count), "{count} in quarter {quarter}");
        }
        assert_eq!(picked(3, 50, 1).rows, BTreeSet::from([1, 2, 3]));
    }
}
