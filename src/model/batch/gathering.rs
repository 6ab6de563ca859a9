//! The requests that gather for the next batch, and when it is closed.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use indexmap::IndexMap;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::BatchOptions;
use super::setback::RowEnd;
use crate::digest::Digest;

/// Where a call waits for its row.
pub(super) type Waiting = Vec<oneshot::Sender<RowEnd>>;

/// The requests that gather.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    rows: IndexMap<Digest, Row>,
    bytes: usize,
    first: Option<Instant>,
    last: Option<Instant>,
}

#[derive(Debug)]
struct Row {
    line: Vec<u8>,
    waiting: Waiting,
}

/// A batch that was closed.
#[derive(Debug)]
pub(super) struct Load {
    /// Its input file.
    pub(super) lines: Bytes,
    /// Its rows in the order of the file, and who waits for them.
    pub(super) rows: Vec<(Digest, Waiting)>,
}

impl Gathering {
    /// Joins; equal requests are one row.
    pub(super) fn join(&mut self, id: Digest, line: Vec<u8>, call: oneshot::Sender<RowEnd>) {
        let now = Instant::now();
        self.first.get_or_insert(now);
        self.last = Some(now);
        if let Some(row) = self.rows.get_mut(&id) {
            row.waiting.push(call);
            return;
        }
        self.bytes += line.len();
        let waiting = vec![call];
        self.rows.insert(id, Row { line, waiting });
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether a whole batch waits.
    pub(super) fn is_full(&self, options: &BatchOptions, most: usize) -> bool {
        self.rows.len() >= most || self.bytes >= options.max_bytes
    }

    /// When the batch is closed, if nobody else joins.
    pub(super) fn due(&self, options: &BatchOptions, most: usize) -> Option<Instant> {
        let (first, last) = (self.first?, self.last?);
        if self.is_full(options, most) {
            return Some(last);
        }
        let within = |since: Instant, wait: Duration| {
            let never = Duration::from_secs(365 * 86_400);
            since + wait.min(never)
        };
        Some(within(last, options.gather).min(within(first, options.longest_gather)))
    }

    /// Closes the batch: takes as many as fit one, in the order in which they came, leaving out
    /// those that nobody waits for any more.
    pub(super) fn close(&mut self, options: &BatchOptions, most: usize) -> Load {
        self.rows.retain(|_, row| {
            row.waiting.retain(|call| !call.is_closed());
            !row.waiting.is_empty()
        });
        let mut room = options.max_bytes;
        let fitting = self.rows.values().take(most).take_while(|row| {
            let fits = row.line.len() <= room;
            room = room.saturating_sub(row.line.len());
            fits
        });
        // One that is larger than a whole file goes alone, for the provider to refuse.
        let count = fitting.count().max(1).min(self.rows.len());
        let mut lines = BytesMut::new();
        let mut rows = Vec::with_capacity(count);
        for (id, row) in self.rows.drain(..count) {
            lines.extend_from_slice(&row.line);
            rows.push((id, row.waiting));
        }
        self.bytes = self.rows.values().map(|row| row.line.len()).sum();
        if self.rows.is_empty() {
            (self.first, self.last) = (None, None);
        }
        Load {
            lines: lines.freeze(),
            rows,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> BatchOptions {
        BatchOptions {
            max_requests: 3,
            max_bytes: 100,
            ..BatchOptions::default()
        }
    }

    /// Joins, and gives what would tell the call.
    fn join(gathering: &mut Gathering, name: &str, bytes: usize) -> oneshot::Receiver<RowEnd> {
        let (sender, receiver) = oneshot::channel();
        gathering.join(Digest::of(name.as_bytes()), vec![b'x'; bytes], sender);
        receiver
    }

    fn names(load: &Load) -> Vec<Digest> {
        load.rows.iter().map(|(id, _)| *id).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn it_closes_when_nobody_joins_for_a_while_and_in_any_case_after_a_minute() {
        let started = Instant::now();
        let mut gathering = Gathering::default();
        assert_eq!(gathering.due(&options(), 1000), None);
        let due = |gathering: &Gathering| {
            let due = gathering.due(&options(), 1000).expect("a time");
            (due - started).as_secs()
        };
        let mut calls = Vec::new();
        for second in 0..60 {
            calls.push(join(&mut gathering, &second.to_string(), 1));
            assert_eq!(due(&gathering), 60.min(second + 5));
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert_eq!(gathering.close(&options(), 1000).rows.len(), 60);
        assert_eq!(gathering.due(&options(), 1000), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_one_closes_at_once_and_what_does_not_fit_waits_for_the_next() {
        let mut gathering = Gathering::default();
        let _calls: Vec<_> = (0..4)
            .map(|n| join(&mut gathering, &n.to_string(), 1))
            .collect();
        assert!(gathering.is_full(&options(), 3));
        assert_eq!(gathering.due(&options(), 3), Some(Instant::now()));
        assert_eq!(gathering.close(&options(), 3).rows.len(), 3);
        assert_eq!((gathering.len(), gathering.bytes), (1, 1));

        let mut by_size = Gathering::default();
        let _calls = [60, 30, 30, 500].map(|size| join(&mut by_size, &size.to_string(), size));
        let _again = join(&mut by_size, "other", 30);
        assert!(by_size.is_full(&options(), 1000));
        let sizes = std::iter::from_fn(|| {
            (by_size.len() > 0).then(|| by_size.close(&options(), 1000).lines.len())
        });
        assert_eq!(sizes.collect::<Vec<_>>(), [90, 500, 30]);
    }

    #[tokio::test]
    async fn equal_requests_share_a_row_and_abandoned_ones_have_none() {
        let mut gathering = Gathering::default();
        let _one = join(&mut gathering, "a", 2);
        let _two = join(&mut gathering, "a", 2);
        drop(join(&mut gathering, "b", 2));
        let load = gathering.close(&options(), 1000);
        assert_eq!(names(&load), [Digest::of(b"a")]);
        assert_eq!((load.rows[0].1.len(), load.lines.len()), (2, 2));
    }
}
