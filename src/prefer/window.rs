//! The window of pairs in flight. They end in any order, and are written in that of their rows.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};

use super::source::Pairs;
use super::work::{Labelled, RowEnd, Workshop};
use super::{Label, PreferReport, Preference, Tally};
use crate::dataset::{Output, Rejected};
use crate::model::traffic::Traffic;
use crate::run::{
    BAD_START, Patience, Read, RunEnd, RunError, RunEvent, RunObserver, RunReport, Stop, Wish,
};
use crate::store::RejectedRow;

/// Rows that have ended wait for slower ones before them; so many times the window may be held.
const HELD_WINDOWS: usize = 8;
/// How many rejected rows are kept to be shown.
const SHOWN: usize = 3;

/// The pairs in flight, and what has been counted.
pub(super) struct Window<'a> {
    workshop: Arc<Workshop>,
    observer: &'a dyn RunObserver,
    output: Option<Output>,
    /// What was read and has no room yet.
    waiting: VecDeque<Read>,
    tasks: JoinSet<Result<Ended, RunError>>,
    /// What has ended before its turn, by the row's number.
    held: BTreeMap<u64, Ended>,
    /// The row whose turn it is to be written.
    turn: u64,
    rows: u64,
    good: u64,
    rejected: u64,
    shown: Vec<RejectedRow>,
    tally: Tally,
    /// Pairs that failed because of the server with no other between them.
    failures: usize,
    stopped_by: Option<String>,
}

/// A row that has ended.
struct Ended {
    number: u64,
    end: u64,
    how: RowEnd,
}

impl<'a> Window<'a> {
    pub(super) fn new(
        workshop: Arc<Workshop>,
        observer: &'a dyn RunObserver,
        output: Option<Output>,
    ) -> Self {
        Self {
            workshop,
            observer,
            output,
            waiting: VecDeque::new(),
            tasks: JoinSet::new(),
            held: BTreeMap::new(),
            turn: 1,
            rows: 0,
            good: 0,
            rejected: 0,
            shown: Vec::new(),
            tally: Tally::default(),
            failures: 0,
            stopped_by: None,
        }
    }

    /// The report; of a run that is finished, the output gets its name.
    pub(super) fn close(self, name: &str, end: RunEnd) -> Result<PreferReport, RunError> {
        let mut rejected_file = None;
        if let (RunEnd::Finished, Some(output)) = (end, self.output) {
            self.observer.event(&RunEvent::Writing);
            rejected_file = output.commit()?.at_once()?;
        }
        Ok(PreferReport {
            run: RunReport {
                name: name.to_owned(),
                end,
                rows: self.rows,
                doubled: 0,
                rejected: self.rejected,
                resumed: 0,
                sealed: self.tally.pairs,
                rejected_file,
                stopped_by: self.stopped_by,
                elapsed: Duration::ZERO,
            },
            tally: self.tally,
            rejected: self.shown,
        })
    }

    fn traffic(&self) -> &Arc<Traffic> {
        &self.workshop.plan.run.traffic
    }

    /// Takes every pair to its end, or stops when asked to or when going on is of no use.
    pub(super) async fn pass(
        &mut self,
        mut pairs: Pairs,
        mut stop: Stop,
    ) -> Result<RunEnd, RunError> {
        let traffic = Arc::clone(self.traffic());
        let mut is_read = false;
        loop {
            self.fill();
            let is_hungry = self.waiting.is_empty() && !is_read;
            if is_read && self.waiting.is_empty() && self.tasks.is_empty() {
                return Ok(RunEnd::Finished);
            }
            tokio::select! {
                biased;
                wish = stop.asked() => return self.wind_down(RunEnd::Interrupted, wish, stop).await,
                Some(ended) = self.tasks.join_next() => if let Some(end) = self.ended(ended)? {
                    let wish = match end {
                        RunEnd::OnlyFailures => Wish::Stop,
                        _ => Wish::Drain,
                    };
                    return self.wind_down(end, wish, stop).await;
                },
                () = traffic.changed(), if !self.waiting.is_empty() => {}
                batch = pairs.next(), if is_hungry => if let Some(batch) = batch? {
                    self.waiting.extend(batch);
                } else {
                    is_read = true;
                    traffic.set_last_stretch(true);
                },
            }
        }
    }

    /// Begins what there is room for: as many as the traffic is good for, and never so far ahead of
    /// the slowest that memory grows.
    fn fill(&mut self) {
        let traffic = Arc::clone(self.traffic());
        loop {
            let window = traffic.window();
            let in_all = self.tasks.len() + self.held.len();
            let is_full = self.tasks.len() >= window || in_all >= window * HELD_WINDOWS;
            if traffic.is_paused() || is_full {
                return;
            }
            match self.waiting.pop_front() {
                Some(Read::Row { line, end, result }) => self.begin(line, end, result),
                Some(Read::Checkpoint { .. }) => {}
                None => return,
            }
        }
    }

    fn begin(
        &mut self,
        line: u64,
        end: u64,
        result: Result<Box<crate::dataset::ReadRow>, Rejected>,
    ) {
        self.rows += 1;
        let number = self.rows;
        let workshop = Arc::clone(&self.workshop);
        self.tasks.spawn(async move {
            let how = match result {
                Ok(read) => workshop.work(line, number, *read).await?,
                Err(Rejected { reason, excerpt }) => RowEnd::Rejected(RejectedRow {
                    line,
                    reason: reason.to_string(),
                    excerpt,
                }),
            };
            Ok(Ended { number, end, how })
        });
    }

    /// Lets what is in flight end, as was wished for. What it replied is journalled.
    async fn wind_down(&mut self, end: RunEnd, wish: Wish, stop: Stop) -> Result<RunEnd, RunError> {
        self.observer.event(&RunEvent::Stopping {
            in_flight: self.tasks.len(),
        });
        let mut patience = Patience::begin(wish, stop, &Arc::clone(self.traffic()));
        while let Some(ended) = patience.next(&mut self.tasks).await {
            self.ended(ended)?;
        }
        self.tasks.shutdown().await;
        Ok(end)
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
        let ended = joined?;
        let is_over = self.count_failure(&ended.how);
        self.held.insert(ended.number, ended);
        while let Some(ended) = self.held.remove(&self.turn) {
            self.turn += 1;
            self.write(ended)?;
        }
        Ok(is_over.then_some(RunEnd::OnlyFailures))
    }

    /// Whether as many pairs in a row failed because of the server as may.
    fn count_failure(&mut self, how: &RowEnd) -> bool {
        let RowEnd::Labelled(labelled) = how else {
            return false;
        };
        let Some(why) = &labelled.server_failure else {
            self.failures = 0;
            return false;
        };
        self.failures += 1;
        self.stopped_by = Some(why.clone());
        let most = self.workshop.plan.run.max_failed;
        most > 0 && self.failures >= most
    }

    /// Writes a row whose turn it is.
    fn write(&mut self, ended: Ended) -> Result<(), RunError> {
        match ended.how {
            RowEnd::Labelled(labelled) => {
                self.good += 1;
                self.tell(&labelled, ended.end);
                self.tally.add(&labelled);
                if let Some(output) = &mut self.output {
                    for line in &labelled.lines {
                        output.write_row(line)?;
                    }
                }
            }
            RowEnd::Rejected(row) => {
                self.observer.event(&RunEvent::Rejected {
                    row: &row,
                    end: ended.end,
                });
                if let Some(output) = &mut self.output {
                    output.reject(row.line, &row.reason, &row.excerpt)?;
                }
                self.count_bad(row)?;
            }
        }
        Ok(())
    }

    fn tell(&self, labelled: &Labelled, end: u64) {
        let said = |preference: &Preference| preference.label != Label::Failed;
        let failed = !labelled.preferences.iter().all(said);
        let first = labelled.preferences.first();
        self.observer.event(&RunEvent::Labelled {
            record: &labelled.id,
            label: first.map_or("", |preference| preference.label.as_str()),
            why: first.and_then(|preference| preference.why.as_deref()),
            failed,
            end,
        });
    }

    /// Counts a bad row, and stops a run that has too many.
    fn count_bad(&mut self, row: RejectedRow) -> Result<(), RunError> {
        self.rejected += 1;
        let RejectedRow { line, reason, .. } = row.clone();
        if self.shown.len() < SHOWN {
            self.shown.push(row);
        }
        if self.good == 0 && self.rejected >= BAD_START {
            let first = &self.shown[0];
            return Err(RunError::NoGoodRow {
                rows: self.rejected,
                line: first.line,
                reason: first.reason.clone(),
            });
        }
        match self.workshop.plan.run.max_bad_rows {
            Some(allowed) if self.rejected > allowed => Err(RunError::TooManyBadRows {
                bad: self.rejected,
                allowed,
                line,
                reason,
            }),
            _ => Ok(()),
        }
    }
}
