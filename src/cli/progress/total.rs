//! How many rows there are: guessed from bytes, until they are counted.

use std::fs::File;
use std::io::{self, Read};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::thread;

use serde::{Deserialize, Serialize};

/// How much is read at once.
const PIECE: usize = 1 << 20;
/// What stands for a count that is not known yet.
const UNKNOWN: u64 = u64::MAX;

/// How many rows there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cli) struct Total {
    /// So many.
    pub(in crate::cli) rows: u64,
    /// Whether they were counted.
    pub(in crate::cli) exact: bool,
}

/// The count of a file's rows, once it is known. Dropping it ends the counting.
#[derive(Debug)]
pub(super) struct RowCount(Arc<AtomicU64>);

impl RowCount {
    /// Counts the rows of a file beside everything else; without a file it stays unknown.
    pub(super) fn start(path: Option<PathBuf>) -> Self {
        let count = Arc::new(AtomicU64::new(UNKNOWN));
        let wanted = Arc::downgrade(&count);
        if let Some(path) = path {
            // Without a thread, or where the file cannot be read, the guess remains.
            let _ = thread::Builder::new()
                .name("row-count".to_owned())
                .spawn(move || {
                    let counted = File::open(path).and_then(|file| count_rows(file, &wanted));
                    if let (Ok(Some(rows)), Some(count)) = (counted, wanted.upgrade()) {
                        count.store(rows, Ordering::Relaxed);
                    }
                });
        }
        Self(count)
    }

    /// The count, if it is known by now.
    pub(super) fn known(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|rows| *rows != UNKNOWN)
    }
}

/// Counts the lines that are not blank; nothing once nobody wants to know.
fn count_rows(mut file: impl Read, wanted: &Weak<AtomicU64>) -> io::Result<Option<u64>> {
    let mut piece = vec![0; PIECE];
    let mut rows = 0;
    let mut in_row = false;
    while wanted.strong_count() > 0 {
        let length = match file.read(&mut piece) {
            Ok(0) => return Ok(Some(rows + u64::from(in_row))),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let mut begin = 0;
        for end in memchr::memchr_iter(b'\n', &piece[..length]) {
            if in_row || !is_blank(&piece[begin..end]) {
                rows += 1;
            }
            in_row = false;
            begin = end + 1;
        }
        in_row |= !is_blank(&piece[begin..length]);
    }
    Ok(None)
}

fn is_blank(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}

/// The total, from what is known: a count, or how many bytes the rows so far took. With several
/// samples of each row, what ends and what there is are its transcripts.
pub(super) fn total(
    counted: Option<u64>,
    rows: u64,
    bytes: u64,
    all_bytes: Option<u64>,
    limit: Option<u64>,
    samples: NonZeroU32,
) -> Option<Total> {
    let samples = u64::from(samples.get());
    let limit = limit.unwrap_or(u64::MAX).saturating_mul(samples);
    if let Some(counted) = counted {
        return Some(Total {
            // A dataset may have grown since it was counted.
            rows: counted.saturating_mul(samples).min(limit).max(rows),
            exact: true,
        });
    }
    let all_bytes = all_bytes.filter(|all| *all > 0 && rows > 0 && bytes > 0)?;
    let guess = u128::from(rows) * u128::from(all_bytes) / u128::from(bytes);
    let guess = u64::try_from(guess).unwrap_or(u64::MAX);
    Some(Total {
        rows: guess.min(limit).max(rows),
        exact: bytes >= all_bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> u64 {
        let wanted = Arc::new(AtomicU64::new(UNKNOWN));
        count_rows(text.as_bytes(), &Arc::downgrade(&wanted))
            .expect("text can be read")
            .expect("the count is wanted")
    }

    #[test]
    fn lines_that_hold_something_are_rows() {
        assert_eq!(count(""), 0);
        assert_eq!(count("{}"), 1);
        assert_eq!(count("{}\n"), 1);
        assert_eq!(count("\n{}\n  \r\n{}\n\t"), 2);
        // A row over several pieces is one row, and blank pieces belong to none.
        let long = format!("{}x{}\n\n{{}}", " ".repeat(PIECE), " ".repeat(2 * PIECE));
        assert_eq!(count(&long), 2);
    }

    #[test]
    fn nobody_waits_for_a_count_that_nobody_wants() {
        let wanted = Arc::downgrade(&Arc::new(AtomicU64::new(UNKNOWN)));
        assert!(matches!(count_rows(io::repeat(b'x'), &wanted), Ok(None)));
    }

    #[test]
    fn the_total_is_guessed_until_it_is_known() {
        let total = |counted, rows, bytes, all_bytes, limit| {
            total(counted, rows, bytes, all_bytes, limit, NonZeroU32::MIN)
        };
        let guess = |rows| Some(Total { rows, exact: false });
        let exact = |rows| Some(Total { rows, exact: true });
        assert_eq!(total(None, 0, 0, Some(1000), None), None);
        assert_eq!(total(None, 10, 100, None, None), None);
        assert_eq!(total(None, 10, 100, Some(1000), None), guess(100));
        assert_eq!(total(None, 10, 100, Some(1000), Some(30)), guess(30));
        assert_eq!(total(None, 10, 1000, Some(1000), None), exact(10));
        assert_eq!(total(Some(90), 10, 100, Some(1000), None), exact(90));
        assert_eq!(total(Some(90), 10, 100, Some(1000), Some(30)), exact(30));
        assert_eq!(total(Some(90), 91, 100, Some(1000), None), exact(91));
    }

    #[test]
    fn every_row_counts_once_for_each_of_its_samples() {
        let three = NonZeroU32::MIN.saturating_add(2);
        let rows = |counted, limit| {
            total(counted, 30, 100, Some(1000), limit, three).map(|total| total.rows)
        };
        assert_eq!(rows(Some(90), None), Some(270));
        assert_eq!(rows(Some(90), Some(40)), Some(120));
        assert_eq!(rows(None, None), Some(300));
        assert_eq!(rows(None, Some(40)), Some(120));
    }
}
