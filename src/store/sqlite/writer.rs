//! The writer: one thread takes all writes that wait, commits them together, and answers each
//! one only when it would survive a crash.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::{Connection, Error};
use tokio::sync::{mpsc, oneshot};

use super::absent_calls::{AbsentCalls, Follower};
use super::checkpoint::Checkpointer;
use super::failure::{Failure, spares_transaction, translate};
use super::session::{Known, Session};
use crate::store::StoreError;

/// How many writes may wait before their callers do.
const WAITING: usize = 1024;
/// How many writes one transaction takes.
const BATCH_JOBS: usize = 512;
/// How many bytes one transaction takes, give or take its last write: what it changes stands in
/// the page cache, and then in the write-ahead log.
const BATCH_BYTES: usize = 8 << 20;

/// A transaction with fewer writes than this waits for company, as long as all of them can wait: each
/// transaction costs a flush of the disk and some pages of the log.
const COMPANY: usize = 32;

/// The way to the writer thread. Dropping it waits for the writes that were handed over.
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread, which owns the connection from now on and keeps `calls` true.
    pub(super) fn start(
        mut connection: Connection,
        location: &str,
        calls: Arc<AbsentCalls>,
    ) -> Result<Self, StoreError> {
        let failed = |error| Failure::from(error).at(location);
        let (jobs, waiting) = mpsc::channel(WAITING);
        let desk = Desk {
            checkpointer: Checkpointer::take_over(&mut connection).map_err(failed)?,
            follower: Follower::begin(calls, &connection).map_err(failed)?,
            connection,
            location: location.to_owned(),
            known: Known::default(),
        };
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || desk.serve(waiting))
            .map_err(|error| StoreError::Backend(Box::new(error)))?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    /// Has `work` done within the next transaction; ready once that is committed. `bytes` says
    /// about how much it writes.
    pub(super) async fn write<T, W>(&self, bytes: usize, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&mut Session<'_>) -> Result<T, Failure> + Send + 'static,
    {
        self.hand_over(bytes, Duration::ZERO, work).await
    }

    /// As [`write`](Self::write), but with the transaction up to `patience` later, so that more
    /// writes share its costs.
    pub(super) async fn write_in_company<T, W>(
        &self,
        bytes: usize,
        patience: Duration,
        work: W,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&mut Session<'_>) -> Result<T, Failure> + Send + 'static,
    {
        self.hand_over(bytes, patience, work).await
    }

    async fn hand_over<T, W>(
        &self,
        bytes: usize,
        patience: Duration,
        work: W,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&mut Session<'_>) -> Result<T, Failure> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(Pending {
            bytes,
            patience,
            state: State::Waiting(work),
            answer,
        });
        let jobs = self.jobs.as_ref().ok_or(StoreError::WriterGone)?;
        jobs.send(job).await.map_err(|_| StoreError::WriterGone)?;
        answered.await.map_err(|_| StoreError::WriterGone)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so on standard error.
            let _ = thread.join();
        }
    }
}

/// One write on its way through a transaction.
trait Job: Send {
    /// About how much it writes.
    fn bytes(&self) -> usize;
    /// How long it may wait for company.
    fn patience(&self) -> Duration;
    /// Does the work and keeps its result; fails when the transaction cannot go on.
    fn apply(&mut self, session: &mut Session<'_>) -> Result<(), Error>;
    /// Tells the caller how it went: as `apply` kept it, or as the whole transaction did.
    fn answer(self: Box<Self>, failed: Option<&Arc<Error>>, location: &str);
}

struct Pending<W, T> {
    bytes: usize,
    patience: Duration,
    state: State<W, T>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

enum State<W, T> {
    Waiting(W),
    Done(Result<T, Failure>),
    Lost,
}

impl<W, T> Job for Pending<W, T>
where
    T: Send,
    W: FnOnce(&mut Session<'_>) -> Result<T, Failure> + Send,
{
    fn bytes(&self) -> usize {
        self.bytes
    }

    fn patience(&self) -> Duration {
        self.patience
    }

    fn apply(&mut self, session: &mut Session<'_>) -> Result<(), Error> {
        let State::Waiting(work) = std::mem::replace(&mut self.state, State::Lost) else {
            return Ok(());
        };
        match work(session) {
            Err(Failure::Sqlite(error)) if !spares_transaction(&error) => Err(error),
            result => {
                self.state = State::Done(result);
                Ok(())
            }
        }
    }

    fn answer(self: Box<Self>, failed: Option<&Arc<Error>>, location: &str) {
        let result = match (failed, self.state) {
            (Some(error), _) => Err(translate(error, location)),
            (None, State::Done(result)) => result.map_err(|failure| failure.at(location)),
            (None, State::Waiting(_) | State::Lost) => Err(StoreError::WriterGone),
        };
        // The caller may have stopped waiting; what was written stays written.
        let _ = self.answer.send(result);
    }
}

/// What the writer thread has before it.
struct Desk {
    connection: Connection,
    location: String,
    known: Known,
    checkpointer: Checkpointer,
    follower: Follower,
}

impl Desk {
    fn serve(mut self, mut waiting: mpsc::Receiver<Box<dyn Job>>) {
        let mut batch = Vec::with_capacity(BATCH_JOBS);
        while gather(&mut waiting, &mut batch) {
            let failed = self.commit(&mut batch).err().map(Arc::new);
            for job in batch.drain(..) {
                job.answer(failed.as_ref(), &self.location);
            }
            // Nobody waits for these. A filter that is not filled is only of less use.
            let _ = self.follower.fill(&self.connection);
            self.checkpointer.after_commit(&mut self.connection);
        }
    }

    fn commit(&mut self, batch: &mut [Box<dyn Job>]) -> Result<(), Error> {
        let committed = self.transact(batch);
        if committed.is_err() {
            self.known.forget();
            if !self.connection.is_autocommit() {
                // Should even this fail, the next BEGIN does, and says so to its callers.
                let _ = self.connection.execute_batch("ROLLBACK");
            }
        }
        committed
    }

    fn transact(&mut self, batch: &mut [Box<dyn Job>]) -> Result<(), Error> {
        let statement = |sql| self.connection.prepare_cached(sql)?.execute([]);
        statement("BEGIN IMMEDIATE")?;
        self.follower.catch_up(&self.connection)?;
        let mut session = Session::new(&self.connection, &mut self.known);
        for job in batch {
            job.apply(&mut session)?;
        }
        session.settle()?;
        statement("COMMIT")?;
        Ok(())
    }
}

/// Waits for a write and takes those that came with it; false when there will be no more.
fn gather(waiting: &mut mpsc::Receiver<Box<dyn Job>>, batch: &mut Vec<Box<dyn Job>>) -> bool {
    let Some(first) = waiting.blocking_recv() else {
        return false;
    };
    batch.push(first);
    take_waiting(waiting, batch);
    let patience = batch.iter().map(|job| job.patience()).min();
    if batch.len() < COMPANY
        && let Some(patience) = patience.filter(|patience| !patience.is_zero())
    {
        thread::sleep(patience);
        take_waiting(waiting, batch);
    }
    true
}

/// Takes what waits already, as far as one transaction goes.
fn take_waiting(waiting: &mut mpsc::Receiver<Box<dyn Job>>, batch: &mut Vec<Box<dyn Job>>) {
    let mut bytes: usize = batch.iter().map(|job| job.bytes()).sum();
    while batch.len() < BATCH_JOBS && bytes < BATCH_BYTES {
        let Ok(job) = waiting.try_recv() else { break };
        bytes += job.bytes();
        batch.push(job);
    }
}
