//! Chooses transcripts, makes rows of them, drops what is there twice, and counts.

use std::collections::{BTreeMap, HashSet};

use super::{About, Format, FormatName, Frame, Item, LeftOut, Selection, Splits, Texts};
use crate::digest::Digest;

/// A row, and which split it goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The split's place among [`Splits::names`].
    pub split: usize,
    /// The row, compact JSON.
    pub row: Vec<u8>,
}

/// What was exported, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Transcripts that were seen.
    pub transcripts: u64,
    /// Of those, transcripts of which at least one row was made.
    pub exported: u64,
    /// Rows, by split.
    pub rows: Vec<u64>,
    /// Transcripts that were left out, by reason; where rows were there already, these rows.
    pub left_out: BTreeMap<LeftOut, u64>,
}

impl Counts {
    /// Rows of all splits.
    #[must_use]
    pub fn all_rows(&self) -> u64 {
        self.rows.iter().sum()
    }
}

/// An export under way. Memory does not grow with it, but for the digests of the rows where those
/// that are there twice are dropped.
#[derive(Debug)]
pub struct Exporter {
    format: Box<dyn Format>,
    selection: Selection,
    splits: Splits,
    known: Option<HashSet<Digest>>,
    counts: Counts,
    about: About,
}

impl Exporter {
    /// Begins an export of a run.
    #[must_use]
    pub fn new(
        run: &str,
        format: FormatName,
        texts: Texts,
        selection: Selection,
        splits: Splits,
    ) -> Self {
        Self {
            format: format.make(texts),
            selection,
            counts: Counts {
                rows: vec![0; splits.names().len()],
                ..Counts::default()
            },
            splits,
            known: None,
            about: About {
                run: run.to_owned(),
                ..About::default()
            },
        }
    }

    /// Drops rows whose content was there before.
    #[must_use]
    pub fn deduplicated(mut self) -> Self {
        self.known = Some(HashSet::new());
        self
    }

    /// The rows of one more transcript.
    pub fn take(&mut self, item: &Item<'_>) -> Vec<Placed> {
        self.counts.transcripts += 1;
        let decided = self.selection.check_decision(item.decided);
        let chosen = decided.and_then(|()| self.selection.check(item.transcript));
        let rows = match chosen.and_then(|()| self.format.rows(item)) {
            Ok(rows) => rows,
            Err(why) => {
                self.leave_out(why);
                return Vec::new();
            }
        };
        let split = self.splits.place(item.content);
        let mut placed = Vec::with_capacity(rows.len());
        for row in rows {
            if self.is_known(&row) {
                self.leave_out(LeftOut::Duplicate);
            } else {
                self.counts.rows[split] += 1;
                placed.push(Placed { split, row });
            }
        }
        if !placed.is_empty() {
            self.counts.exported += 1;
            self.about.add(item.transcript);
        }
        placed
    }

    /// What stands around the rows: the head at any time, the tail once they are all made.
    #[must_use]
    pub fn frame(&self) -> Option<Frame> {
        self.format.frame(&self.about)
    }

    /// What was counted so far.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// What was learnt so far.
    #[must_use]
    pub fn about(&self) -> &About {
        &self.about
    }

    fn leave_out(&mut self, why: LeftOut) {
        *self.counts.left_out.entry(why).or_default() += 1;
    }

    fn is_known(&mut self, row: &[u8]) -> bool {
        let known = self.known.as_mut();
        known.is_some_and(|known| !known.insert(Digest::of(row)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::test_transcripts::{clean, mended};
    use crate::export::{Decided, Requests};

    #[test]
    fn rows_that_are_there_already_are_dropped_and_counted() {
        let splits = Splits::one("train");
        let selection = Selection::default();
        let mut exporter =
            Exporter::new("r", FormatName::Sft, Texts::Final, selection, splits).deduplicated();
        let requests = Requests::default();
        for transcript in [mended(), mended(), clean()] {
            let item = Item {
                transcript: &transcript,
                decided: Decided::Not,
                body: b"",
                content: Digest::of(b"x"),
                requests: &requests,
            };
            exporter.take(&item);
        }
        let expected = Counts {
            transcripts: 3,
            exported: 2,
            rows: vec![2],
            left_out: BTreeMap::from([(LeftOut::Duplicate, 1)]),
        };
        assert_eq!(*exporter.counts(), expected);
    }
}
