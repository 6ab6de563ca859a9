//! Which call waits where: what gathers, and what is in which batch.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::BatchOptions;
use super::gathering::{Gathering, Load, Waiting};
use super::setback::{RowEnd, Setback};
use crate::digest::Digest;
use crate::model::Completion;

/// The longest wait for room in the provider's queue.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// All that changes, under one lock that is never held over a wait.
#[derive(Debug)]
pub(super) struct State {
    gathering: Gathering,
    /// In which batch a row is.
    holders: HashMap<Digest, u64>,
    batches: BTreeMap<u64, Batch>,
    next: u64,
    /// The most rows of a batch, now.
    most: usize,
    /// No batch is submitted before.
    not_before: Option<Instant>,
    refusals: u32,
    /// Why the provider cannot be reached now.
    pub(super) trouble: Option<String>,
    pub(super) answered: u64,
    pub(super) failed: u64,
    pub(super) last_took: Duration,
}

/// A batch under way, or one whose replies are not all kept yet.
#[derive(Debug, Default)]
struct Batch {
    /// Its rows, in the order of its input file.
    ids: Vec<Digest>,
    waiting: HashMap<Digest, Waiting>,
    /// Replies that nobody has asked for yet.
    answers: HashMap<Digest, RowEnd>,
    /// Whether the provider has it.
    is_made: bool,
    is_settled: bool,
}

/// A batch that was closed and must be submitted.
#[derive(Debug)]
pub(super) struct Closed {
    pub(super) number: u64,
    /// Its rows, in the order of the input file.
    pub(super) rows: Vec<Digest>,
    /// The input file.
    pub(super) lines: Bytes,
}

/// What to do once a call has its seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seated {
    /// Look when the batch that gathers is due.
    Gathers,
    /// Nothing: its batch is on its way, or has told it already.
    Waits,
}

impl State {
    pub(super) fn new(most: usize) -> Self {
        Self {
            gathering: Gathering::default(),
            holders: HashMap::new(),
            batches: BTreeMap::new(),
            next: 0,
            most: most.max(1),
            not_before: None,
            refusals: 0,
            trouble: None,
            answered: 0,
            failed: 0,
            last_took: Duration::ZERO,
        }
    }

    /// Seats a call: with the batch that has its row, or else with those that gather.
    pub(super) fn seat(
        &mut self,
        id: Digest,
        line: Vec<u8>,
        call: oneshot::Sender<RowEnd>,
    ) -> Seated {
        let batch = (self.holders.get(&id)).and_then(|number| self.batches.get_mut(number));
        let Some(batch) = batch else {
            self.gathering.join(id, line, call);
            return Seated::Gathers;
        };
        match batch.answers.remove(&id) {
            Some(end) => {
                if let Err(end) = call.send(end) {
                    batch.answers.insert(id, end);
                } else {
                    self.holders.remove(&id);
                }
            }
            None => batch.waiting.entry(id).or_default().push(call),
        }
        Seated::Waits
    }

    /// When the batch that gathers is closed, if nobody else joins.
    pub(super) fn due(&self, options: &BatchOptions) -> Option<Instant> {
        let due = self.gathering.due(options, self.most)?;
        Some(self.not_before.map_or(due, |earliest| earliest.max(due)))
    }

    /// Closes the batch that gathers; nothing when nobody waits any more.
    pub(super) fn close(&mut self, options: &BatchOptions) -> Option<Closed> {
        let Load { lines, rows } = self.gathering.close(options, self.most);
        if rows.is_empty() {
            return None;
        }
        let ids: Vec<Digest> = rows.iter().map(|(id, _)| *id).collect();
        let number = self.add(Batch {
            ids: ids.clone(),
            waiting: rows.into_iter().collect(),
            ..Batch::default()
        });
        self.holders.extend(ids.iter().map(|id| (*id, number)));
        Some(Closed {
            number,
            rows: ids,
            lines,
        })
    }

    /// Takes up a batch of an earlier process, and those rows whose replies are not kept.
    pub(super) fn take_up(&mut self, ids: Vec<Digest>, open: &[Digest]) -> u64 {
        let number = self.add(Batch {
            ids,
            is_made: true,
            ..Batch::default()
        });
        self.holders.extend(open.iter().map(|id| (*id, number)));
        number
    }

    fn add(&mut self, batch: Batch) -> u64 {
        let number = self.next;
        self.next += 1;
        self.batches.insert(number, batch);
        number
    }

    /// Whether somebody waits for that row, or may ask for it.
    pub(super) fn wants(&self, number: u64, id: &Digest) -> bool {
        self.holders.get(id) == Some(&number)
    }

    /// Tells every row how it ended; those without an end of their own end as `otherwise` says.
    /// A reply that nobody waits for is kept until somebody asks; a setback is not, and its row
    /// goes into a new batch when it is asked for.
    pub(super) fn settle(
        &mut self,
        number: u64,
        mut ends: HashMap<Digest, RowEnd>,
        otherwise: &Setback,
    ) {
        let Some(batch) = self.batches.get_mut(&number) else {
            return;
        };
        batch.is_settled = true;
        for id in &batch.ids {
            if self.holders.get(id) != Some(&number) {
                continue;
            }
            let end = ends.remove(id);
            let end = end.unwrap_or_else(|| Err(otherwise.clone()));
            let waiting = batch.waiting.remove(id).unwrap_or_default();
            let is_reply = end.is_ok();
            self.answered += u64::from(is_reply);
            self.failed += u64::from(!is_reply);
            let mut was_told = false;
            for call in waiting {
                was_told |= call.send(end.clone()).is_ok();
            }
            if is_reply && !was_told {
                batch.answers.insert(*id, end.map(detached));
            } else {
                self.holders.remove(id);
            }
        }
        if batch.answers.is_empty() {
            batch.ids = Vec::new();
        }
    }

    /// Whether nobody has asked for that reply yet.
    pub(super) fn is_unclaimed(&self, number: u64, id: &Digest) -> bool {
        (self.batches.get(&number)).is_some_and(|batch| batch.answers.contains_key(id))
    }

    /// Forgets a batch whose replies are all kept, or that has none.
    pub(super) fn forget(&mut self, number: u64) {
        if let Some(batch) = self.batches.remove(&number) {
            for id in batch.answers.keys() {
                self.holders.remove(id);
            }
        }
    }

    /// After a batch was refused because too much waits already: smaller ones, and later.
    pub(super) fn shrink(&mut self, size: usize, pause: Duration) {
        self.most = (size / 2).max(1).min(self.most);
        let pause = pause.saturating_mul(1 << self.refusals.min(16));
        self.not_before = Some(Instant::now() + pause.min(LONGEST_PAUSE));
        self.refusals += 1;
    }

    /// After a batch came to its end: larger ones may go again.
    pub(super) fn grow(&mut self, limit: usize) {
        self.most = self.most.saturating_mul(2).min(limit.max(1));
        self.refusals = 0;
    }

    /// Whether submitting waits until the provider has room.
    pub(super) fn is_held_back(&self) -> bool {
        (self.not_before).is_some_and(|earliest| earliest > Instant::now())
    }

    /// Notes that the provider has the batch.
    pub(super) fn made(&mut self, number: u64) {
        if let Some(batch) = self.batches.get_mut(&number) {
            batch.is_made = true;
        }
    }

    /// Batches at the provider that have not come to their end.
    pub(super) fn open_batches(&self) -> usize {
        let batches = self.batches.values();
        batches
            .filter(|batch| batch.is_made && !batch.is_settled)
            .count()
    }

    /// Calls that wait for a row of a batch on its way, and calls that gather.
    pub(super) fn counts(&self) -> (usize, usize) {
        let batches = self.batches.values();
        let waiting = batches.map(|batch| batch.waiting.len()).sum();
        (waiting, self.gathering.len())
    }
}

/// The same reply in memory of its own: it must not hold the whole file until somebody asks.
fn detached(completion: Completion) -> Completion {
    let raw = completion.raw.as_deref().map(Bytes::copy_from_slice);
    Completion { raw, ..completion }
}
