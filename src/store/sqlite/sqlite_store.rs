//! The store itself: each method of the trait, handed to the thread that does it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::absent_calls::AbsentCalls;
use super::leaves::NewLeaf;
use super::lock::FileLock;
use super::open::{self, Place};
use super::readers::Readers;
use super::writer::Writer;
use super::{control, rejected, runs, spent, transcripts};
use crate::merkle::leaf_hash;
use crate::model::budget::Spent;
use crate::record::RecordId;
use crate::store::{
    Checkpoint, NewRun, Page, RejectedRow, RunLock, RunRow, RunState, RunStatus, SealMark,
    SealedRow, SentCommand, Store, StoreError, StoredTranscript, TranscriptEntry, new_salt,
};
use crate::transcript::Outcome;

/// How long a transcript may wait for other writes to be sealed with it.
const SEAL_PATIENCE: Duration = Duration::from_millis(4);

/// A store in one SQLite file.
///
/// Its methods are to be called on a tokio runtime. Dropping it waits for the writes that were
/// handed over, and closes the file.
///
/// # Examples
///
/// ```
/// use redraft::store::Store;
/// use redraft::store::sqlite::SqliteStore;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("redraft.db");
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let store = SqliteStore::open(&path)?;
/// assert!(store.runs().await?.is_empty());
/// # Ok::<(), redraft::store::StoreError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SqliteStore {
    place: Place,
    // Closed before the writer, which then is the last to close and folds the log into the file.
    readers: Readers,
    writer: Option<Writer>,
    absent_calls: Arc<AbsentCalls>,
}

impl SqliteStore {
    /// Opens the store in the file at `path`, which is made if there is none, and brought to the
    /// newest format if an older redraft made it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Open`] when the file cannot be opened, made or written,
    /// [`StoreError::Foreign`] when it is another program's, [`StoreError::Newer`] when a newer
    /// redraft made it, [`StoreError::Full`] when the disk is full.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let place = Place::at(path.as_ref())?;
        let (connection, readers) = open::for_writing(&place)?;
        let absent_calls = Arc::new(AbsentCalls::new());
        let calls = Arc::clone(&absent_calls);
        let writer = Some(Writer::start(connection, &place.location, calls)?);
        Ok(Self {
            place,
            readers,
            writer,
            absent_calls,
        })
    }

    /// Opens the store in the file at `path` for reading; whatever would write to it fails with
    /// [`StoreError::ReadOnly`].
    ///
    /// # Errors
    ///
    /// As [`SqliteStore::open`], and also when there is no file, or one of an older format.
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let place = Place::at(path.as_ref())?;
        let readers = open::for_reading(&place)?;
        Ok(Self {
            place,
            readers,
            writer: None,
            absent_calls: Arc::new(AbsentCalls::new()),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.place.path
    }

    pub(super) fn absent_calls(&self) -> &Arc<AbsentCalls> {
        &self.absent_calls
    }

    pub(super) fn readers(&self) -> &Readers {
        &self.readers
    }

    pub(super) fn writer(&self) -> Result<&Writer, StoreError> {
        self.writer.as_ref().ok_or_else(|| StoreError::ReadOnly {
            location: self.place.location.clone(),
        })
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SqliteStore")
            .field("place", &self.place)
            .field("writable", &self.writer.is_some())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn location(&self) -> String {
        self.place.location.clone()
    }

    async fn lock_run(&self, name: &str) -> Result<Box<dyn RunLock>, StoreError> {
        self.writer()?;
        Ok(Box::new(FileLock::claim(&self.place.path, name)?))
    }

    async fn open_run(&self, run: NewRun) -> Result<RunRow, StoreError> {
        self.writer()?
            .write(0, move |session| runs::open(session, &run))
            .await
    }

    async fn run(&self, name: &str) -> Result<Option<RunRow>, StoreError> {
        self.readers.look_up(|reader| runs::find(reader, name))
    }

    async fn runs(&self) -> Result<Vec<RunRow>, StoreError> {
        self.readers.scan(runs::all).await
    }

    async fn set_run_state(&self, name: &str, state: RunState, at: &str) -> Result<(), StoreError> {
        let (name, at) = (name.to_owned(), at.to_owned());
        self.writer()?
            .write(0, move |session| {
                runs::set_state(session, &name, state, &at)
            })
            .await
    }

    async fn seal_mark(
        &self,
        run: &str,
        record: &RecordId,
    ) -> Result<Option<SealMark>, StoreError> {
        self.readers
            .look_up(|reader| transcripts::mark(reader, run, record))
    }

    async fn seal(&self, run: &str, row: SealedRow) -> Result<(), StoreError> {
        let run = run.to_owned();
        // Written out here, where there are many threads, and not on the one that writes.
        let times = serde_json::to_string(&row.sealed.times)
            .map_err(|error| StoreError::Backend(Box::new(error)))?;
        let salt = new_salt()?;
        let entry = TranscriptEntry::of(&run, &row, &times, &salt).to_json();
        let leaf = NewLeaf {
            salt: salt.to_vec(),
            hash: leaf_hash(entry.as_bytes()),
            entry,
        };
        self.writer()?
            .write_in_company(row.sealed.body.len(), SEAL_PATIENCE, move |session| {
                transcripts::seal(session, &run, &row, &times, &leaf)
            })
            .await
    }

    async fn transcript(
        &self,
        run: &str,
        record: &RecordId,
    ) -> Result<Option<StoredTranscript>, StoreError> {
        self.readers
            .look_up(|reader| transcripts::find(reader, run, record))
    }

    async fn transcripts(
        &self,
        run: &str,
        after: Option<i64>,
        limit: usize,
    ) -> Result<Page<StoredTranscript>, StoreError> {
        let run = run.to_owned();
        self.readers
            .scan(move |reader| transcripts::page(reader, &run, after, limit))
            .await
    }

    async fn positions(&self, run: &str, after: i64, to: i64) -> Result<Vec<i64>, StoreError> {
        let run = run.to_owned();
        self.readers
            .scan(move |reader| transcripts::positions(reader, &run, after, to))
            .await
    }

    async fn find_record(
        &self,
        run: Option<&str>,
        record: &str,
        limit: usize,
    ) -> Result<Vec<StoredTranscript>, StoreError> {
        let (run, record) = (run.map(str::to_owned), record.to_owned());
        self.readers
            .scan(move |reader| transcripts::search(reader, run.as_deref(), &record, limit))
            .await
    }

    async fn unseal(&self, run: &str, outcome: Outcome, at: &str) -> Result<u64, StoreError> {
        let (run, at) = (run.to_owned(), at.to_owned());
        self.writer()?
            .write(0, move |session| {
                transcripts::unseal(session, &run, outcome, &at)
            })
            .await
    }

    async fn reject(&self, run: &str, row: RejectedRow) -> Result<(), StoreError> {
        let run = run.to_owned();
        let bytes = row.reason.len() + row.excerpt.len();
        self.writer()?
            .write(bytes, move |session| rejected::keep(session, &run, &row))
            .await
    }

    async fn rejected(
        &self,
        run: &str,
        limit: usize,
    ) -> Result<(Vec<RejectedRow>, u64), StoreError> {
        let run = run.to_owned();
        self.readers
            .scan(move |reader| rejected::list(reader, &run, limit))
            .await
    }

    async fn rejected_at(&self, run: &str, line: u64) -> Result<Option<RejectedRow>, StoreError> {
        self.readers
            .look_up(|reader| rejected::at(reader, run, line))
    }

    async fn forget_rejected_after(&self, run: &str, line: u64) -> Result<(), StoreError> {
        let run = run.to_owned();
        self.writer()?
            .write(0, move |session| {
                rejected::forget_after(session, &run, line)
            })
            .await
    }

    async fn checkpoint(&self, run: &str) -> Result<Checkpoint, StoreError> {
        self.readers.look_up(|reader| runs::checkpoint(reader, run))
    }

    async fn set_checkpoint(&self, run: &str, checkpoint: Checkpoint) -> Result<(), StoreError> {
        let run = run.to_owned();
        self.writer()?
            .write(0, move |session| {
                runs::set_checkpoint(session, &run, &checkpoint)
            })
            .await
    }

    async fn send_command(&self, run: &str, text: &str, at: &str) -> Result<u64, StoreError> {
        let (run, text, at) = (run.to_owned(), text.to_owned(), at.to_owned());
        self.writer()?
            .write(text.len(), move |session| {
                control::send(session, &run, &text, &at)
            })
            .await
    }

    async fn take_commands(&self, run: &str, at: &str) -> Result<Vec<SentCommand>, StoreError> {
        // There are seldom any, and a look costs far less than a commit.
        if !self.readers.look_up(|reader| control::any(reader, run))? {
            return Ok(Vec::new());
        }
        let (run, at) = (run.to_owned(), at.to_owned());
        self.writer()?
            .write(0, move |session| control::take(session, &run, &at))
            .await
    }

    async fn answer_command(&self, run: &str, number: u64, answer: &str) -> Result<(), StoreError> {
        let (run, answer) = (run.to_owned(), answer.to_owned());
        self.writer()?
            .write(answer.len(), move |session| {
                control::answer(session, &run, number, &answer)
            })
            .await
    }

    async fn command(&self, run: &str, number: u64) -> Result<Option<SentCommand>, StoreError> {
        self.readers
            .look_up(|reader| control::find(reader, run, number))
    }

    async fn set_status(&self, run: &str, status: RunStatus) -> Result<(), StoreError> {
        let run = run.to_owned();
        self.writer()?
            .write(status.text.len(), move |session| {
                control::set_status(session, &run, &status)
            })
            .await
    }

    async fn status(&self, run: &str) -> Result<Option<RunStatus>, StoreError> {
        self.readers.look_up(|reader| control::status(reader, run))
    }

    async fn add_spent(&self, run: &str, spent: Spent) -> Result<(), StoreError> {
        let run = run.to_owned();
        self.writer()?
            .write(0, move |session| spent::add(session, &run, &spent))
            .await
    }

    async fn spent(&self, run: &str) -> Result<Spent, StoreError> {
        self.readers.look_up(|reader| spent::of(reader, run))
    }

    async fn flush(&self) -> Result<(), StoreError> {
        self.writer()?.write(0, |_| Ok(())).await
    }
}
