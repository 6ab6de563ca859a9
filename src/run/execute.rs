//! The window of records in flight.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::checkpoints::Checkpoints;
use super::frontier::{Frontier, Ticket};
use super::output::write_output;
use super::reader::{Read, Reading, Span, read};
use super::record::{RowEnd, Workshop, doubled_id, undraftable};
use super::{RunEnd, RunError, RunEvent, RunObserver, RunPlan, RunReport, Stop, changes};
use crate::dataset::{Position, ReadRow, Rejected, Source, excerpt};
use crate::digest::Digest;
use crate::model::traffic::Traffic;
use crate::pipeline::Pipeline;
use crate::record::RecordId;
use crate::store::{Checkpoint, NewRun, RejectedRow, RunState, Store};
use crate::telemetry;
use crate::transcript::Outcome;

/// How long what is in flight may take once a stop was asked for.
const GRACE: Duration = Duration::from_secs(4);
/// So many rows at the start, all of them bad, are no dataset.
const BAD_START: u64 = 20;

/// Runs a dataset through a pipeline into a store, and writes the rows back.
///
/// # Errors
///
/// When something reaches every record. What is sealed stays sealed: the same run goes on there.
pub async fn run(
    plan: RunPlan,
    pipeline: Arc<Pipeline>,
    store: Arc<dyn Store>,
    mut source: Source,
    observer: &dyn RunObserver,
    stop: Stop,
) -> Result<RunReport, RunError> {
    let began = Instant::now();
    let _lock = store.lock_run(&plan.name).await?;
    open(&plan, store.as_ref()).await?;
    if plan.retry_failed {
        store.unseal(&plan.name, Outcome::Failed).await?;
    }
    let checkpoint = store.checkpoint(&plan.name).await?;
    let span = Span {
        after: position_of(&checkpoint),
        rows_before: checkpoint.rows,
        limit: plan.limit,
    };
    let reading = read(source.first_pass()?, plan.read.clone(), span).await?;
    let start = if reading.resumed {
        checkpoint
    } else {
        Checkpoint::default()
    };
    store.forget_rejected_after(&plan.name, start.lines).await?;
    observer.event(&RunEvent::Started {
        name: &plan.name,
        bytes: source.bytes(),
        done: start.bytes,
        rows: start.rows,
    });
    let workshop = Arc::new(Workshop {
        run: plan.name.clone(),
        pipeline,
        store: Arc::clone(&store),
    });
    let mut window = Window::new(&plan, workshop, observer, start);
    let passed = window.pass(reading, stop).await;
    let checkpointed = window.checkpoints.finish().await;
    let (end, state) = match &passed {
        Ok(end @ RunEnd::Finished) => (*end, RunState::Finished),
        Ok(end @ RunEnd::Interrupted) => (*end, RunState::Stopped),
        Err(_) => (RunEnd::Interrupted, RunState::Stopped),
    };
    let noted = note_end(&plan.name, store.as_ref(), state).await;
    passed?;
    checkpointed?;
    noted?;
    let mut report = window.report(&plan.name, end, start.rows);
    if let (RunEnd::Finished, Some(target)) = (end, &plan.output) {
        observer.event(&RunEvent::Writing);
        report.rejected_file = write_output(&plan, target, &source, store.as_ref()).await?;
    }
    (_, report.rejected) = store.rejected(&plan.name, 0).await?;
    if end == RunEnd::Finished {
        // Only now: of a run that was stopped, some rows were read and then dropped.
        let sealed = store.run(&plan.name).await?.map_or(0, |row| row.sealed);
        report.doubled = report.rows.saturating_sub(report.rejected + sealed);
    }
    report.elapsed = began.elapsed();
    Ok(report)
}

async fn note_end(run: &str, store: &dyn Store, state: RunState) -> Result<(), RunError> {
    store.set_run_state(run, state, &telemetry::now()).await?;
    store.flush().await?;
    Ok(())
}

async fn open(plan: &RunPlan, store: &dyn Store) -> Result<(), RunError> {
    let new = NewRun {
        name: plan.name.clone(),
        dataset: plan.dataset.clone(),
        decided_by: plan.decided_by.clone(),
        scope: plan.scope.clone(),
        started: telemetry::now(),
    };
    let row = store.open_run(new).await?;
    let changes = changes(&row.run.decided_by, &plan.decided_by);
    if changes.is_empty() {
        Ok(())
    } else {
        Err(RunError::DecidedOtherwise {
            name: plan.name.clone(),
            changes,
        })
    }
}

fn position_of(checkpoint: &Checkpoint) -> Option<Position> {
    checkpoint.digest.map(|digest| Position {
        lines: checkpoint.lines,
        bytes: checkpoint.bytes,
        digest,
    })
}

/// The records in flight, and what has been counted.
struct Window<'a> {
    traffic: Arc<Traffic>,
    max_bad_rows: Option<u64>,
    workshop: Arc<Workshop>,
    observer: &'a dyn RunObserver,
    tasks: JoinSet<Result<Ended, RunError>>,
    in_flight: HashMap<RecordId, (Digest, u64)>,
    frontier: Frontier<Checkpoint>,
    checkpoints: Checkpoints,
    rows: u64,
    good: u64,
    bad: u64,
    first_bad: Option<RejectedRow>,
    sealed: u64,
}

/// A row that has ended.
struct Ended {
    ticket: Ticket,
    end: u64,
    id: Option<RecordId>,
    how: RowEnd,
}

impl<'a> Window<'a> {
    fn new(
        plan: &RunPlan,
        workshop: Arc<Workshop>,
        observer: &'a dyn RunObserver,
        start: Checkpoint,
    ) -> Self {
        let checkpoints = Checkpoints::start(Arc::clone(&workshop.store), plan.name.clone());
        Self {
            traffic: Arc::clone(&plan.traffic),
            max_bad_rows: plan.max_bad_rows,
            workshop,
            observer,
            tasks: JoinSet::new(),
            in_flight: HashMap::new(),
            frontier: Frontier::new(),
            checkpoints,
            rows: start.rows,
            good: u64::from(start.rows > 0),
            bad: 0,
            first_bad: None,
            sealed: 0,
        }
    }

    fn report(&self, name: &str, end: RunEnd, resumed: u64) -> RunReport {
        RunReport {
            name: name.to_owned(),
            end,
            rows: self.rows,
            doubled: 0,
            rejected: 0,
            resumed,
            sealed: self.sealed,
            rejected_file: None,
            elapsed: Duration::ZERO,
        }
    }

    /// Takes every row to its end, or stops when asked to.
    async fn pass(&mut self, mut reading: Reading, mut stop: Stop) -> Result<RunEnd, RunError> {
        // What was read and has no room yet: a full window must not keep the stop from being heard.
        let mut waiting = VecDeque::new();
        loop {
            while self.has_room()
                && let Some(read) = waiting.pop_front()
            {
                self.take(read)?;
            }
            tokio::select! {
                biased;
                () = stop.asked() => return self.wind_down().await,
                Some(ended) = self.tasks.join_next() => self.ended(ended)?,
                () = self.traffic.changed(), if !waiting.is_empty() => {}
                batch = reading.batches.recv(), if waiting.is_empty() => match batch {
                    None => break,
                    Some(batch) => waiting.extend(batch?),
                },
            }
        }
        self.traffic.set_last_stretch(true);
        while !self.tasks.is_empty() {
            tokio::select! {
                biased;
                () = stop.asked() => return self.wind_down().await,
                Some(ended) = self.tasks.join_next() => self.ended(ended)?,
            }
        }
        self.note_frontier();
        Ok(RunEnd::Finished)
    }

    fn has_room(&self) -> bool {
        !self.traffic.is_paused() && self.tasks.len() < self.traffic.window()
    }

    /// Lets what is in flight end for a little while, and drops the rest.
    async fn wind_down(&mut self) -> Result<RunEnd, RunError> {
        self.observer.event(&RunEvent::Stopping {
            in_flight: self.tasks.len(),
        });
        let deadline = Instant::now() + GRACE;
        while let Ok(Some(ended)) = timeout_at(deadline, self.tasks.join_next()).await {
            self.ended(ended)?;
        }
        self.tasks.shutdown().await;
        Ok(RunEnd::Interrupted)
    }

    /// Begins what was read.
    fn take(&mut self, read: Read) -> Result<(), RunError> {
        match read {
            Read::Checkpoint { position, rows } => {
                self.frontier.checkpoint(Checkpoint {
                    lines: position.lines,
                    bytes: position.bytes,
                    rows,
                    digest: Some(position.digest),
                });
                Ok(())
            }
            Read::Row { line, end, result } => {
                self.rows += 1;
                match result {
                    Ok(row) => self.begin(line, end, *row),
                    Err(rejected) => self.reject(line, end, rejected),
                }
            }
        }
    }

    fn begin(&mut self, line: u64, end: u64, row: ReadRow) -> Result<(), RunError> {
        let ReadRow { row, record } = row;
        let record = record.at_place(self.rows);
        if record.answer().is_none() && !self.workshop.pipeline.can_draft() {
            let row = undraftable(line, excerpt(row.text().as_bytes()));
            return self.reject_row(end, row);
        }
        let (id, content) = (record.id().clone(), record.content_digest());
        match self.in_flight.get(&id) {
            Some((twin, _)) if *twin == content => {
                self.observer.event(&RunEvent::Known { end });
                return Ok(());
            }
            Some((_, first)) => {
                let row = doubled_id(line, &record, *first, excerpt(row.text().as_bytes()));
                return self.reject_row(end, row);
            }
            None => {}
        }
        self.good += 1;
        self.in_flight.insert(id.clone(), (content, line));
        let ticket = self.frontier.begin();
        let workshop = Arc::clone(&self.workshop);
        self.tasks.spawn(async move {
            let how = workshop
                .work(line, record, excerpt(row.text().as_bytes()))
                .await?;
            Ok(Ended {
                ticket,
                end,
                id: Some(id),
                how,
            })
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
        let ticket = self.frontier.begin();
        let workshop = Arc::clone(&self.workshop);
        self.tasks.spawn(async move {
            let how = workshop.reject(row).await?;
            Ok(Ended {
                ticket,
                end,
                id: None,
                how,
            })
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

    fn ended(
        &mut self,
        joined: Result<Result<Ended, RunError>, tokio::task::JoinError>,
    ) -> Result<(), RunError> {
        let ended = joined.map_err(|error| RunError::Worker(error.to_string()))??;
        let Ended {
            ticket,
            end,
            id,
            how,
        } = ended;
        if let Some(id) = id {
            self.in_flight.remove(&id);
        }
        match how {
            RowEnd::Sealed {
                record,
                outcome,
                why,
                changed,
            } => {
                self.sealed += 1;
                self.observer.event(&RunEvent::Sealed {
                    record: &record,
                    outcome,
                    why: &why,
                    changed,
                    end,
                });
            }
            RowEnd::Known => self.observer.event(&RunEvent::Known { end }),
            RowEnd::Rejected(row) => self.observer.event(&RunEvent::Rejected { row: &row, end }),
        }
        self.frontier.end(ticket);
        self.note_frontier();
        Ok(())
    }

    fn note_frontier(&mut self) {
        if let Some(checkpoint) = self.frontier.advance() {
            self.checkpoints.note(checkpoint);
        }
    }
}
