//! Reads the rows of one or several files as one stream of lines, and knows its digest so far.

use std::io::{self, Read};
use std::sync::Arc;

use crate::dataset::format::Compression;
use crate::dataset::part::Part;
use crate::dataset::position::Position;
use crate::dataset::rows::{Rows, Taken, text_rows};
use crate::dataset::source_error::SourceError;
use crate::digest::Digest;

/// How much is gathered before it is hashed; enough for the hash to run at full width.
const HASHED_AT_ONCE: usize = 256 << 10;

/// Where the rows are.
pub(super) enum Origin {
    /// In files, which can be opened again.
    Parts(Arc<[Part]>),
    /// In a stream, which waits to be taken.
    Stream(Option<Box<dyn Read + Send>>),
}

/// Reads the rows of an [`Origin`].
pub(super) struct Canonical {
    name: String,
    origin: Origin,
    limit: usize,
    /// How many parts were begun.
    begun: usize,
    open: Option<Box<dyn Rows>>,
    /// The rows that the open part has given.
    in_part: u64,
    line: Vec<u8>,
    lines: u64,
    bytes: u64,
    hasher: blake3::Hasher,
    unhashed: Vec<u8>,
}

/// One row in its canonical form.
pub(super) struct CanonicalLine<'a> {
    /// Its number in all of the input, from 1.
    pub(super) number: u64,
    /// Where the next one begins, in bytes of the canonical form.
    pub(super) end: u64,
    /// The line, or of a bad row something to show.
    pub(super) bytes: &'a [u8],
    /// What it turned out to be.
    pub(super) taken: Taken,
}

/// Which row of which file was given last, where there are several files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InFile {
    pub(super) file: String,
    pub(super) unit: &'static str,
    pub(super) number: u64,
}

impl Canonical {
    /// Reads `origin`, which messages call `name`, from its first row; rows above `limit` bytes are
    /// skipped.
    pub(super) fn new(name: String, origin: Origin, limit: usize) -> Self {
        Self {
            name,
            origin,
            limit,
            begun: 0,
            open: None,
            in_part: 0,
            line: Vec::new(),
            lines: 0,
            bytes: 0,
            hasher: blake3::Hasher::new(),
            unhashed: Vec::new(),
        }
    }

    /// The next row, or nothing at the end.
    ///
    /// # Errors
    ///
    /// When a file cannot be read on.
    pub(super) fn next_line(&mut self) -> Result<Option<CanonicalLine<'_>>, SourceError> {
        let taken = loop {
            if self.open.is_none() && !self.open_next()? {
                return Ok(None);
            }
            let rows = self.open.as_mut().expect("it was opened");
            match rows.next_row(&mut self.line) {
                Ok(Some(taken)) => break taken,
                Ok(None) => self.open = None,
                Err(error) => return Err(self.failure(error)),
            }
        };
        self.in_part += 1;
        self.lines += 1;
        self.bytes += self.line.len() as u64 + 1;
        self.unhashed.extend_from_slice(&self.line);
        self.unhashed.push(b'\n');
        if self.unhashed.len() >= HASHED_AT_ONCE {
            self.hash();
        }
        Ok(Some(CanonicalLine {
            number: self.lines,
            end: self.bytes,
            bytes: &self.line,
            taken,
        }))
    }

    /// Where the reader stands: the rows given so far, the bytes of their lines and the digest of
    /// those.
    pub(super) fn position(&mut self) -> Position {
        self.hash();
        Position {
            lines: self.lines,
            bytes: self.bytes,
            digest: Digest::from_hash(self.hasher.finalize()),
        }
    }

    /// Reads on up to `position` and tells whether it is the same there; if not, the next row is
    /// the first. A stream stays where it is, since what it has given does not come again.
    ///
    /// # Errors
    ///
    /// When a file cannot be read.
    pub(super) fn resume_at(&mut self, position: &Position) -> Result<bool, SourceError> {
        let Origin::Parts(parts) = &self.origin else {
            return Ok(false);
        };
        let parts = Arc::clone(parts);
        while self.lines < position.lines && self.bytes < position.bytes {
            if self.next_line()?.is_none() {
                break;
            }
        }
        if self.position() == *position {
            return Ok(true);
        }
        *self = Self::new(
            std::mem::take(&mut self.name),
            Origin::Parts(parts),
            self.limit,
        );
        Ok(false)
    }

    /// Where in its file the row stands that was given last; absent where there is but one file.
    pub(super) fn in_file(&self) -> Option<InFile> {
        match &self.origin {
            Origin::Parts(parts) if parts.len() > 1 => {
                let part = &parts[self.begun - 1];
                let file = part.path().file_name().unwrap_or_default();
                Some(InFile {
                    file: file.to_string_lossy().into_owned(),
                    unit: part.unit(),
                    number: self.in_part,
                })
            }
            _ => None,
        }
    }

    fn hash(&mut self) {
        self.hasher.update(&self.unhashed);
        self.unhashed.clear();
    }

    /// Opens the next part; whether there is one.
    fn open_next(&mut self) -> Result<bool, SourceError> {
        let opened = match &mut self.origin {
            Origin::Parts(parts) => parts.get(self.begun).map(|part| part.rows(self.limit)),
            Origin::Stream(stream) => stream
                .take()
                .map(|stream| text_rows(stream, None, Compression::None, self.limit)),
        };
        let Some(opened) = opened else {
            return Ok(false);
        };
        self.begun += 1;
        self.in_part = 0;
        self.open = Some(opened.map_err(|error| self.failure(error))?);
        Ok(true)
    }

    fn failure(&self, error: io::Error) -> SourceError {
        let part = match &self.origin {
            Origin::Parts(parts) => self.begun.checked_sub(1).and_then(|last| parts.get(last)),
            Origin::Stream(_) => None,
        };
        let name = part.map_or_else(|| self.name.clone(), Part::name);
        let unit = part.map_or("line", Part::unit);
        SourceError::reading(&name, unit, self.in_part, error)
    }
}
