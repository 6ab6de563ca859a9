//! One object that was found: how long it is, what names its content, and how it begins and ends.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::{StreamExt as _, TryStreamExt as _, future};

use super::body::Chunks;
use super::depot::{Depot, Opened};
use super::error::RemoteError;
use super::patience::Patience;
use super::wait::wait;

/// How much of its beginning is kept: enough to see what it is.
const START_BYTES: u64 = 4 << 10;
/// How much of the end of a Parquet file is kept.
const END_BYTES: u64 = 4;

/// An object on another machine, as it was when it was found.
#[derive(Clone)]
pub(in crate::dataset) struct Object {
    shown: PathBuf,
    depot: Arc<dyn Depot>,
    key: String,
    size: Option<u64>,
    version: Option<String>,
    start: Bytes,
    end: Bytes,
}

impl Object {
    /// Looks at the object `key`, which messages call `shown`; with `magic`, also at its end if it
    /// begins so.
    ///
    /// # Errors
    ///
    /// When there is no such object, or the server does not give it.
    pub(super) async fn find(
        shown: PathBuf,
        depot: Arc<dyn Depot>,
        key: String,
        magic: &'static [u8],
    ) -> Result<Self, RemoteError> {
        let mut object = Self {
            shown,
            depot,
            key,
            size: None,
            version: None,
            start: Bytes::new(),
            end: Bytes::new(),
        };
        let mut patience = Patience::new();
        object.start = loop {
            match object.first_look().await {
                Ok(start) => break start,
                Err(error) => patience.again(error).await?,
            }
        };
        if object.start.starts_with(magic)
            && let Some(size) = object.size
        {
            let end = size.saturating_sub(END_BYTES)..size;
            object.end = object.clone().read_range(end).await?;
        }
        Ok(object)
    }

    /// Its address, as it may be shown.
    pub(in crate::dataset) fn path(&self) -> &Path {
        &self.shown
    }

    /// How long it is, in bytes, where the server says it.
    pub(in crate::dataset) fn size(&self) -> Option<u64> {
        self.size
    }

    /// How it begins: a few thousand bytes of it, or all.
    pub(in crate::dataset) fn start(&self) -> &Bytes {
        &self.start
    }

    /// The last bytes, of a Parquet file.
    pub(in crate::dataset) fn end(&self) -> &[u8] {
        &self.end
    }

    /// A part of it.
    ///
    /// # Errors
    ///
    /// When it is gone or changed, or the server does not give it or gives it only whole.
    #[cfg(feature = "parquet")]
    pub(super) fn read_at(&self, range: Range<u64>) -> Result<Bytes, RemoteError> {
        wait(self.clone().read_range(range))
    }

    /// Its bytes from `at` on.
    ///
    /// # Errors
    ///
    /// When it is gone or changed, or the server does not give it.
    pub(super) async fn open(&self, at: u64) -> Result<Chunks, RemoteError> {
        let range = match (at, self.size) {
            (0, _) => None,
            (at, size) => Some(at..size.unwrap_or(u64::MAX)),
        };
        let opened = self.same(self.depot.read(&self.key, range).await?)?;
        let mut behind = at.saturating_sub(opened.from);
        if behind == 0 {
            return Ok(opened.chunks);
        }
        // The server gives it only whole: what was read already is passed over.
        let rest = opened.chunks.try_filter_map(move |mut chunk| {
            let passed = behind.min(chunk.len() as u64);
            behind -= passed;
            let rest = chunk.split_off(usize::try_from(passed).unwrap_or(usize::MAX));
            future::ready(Ok((!rest.is_empty()).then_some(rest)))
        });
        Ok(rest.boxed())
    }

    /// That it broke off at `at`.
    pub(super) fn broke_off(&self, at: u64) -> RemoteError {
        RemoteError::BrokeOff {
            shown: self.shown.display().to_string(),
            at,
            of: self
                .size
                .map(|size| format!(" of {size}"))
                .unwrap_or_default(),
        }
    }

    async fn first_look(&mut self) -> Result<Bytes, RemoteError> {
        let opened = self.depot.read(&self.key, Some(0..START_BYTES)).await?;
        (self.size, self.version) = (opened.size, opened.version);
        let wanted = START_BYTES.min(self.size.unwrap_or(START_BYTES));
        let start = gather(opened.chunks, wanted).await?;
        if self.size.is_some() && (start.len() as u64) < wanted {
            return Err(self.broke_off(start.len() as u64));
        }
        Ok(start)
    }

    async fn read_range(self, range: Range<u64>) -> Result<Bytes, RemoteError> {
        let wanted = range.end - range.start;
        if range.end <= self.start.len() as u64 {
            let place = |at| usize::try_from(at).unwrap_or(usize::MAX);
            return Ok(self.start.slice(place(range.start)..place(range.end)));
        }
        let mut patience = Patience::new();
        loop {
            let failure = match self.try_range(range.clone()).await {
                Ok(bytes) if bytes.len() as u64 == wanted => return Ok(bytes),
                Ok(bytes) => self.broke_off(range.start + bytes.len() as u64),
                Err(error) => error,
            };
            patience.again(failure).await?;
        }
    }

    async fn try_range(&self, range: Range<u64>) -> Result<Bytes, RemoteError> {
        let wanted = range.end - range.start;
        let from = range.start;
        let opened = self.same(self.depot.read(&self.key, Some(range)).await?)?;
        if opened.from != from {
            return Err(RemoteError::NoRanges {
                shown: self.shown.display().to_string(),
            });
        }
        gather(opened.chunks, wanted).await
    }

    /// What was opened, if it is still the same object.
    fn same(&self, opened: Opened) -> Result<Opened, RemoteError> {
        let differs = |then: Option<&str>, now: Option<&str>| {
            then.zip(now).is_some_and(|(then, now)| then != now)
        };
        let is_resized = self
            .size
            .zip(opened.size)
            .is_some_and(|(then, now)| then != now);
        if is_resized || differs(self.version.as_deref(), opened.version.as_deref()) {
            return Err(RemoteError::Changed {
                shown: self.shown.display().to_string(),
            });
        }
        Ok(opened)
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        (&self.shown, &self.key, self.size, &self.version)
            == (&other.shown, &other.key, other.size, &other.version)
    }
}

impl Eq for Object {}

/// Without the key, which may hold what is secret.
impl fmt::Debug for Object {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Object")
            .field("shown", &self.shown)
            .field("size", &self.size)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// The first `wanted` bytes, or all where there are fewer.
async fn gather(mut chunks: Chunks, wanted: u64) -> Result<Bytes, RemoteError> {
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
    let mut bytes = BytesMut::new();
    while bytes.len() < wanted {
        match chunks.next().await {
            Some(chunk) => bytes.extend_from_slice(&chunk?),
            None => break,
        }
    }
    bytes.truncate(wanted);
    Ok(bytes.freeze())
}
