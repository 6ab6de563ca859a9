//! Reads a Parquet file on another machine: only the parts that are asked for, some of them ahead.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Buf as _, Bytes};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use super::error::RemoteError;
use super::object::Object;
use crate::dataset::parquet::ParquetRows;
use crate::dataset::rows::{Rows, Taken};

/// How much is asked for where nothing was read before.
const FIRST_BYTES: u64 = 256 << 10;
/// How much is asked for at most where reading goes on.
const MOST_BYTES: u64 = 4 << 20;
/// How much is held in all, over all columns.
const HELD_BYTES: usize = 32 << 20;

/// A Parquet file of which only parts are fetched.
#[derive(Clone)]
pub(in crate::dataset) struct RemoteFile {
    object: Object,
    size: u64,
    shared: Arc<Mutex<Shared>>,
}

/// What was fetched and may still be needed, the newest at the back.
#[derive(Default)]
struct Shared {
    windows: VecDeque<Window>,
    failure: Option<RemoteError>,
}

struct Window {
    start: u64,
    bytes: Bytes,
}

impl Window {
    fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// What it holds from `at` on.
    fn from(&self, at: u64) -> Option<Bytes> {
        let place = usize::try_from(at.checked_sub(self.start)?).ok()?;
        (place < self.bytes.len()).then(|| self.bytes.slice(place..))
    }
}

impl RemoteFile {
    /// The file that `object` is.
    ///
    /// # Errors
    ///
    /// When the server does not say how long it is.
    pub(in crate::dataset) fn new(object: Object) -> io::Result<Self> {
        let size = object.size().ok_or_else(|| RemoteError::NoRanges {
            shown: object.path().display().to_string(),
        })?;
        Ok(Self {
            object,
            size,
            shared: Arc::default(),
        })
    }

    /// Its rows from the first; those above `limit` bytes are skipped.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is no whole Parquet file.
    pub(in crate::dataset) fn rows(self, limit: usize) -> io::Result<Box<dyn Rows>> {
        let rows = self.telling(ParquetRows::new(self.clone(), limit))?;
        Ok(Box::new(RemoteRows { rows, file: self }))
    }

    /// A result, or why the bytes for it did not come, which is no fault of the file.
    pub(in crate::dataset) fn telling<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| match self.shared().failure.take() {
            Some(failure) => failure.into(),
            None => error,
        })
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// At least `least` bytes from `at` on, and what is there behind them.
    fn from(&self, at: u64, least: u64) -> Result<Bytes, RemoteError> {
        let mut shared = self.shared();
        let mut windows = shared.windows.iter().rev();
        let holds = |window: &&Window| window.start <= at && at + least <= window.end();
        if let Some(bytes) = windows
            .clone()
            .find(holds)
            .and_then(|window| window.from(at))
        {
            return Ok(bytes);
        }
        // Whoever reads on gets more with every request, and others no more than they may need.
        let before = windows.find(|window| window.start <= at && at <= window.end());
        let ahead = before.map_or(FIRST_BYTES, |window| {
            (2 * window.bytes.len() as u64).clamp(FIRST_BYTES, MOST_BYTES)
        });
        // The end of the file is asked for in several small pieces, from behind.
        let start = match before {
            Some(_) => at,
            None => at.min(self.size.saturating_sub(FIRST_BYTES)),
        };
        let end = (start + ahead).max(at + least).min(self.size);
        let window = Window {
            start,
            bytes: self.fetch(start..end, &mut shared)?,
        };
        let bytes = window.from(at).unwrap_or_default();
        shared.windows.push_back(window);
        let mut held: usize = shared.windows.iter().map(|window| window.bytes.len()).sum();
        while held > HELD_BYTES
            && shared.windows.len() > 1
            && let Some(oldest) = shared.windows.pop_front()
        {
            held -= oldest.bytes.len();
        }
        Ok(bytes)
    }

    fn fetch(&self, range: Range<u64>, shared: &mut Shared) -> Result<Bytes, RemoteError> {
        self.object.read_at(range).inspect_err(|error| {
            shared.failure = Some(error.clone());
        })
    }
}

impl Length for RemoteFile {
    fn len(&self) -> u64 {
        self.size
    }
}

impl ChunkReader for RemoteFile {
    type T = ChunkBytes;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(ChunkBytes {
            file: self.clone(),
            at: start,
            waiting: Bytes::new(),
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        if start + length as u64 > self.size {
            let what = format!(
                "{length} bytes at {start} are behind the end, {}",
                self.size
            );
            return Err(ParquetError::EOF(what));
        }
        let bytes = self.from(start, length as u64);
        let bytes = bytes.map_err(|error| ParquetError::External(Box::new(error)))?;
        Ok(bytes.slice(..length))
    }
}

/// Reads on from some place.
pub(in crate::dataset) struct ChunkBytes {
    file: RemoteFile,
    at: u64,
    waiting: Bytes,
}

impl Read for ChunkBytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.waiting.is_empty() && self.at < self.file.size {
            self.waiting = self.file.from(self.at, 1)?;
        }
        let count = self.waiting.len().min(buffer.len());
        self.waiting.copy_to_slice(&mut buffer[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

/// Rows whose bytes may fail to come.
struct RemoteRows {
    rows: ParquetRows,
    file: RemoteFile,
}

impl Rows for RemoteRows {
    fn next_row(&mut self, line: &mut Vec<u8>) -> io::Result<Option<Taken>> {
        let taken = self.rows.next_row(line);
        self.file.telling(taken)
    }
}
