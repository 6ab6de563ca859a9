//! What a backend supplies.

use std::fmt::Debug;

use async_trait::async_trait;

use super::{
    AuditLog, Checkpoint, NewRun, Page, RejectedRow, ReviewDesk, RunRow, RunState, RunStatus,
    SealMark, SealedRow, SentCommand, StoreError, StoredTranscript,
};
use crate::model::budget::Spent;
use crate::model::journal::Journal;
use crate::record::RecordId;
use crate::transcript::Outcome;

/// Held for as long as a process works on a run; dropping it, or dying, gives the run free.
pub trait RunLock: Debug + Send + Sync {}

/// A place that keeps journalled calls, runs and sealed transcripts.
///
/// What a method says it wrote survives a crash of the process, and a power cut, once its future is
/// ready. A future that is dropped before may or may not have written, and never half. Writing what
/// belongs to a run fails with [`StoreError::UnknownRun`] when the store has no run of that name;
/// reading it finds nothing.
#[async_trait]
pub trait Store: Journal + AuditLog + ReviewDesk {
    /// What the user calls this store: a file's path, an address without credentials.
    fn location(&self) -> String;

    /// Claims a run for this process.
    ///
    /// # Errors
    ///
    /// [`StoreError::RunInUse`] while another process holds it.
    async fn lock_run(&self, name: &str) -> Result<Box<dyn RunLock>, StoreError>;

    /// Begins a run, or finds the one of that name, which is marked as running again.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    async fn open_run(&self, run: NewRun) -> Result<RunRow, StoreError>;

    /// The run of that name.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    async fn run(&self, name: &str) -> Result<Option<RunRow>, StoreError>;

    /// Every run, the one that was last worked on first.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    async fn runs(&self) -> Result<Vec<RunRow>, StoreError>;

    /// Notes how far a run is, at a time given as RFC 3339 in UTC.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    async fn set_run_state(&self, name: &str, state: RunState, at: &str) -> Result<(), StoreError>;

    /// Which content of a record is sealed in a run, if the record is.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    async fn seal_mark(&self, run: &str, record: &RecordId)
    -> Result<Option<SealMark>, StoreError>;

    /// Keeps a sealed transcript.
    ///
    /// # Errors
    ///
    /// [`StoreError::AlreadySealed`] when the run has a transcript of that record.
    async fn seal(&self, run: &str, row: SealedRow) -> Result<(), StoreError>;

    /// The transcript of a record in a run.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    async fn transcript(
        &self,
        run: &str,
        record: &RecordId,
    ) -> Result<Option<StoredTranscript>, StoreError>;

    /// The transcripts of a run, in the order in which they were sealed, from after a cursor: at
    /// most `limit`, fewer when they are long, at least one where there is one.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    async fn transcripts(
        &self,
        run: &str,
        after: Option<i64>,
        limit: usize,
    ) -> Result<Page<StoredTranscript>, StoreError>;

    /// The positions of a run's transcripts after one position and up to another, in order.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    async fn positions(&self, run: &str, after: i64, to: i64) -> Result<Vec<i64>, StoreError>;

    /// The transcripts of a record in one run, or in every run, the newest first; `record` may be
    /// the beginning of an id when no id is exactly that.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    async fn find_record(
        &self,
        run: Option<&str>,
        record: &str,
        limit: usize,
    ) -> Result<Vec<StoredTranscript>, StoreError>;

    /// Takes the transcripts of one outcome out of a run, so that their records are done again;
    /// returns how many there were. If there were any, the run's checkpoint goes back to the start.
    /// Their leaves stay, and the log says of each that it was withdrawn at that time, given as
    /// RFC 3339 in UTC.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    async fn unseal(&self, run: &str, outcome: Outcome, at: &str) -> Result<u64, StoreError>;

    /// Keeps a row that did not become a record; a later one of the same line takes its place.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    async fn reject(&self, run: &str, row: RejectedRow) -> Result<(), StoreError>;

    /// The rejected rows of a run by line, at most `limit`, and how many there are in all.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    async fn rejected(
        &self,
        run: &str,
        limit: usize,
    ) -> Result<(Vec<RejectedRow>, u64), StoreError>;

    /// The rejected row of that line.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    async fn rejected_at(&self, run: &str, line: u64) -> Result<Option<RejectedRow>, StoreError>;

    /// Forgets the rejected rows after a line, because they are about to be read again.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    async fn forget_rejected_after(&self, run: &str, line: u64) -> Result<(), StoreError>;

    /// How far from its start the run's dataset is done.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    async fn checkpoint(&self, run: &str) -> Result<Checkpoint, StoreError>;

    /// Notes how far from its start the run's dataset is done.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    async fn set_checkpoint(&self, run: &str, checkpoint: Checkpoint) -> Result<(), StoreError>;

    /// Keeps a command for the process that works on a run; gives its number.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    async fn send_command(&self, run: &str, text: &str, at: &str) -> Result<u64, StoreError>;

    /// Takes the commands that wait for a run, the oldest first; none is given twice.
    ///
    /// # Errors
    ///
    /// When the store cannot be read or written.
    async fn take_commands(&self, run: &str, at: &str) -> Result<Vec<SentCommand>, StoreError>;

    /// Notes what came of a command.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    async fn answer_command(&self, run: &str, number: u64, answer: &str) -> Result<(), StoreError>;

    /// The command of that number, with what came of it.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    async fn command(&self, run: &str, number: u64) -> Result<Option<SentCommand>, StoreError>;

    /// Notes how a run stands, in place of what was noted before.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    async fn set_status(&self, run: &str, status: RunStatus) -> Result<(), StoreError>;

    /// How a run stands, as was last noted.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    async fn status(&self, run: &str) -> Result<Option<RunStatus>, StoreError>;

    /// Adds to what the calls of a run have taken.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    async fn add_spent(&self, run: &str, spent: Spent) -> Result<(), StoreError>;

    /// What the calls of a run have taken, over all its processes.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    async fn spent(&self, run: &str) -> Result<Spent, StoreError>;

    /// Waits until all that was handed over is written.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    async fn flush(&self) -> Result<(), StoreError>;
}
