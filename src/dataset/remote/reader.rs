//! Reads an object as if it were a file; where reading breaks off, it goes on at that byte.

use std::io::{self, Read, Seek, SeekFrom};

use bytes::{Buf as _, Bytes};

use super::body::Body;
use super::error::RemoteError;
use super::object::Object;
use super::patience::Patience;
use super::wait::wait;

/// Reads an object from its start, or from where it was moved.
pub(in crate::dataset) struct RemoteReader {
    object: Object,
    /// The place of the next byte that is given.
    at: u64,
    /// Bytes that came and were not given yet.
    waiting: Bytes,
    body: Option<Body>,
    patience: Patience,
}

impl RemoteReader {
    /// Reads `object` from its start.
    pub(in crate::dataset) fn new(object: Object) -> Self {
        Self {
            object,
            at: 0,
            waiting: Bytes::new(),
            body: None,
            patience: Patience::new(),
        }
    }

    /// The next bytes behind those that wait; none at the end.
    fn more(&mut self) -> Result<Bytes, RemoteError> {
        let is_at_start = usize::try_from(self.at).ok();
        if let Some(at) =
            is_at_start.filter(|at| self.body.is_none() && *at < self.object.start().len())
        {
            return Ok(self.object.start().slice(at..));
        }
        loop {
            if self.object.size() == Some(self.at) {
                return Ok(Bytes::new());
            }
            let body = match &mut self.body {
                Some(body) => body,
                none => {
                    let body = open(&self.object, self.at, &mut self.patience)?;
                    none.insert(body)
                }
            };
            let failure = match body.next() {
                Some(Ok(chunk)) if chunk.is_empty() => continue,
                Some(Ok(chunk)) => {
                    self.patience.restore();
                    return Ok(chunk);
                }
                Some(Err(error)) if !error.may_pass() => return Err(error),
                None if self.object.size().is_none() => return Ok(Bytes::new()),
                Some(Err(_)) | None => self.object.broke_off(self.at),
            };
            self.body = None;
            pause(&mut self.patience, failure)?;
        }
    }
}

/// The bytes of an object from `at` on, asked for until they come.
fn open(object: &Object, at: u64, patience: &mut Patience) -> Result<Body, RemoteError> {
    let object = object.clone();
    let mut own = patience.clone();
    let (chunks, own) = wait(async move {
        loop {
            match object.open(at).await {
                Ok(chunks) => return Ok((chunks, own)),
                Err(error) => own.again(error).await?,
            }
        }
    })?;
    *patience = own;
    Ok(Body::new(chunks))
}

fn pause(patience: &mut Patience, failure: RemoteError) -> Result<(), RemoteError> {
    let mut own = patience.clone();
    *patience = wait(async move { own.again(failure).await.map(|()| own) })?;
    Ok(())
}

impl Read for RemoteReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.waiting.is_empty() {
            self.waiting = self.more()?;
        }
        let count = self.waiting.len().min(buffer.len());
        self.waiting.copy_to_slice(&mut buffer[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for RemoteReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self
                .object
                .size()
                .and_then(|size| size.checked_add_signed(by)),
        };
        let place = place.ok_or(io::ErrorKind::InvalidInput)?;
        if place != self.at {
            self.at = place;
            self.waiting = Bytes::new();
            self.body = None;
        }
        Ok(place)
    }
}
