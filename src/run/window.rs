//! The window of records in flight.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};

use super::checkpoints::Checkpoints;
use super::execute::under_samples;
use super::frontier::{Frontier, Ticket};
use super::patience::Patience;
use super::reader::{Read, Reading};
use super::record::{Gist, RowEnd, Unsealed, Workshop, doubled_id, undraftable};
use super::stop::Wish;
use super::streak::Streak;
use super::{RunEnd, RunError, RunEvent, RunObserver, RunPlan, RunReport, Stop};
use crate::dataset::{ReadRow, Rejected, excerpt};
use crate::digest::Digest;
use crate::model::traffic::Traffic;
use crate::record::{Record, RecordId};
use crate::store::{Checkpoint, RejectedRow};
use crate::transcript::Outcome;

/// So many rows at the start, all of them bad, are no dataset.
pub(crate) const BAD_START: u64 = 20;

/// The records in flight, and what has been counted.
pub(super) struct Window<'a> {
    traffic: Arc<Traffic>,
    max_bad_rows: Option<u64>,
    samples: NonZeroU32,
    only_rows: Option<Arc<BTreeSet<u64>>>,
    workshop: Arc<Workshop>,
    observer: &'a dyn RunObserver,
    /// What was read and has no room yet: a full window must not keep the stop from being heard.
    waiting: VecDeque<Read>,
    /// Samples of the row that was taken last, which have no room yet.
    ready: VecDeque<Job>,
    tasks: JoinSet<Result<Ended, RunError>>,
    in_flight: HashMap<RecordId, (Digest, u64)>,
    streak: Streak<Held>,
    stopped_by: Option<String>,
    frontier: Frontier<Checkpoint>,
    pub(super) checkpoints: Checkpoints,
    rows: u64,
    good: u64,
    bad: u64,
    first_bad: Option<RejectedRow>,
    sealed: u64,
}

/// One sample of a row, about to begin.
struct Job {
    line: u64,
    end: u64,
    record: Record,
    excerpt: String,
}

/// A row that has ended.
struct Ended {
    place: InWindow,
    how: RowEnd,
}

/// What a row occupies until it has ended.
struct InWindow {
    ticket: Ticket,
    end: u64,
    id: Option<RecordId>,
}

/// A record that failed because of the server, held back with its place in the frontier.
struct Held {
    place: InWindow,
    unsealed: Box<Unsealed>,
}

impl<'a> Window<'a> {
    pub(super) fn new(
        plan: &RunPlan,
        workshop: Arc<Workshop>,
        observer: &'a dyn RunObserver,
        start: Checkpoint,
    ) -> Self {
        let checkpoints = Checkpoints::start(Arc::clone(&workshop.store), plan.name.clone());
        Self {
            traffic: Arc::clone(&plan.traffic),
            max_bad_rows: plan.max_bad_rows,
            samples: plan.samples,
            only_rows: plan.only_rows.clone(),
            workshop,
            observer,
            waiting: VecDeque::new(),
            ready: VecDeque::new(),
            tasks: JoinSet::new(),
            in_flight: HashMap::new(),
            streak: Streak::new(plan.max_failed),
            stopped_by: None,
            frontier: Frontier::new(),
            checkpoints,
            rows: start.rows,
            good: u64::from(start.rows > 0),
            bad: 0,
            first_bad: None,
            sealed: 0,
        }
    }

    pub(super) fn report(&self, name: &str, end: RunEnd, resumed: u64) -> RunReport {
        RunReport {
            name: name.to_owned(),
            end,
            rows: self.rows,
            doubled: 0,
            rejected: 0,
            resumed,
            sealed: self.sealed,
            rejected_file: None,
            stopped_by: self.stopped_by.clone(),
            elapsed: Duration::ZERO,
        }
    }

    /// Takes every row to its end, or stops when asked to or when going on is of no use.
    pub(super) async fn pass(
        &mut self,
        mut reading: Reading,
        mut stop: Stop,
    ) -> Result<RunEnd, RunError> {
        // What was read before the input broke off is done all the same.
        let mut broken = None;
        loop {
            self.fill()?;
            let is_hungry = self.waiting.is_empty() && self.ready.is_empty();
            tokio::select! {
                biased;
                wish = stop.asked() => return self.wind_down(RunEnd::Interrupted, wish, stop).await,
                Some(ended) = self.tasks.join_next() => if let Some(end) = self.ended(ended)? {
                    return self.wind_down(end, patience(end), stop).await;
                },
                () = self.traffic.changed(), if !is_hungry => {}
                batch = reading.batches.recv(), if is_hungry => match batch {
                    None => break,
                    Some(Ok(batch)) => self.waiting.extend(batch),
                    Some(Err(error)) => {
                        broken = Some(error);
                        break;
                    }
                },
            }
        }
        self.traffic.set_last_stretch(true);
        loop {
            if self.tasks.is_empty() {
                self.seal_held();
            }
            tokio::select! {
                biased;
                wish = stop.asked() => return self.wind_down(RunEnd::Interrupted, wish, stop).await,
                ended = self.tasks.join_next() => match ended {
                    None => break,
                    Some(ended) => if let Some(end) = self.ended(ended)? {
                        return self.wind_down(end, patience(end), stop).await;
                    },
                },
            }
        }
        self.note_frontier();
        if let Some(error) = broken {
            return Err(error.into());
        }
        Ok(match self.only_rows {
            None => RunEnd::Finished,
            Some(_) => RunEnd::Picked,
        })
    }

    /// Begins what there is room for.
    fn fill(&mut self) -> Result<(), RunError> {
        while !self.traffic.is_paused() && self.tasks.len() < self.traffic.window() {
            if let Some(job) = self.ready.pop_front() {
                self.begin(job)?;
            } else if let Some(read) = self.waiting.pop_front() {
                self.take(read)?;
            } else {
                break;
            }
        }
        Ok(())
    }

    /// Lets what is in flight end: all of it where a drain was wished for, and else what ends in a
    /// little while. What is held back is dropped, so that it is done again.
    async fn wind_down(&mut self, end: RunEnd, wish: Wish, stop: Stop) -> Result<RunEnd, RunError> {
        self.streak.release();
        self.observer.event(&RunEvent::Stopping {
            in_flight: self.tasks.len(),
        });
        let mut patience = Patience::begin(wish, stop, &self.traffic);
        while let Some(ended) = patience.next(&mut self.tasks).await {
            self.ended(ended)?;
        }
        self.tasks.shutdown().await;
        Ok(end)
    }

    /// Takes up what was read.
    fn take(&mut self, read: Read) -> Result<(), RunError> {
        match read {
            Read::Checkpoint { .. } if self.only_rows.is_some() => Ok(()),
            Read::Checkpoint { position, rows } => {
                let checkpoint = Checkpoint {
                    lines: position.lines,
                    bytes: position.bytes,
                    rows,
                    digest: Some(position.digest),
                };
                let checkpoint = under_samples(checkpoint, self.samples);
                self.frontier.checkpoint(checkpoint);
                Ok(())
            }
            Read::Row { line, end, result } => {
                self.rows += 1;
                let picked = self.only_rows.as_ref();
                if picked.is_some_and(|picked| !picked.contains(&self.rows)) {
                    return Ok(());
                }
                match result {
                    Ok(row) => self.take_row(line, end, *row),
                    Err(rejected) => self.reject(line, end, rejected),
                }
            }
        }
    }

    fn take_row(&mut self, line: u64, end: u64, row: ReadRow) -> Result<(), RunError> {
        let ReadRow { row, record } = row;
        let excerpt = excerpt(row.text().as_bytes());
        if record.answer().is_none() && !self.workshop.pipeline.can_draft() {
            return self.reject_row(end, undraftable(line, excerpt));
        }
        self.good += 1;
        let record = record.at_place(self.rows);
        for sample in 1..=self.samples.get() {
            self.ready.push_back(Job {
                line,
                end,
                record: record.clone().as_sample(sample),
                excerpt: excerpt.clone(),
            });
        }
        Ok(())
    }

    fn begin(&mut self, job: Job) -> Result<(), RunError> {
        let Job {
            line,
            end,
            record,
            excerpt,
        } = job;
        let (id, content) = (record.id().clone(), record.content_digest());
        match self.in_flight.get(&id) {
            Some((twin, _)) if *twin == content => {
                self.observer.event(&RunEvent::Known { record: &id, end });
                return Ok(());
            }
            Some((_, first)) => {
                let row = doubled_id(line, &record, *first, excerpt);
                return self.reject_row(end, row);
            }
            None => {}
        }
        self.in_flight.insert(id.clone(), (content, line));
        let place = InWindow {
            ticket: self.frontier.begin(),
            end,
            id: Some(id),
        };
        let workshop = Arc::clone(&self.workshop);
        self.tasks.spawn(async move {
            let how = workshop.work(line, record, excerpt).await?;
            Ok(Ended { place, how })
        });
        Ok(())
    }

    fn reject(&mut self, line: u64, end: u64, rejected: Rejected) -> Result<(), RunError> {
        let Rejected { reason, excerpt } = rejected;
        self.reject_row(
            end,
            RejectedRow {
                line,
                reason: reason.to_string(),
                excerpt,
            },
        )
    }

    fn reject_row(&mut self, end: u64, row: RejectedRow) -> Result<(), RunError> {
        self.count_bad(&row)?;
        let place = InWindow {
            ticket: self.frontier.begin(),
            end,
            id: None,
        };
        let workshop = Arc::clone(&self.workshop);
        self.tasks.spawn(async move {
            let how = workshop.reject(row).await?;
            Ok(Ended { place, how })
        });
        Ok(())
    }

    /// Counts a bad row, and stops a run that has too many.
    fn count_bad(&mut self, row: &RejectedRow) -> Result<(), RunError> {
        self.bad += 1;
        let first = self.first_bad.get_or_insert_with(|| row.clone());
        if self.good == 0 && self.bad >= BAD_START {
            return Err(RunError::NoGoodRow {
                rows: self.bad,
                line: first.line,
                reason: first.reason.clone(),
            });
        }
        match self.max_bad_rows {
            Some(allowed) if self.bad > allowed => Err(RunError::TooManyBadRows {
                bad: self.bad,
                allowed,
                line: row.line,
                reason: row.reason.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// Notes how a row ended; gives how the run ends if nothing more shall begin.
    fn ended(
        &mut self,
        joined: Result<Result<Ended, RunError>, JoinError>,
    ) -> Result<Option<RunEnd>, RunError> {
        let joined = joined.map_err(|error| RunError::Worker(error.to_string()))?;
        if let Some(what) = joined.as_ref().err().and_then(RunError::budget) {
            self.stopped_by = Some(what.to_owned());
            return Ok(Some(RunEnd::BudgetReached));
        }
        let Ended { place, how } = joined?;
        let end = place.end;
        match how {
            RowEnd::Unanswered(unsealed) => return Ok(self.hold(Held { place, unsealed })),
            RowEnd::Sealed(gist) => {
                if gist.was_answered && gist.outcome != Outcome::Failed {
                    self.seal_held();
                }
                self.tell_sealed(&gist, end);
            }
            RowEnd::Known => {
                if let Some(record) = &place.id {
                    self.observer.event(&RunEvent::Known { record, end });
                }
            }
            RowEnd::Rejected(row) => self.observer.event(&RunEvent::Rejected { row: &row, end }),
        }
        if let Some(id) = place.id {
            self.in_flight.remove(&id);
        }
        self.frontier.end(place.ticket);
        self.note_frontier();
        Ok(None)
    }

    fn tell_sealed(&mut self, gist: &Gist, end: u64) {
        self.sealed += 1;
        self.observer.event(&RunEvent::Sealed {
            record: &gist.record,
            outcome: gist.outcome,
            why: &gist.why,
            changed: gist.changed,
            violations: gist.violations,
            contract_retries: gist.contract_retries,
            policy_retries: gist.policy_retries,
            end,
        });
    }

    /// Holds back a record that failed because of the server, without a place among the tasks.
    fn hold(&mut self, failure: Held) -> Option<RunEnd> {
        self.stopped_by = Some(failure.unsealed.gist.why.clone());
        if let Some(failure) = self.streak.hold(failure) {
            self.seal(failure);
        }
        self.streak.is_full().then_some(RunEnd::OnlyFailures)
    }

    /// Seals what was held back: something else succeeded, or there is nothing else.
    fn seal_held(&mut self) {
        for failure in self.streak.release() {
            self.seal(failure);
        }
    }

    fn seal(&mut self, failure: Held) {
        let Held { place, unsealed } = failure;
        let workshop = Arc::clone(&self.workshop);
        self.tasks.spawn(async move {
            let how = workshop.seal(*unsealed).await?;
            Ok(Ended { place, how })
        });
    }

    fn note_frontier(&mut self) {
        if let Some(checkpoint) = self.frontier.advance() {
            self.checkpoints.note(checkpoint);
        }
    }
}

/// How much time what is in flight has: where the server fails a little, and else all it needs.
fn patience(end: RunEnd) -> Wish {
    match end {
        RunEnd::OnlyFailures => Wish::Stop,
        _ => Wish::Drain,
    }
}
