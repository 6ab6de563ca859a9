//! Writes an object as if it were a file: in parts, so that only a few of them are in memory.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::depot::{Depot, Parts};
use super::error::RemoteError;
use super::wait::{Pending, start, wait};

/// How large a part is: ten thousand of them, the most there may be, make 156 GiB.
const PART_BYTES: usize = 16 << 20;
/// How many parts are on their way at once.
const ON_THEIR_WAY: usize = 2;
/// How long giving up may take.
const ABORT_LIMIT: Duration = Duration::from_secs(5);

/// A new object on its way. Nothing of it is seen before it is committed; unless it is, it goes
/// without a trace.
pub(in crate::dataset) struct Upload {
    shown: PathBuf,
    depot: Arc<dyn Depot>,
    key: String,
    buffer: Vec<u8>,
    /// Absent while all of it fits into one part.
    parts: Option<Box<dyn Parts>>,
    sent: VecDeque<Pending<()>>,
}

impl Upload {
    /// Begins an object.
    pub(super) fn new(shown: PathBuf, depot: Arc<dyn Depot>, key: String) -> Self {
        Self {
            shown,
            depot,
            key,
            buffer: Vec::new(),
            parts: None,
            sent: VecDeque::new(),
        }
    }

    /// Sends all that there is, so that nothing but committing is left.
    ///
    /// # Errors
    ///
    /// When the server does not take it.
    pub(in crate::dataset) fn send_all(&mut self) -> Result<(), RemoteError> {
        if self.parts.is_none() || !self.buffer.is_empty() {
            self.send_part()?;
        }
        while let Some(oldest) = self.sent.pop_front() {
            oldest.end()?;
        }
        Ok(())
    }

    /// Makes the object appear.
    ///
    /// # Errors
    ///
    /// When the server does not take it.
    pub(in crate::dataset) fn commit(mut self) -> Result<(), RemoteError> {
        if self.parts.is_none() {
            let (depot, key) = (Arc::clone(&self.depot), self.key.clone());
            let bytes = Bytes::from(std::mem::take(&mut self.buffer));
            return wait(async move { depot.put(&key, bytes).await });
        }
        if !self.buffer.is_empty() || !self.sent.is_empty() {
            self.send_all()?;
        }
        let Some(mut parts) = self.parts.take() else {
            return Ok(());
        };
        let (result, parts) = wait(async move {
            let result = parts.complete().await;
            Ok((result, parts))
        })?;
        if result.is_err() {
            self.parts = Some(parts);
        }
        result
    }

    fn send_part(&mut self) -> Result<(), RemoteError> {
        let parts = match &mut self.parts {
            Some(parts) => parts,
            none => {
                let (depot, key) = (Arc::clone(&self.depot), self.key.clone());
                none.insert(wait(async move { depot.begin(&key).await })?)
            }
        };
        while self.sent.len() >= ON_THEIR_WAY
            && let Some(oldest) = self.sent.pop_front()
        {
            oldest.end()?;
        }
        let part = std::mem::take(&mut self.buffer);
        self.sent.push_back(start(parts.put(part.into())));
        Ok(())
    }
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.is_empty() && self.parts.is_some() {
            self.buffer.reserve_exact(PART_BYTES);
        }
        let room = PART_BYTES - self.buffer.len();
        let taken = room.min(bytes.len());
        self.buffer.extend_from_slice(&bytes[..taken]);
        if self.buffer.len() == PART_BYTES {
            self.send_part()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let Some(mut parts) = self.parts.take() {
            self.sent.clear();
            let aborting = wait(async move {
                // What cannot be removed now is removed by the rules of the bucket.
                let _ = tokio::time::timeout(ABORT_LIMIT, parts.abort()).await;
                Ok(())
            });
            let _ = aborting;
        }
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.shown;
        formatter
            .debug_struct("Upload")
            .field("shown", shown)
            .finish_non_exhaustive()
    }
}
