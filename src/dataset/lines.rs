//! A bounded reader of lines: it knows where each line stands, and the digest of all bytes before it.
//!
//! Memory holds one line, and of a line above the bound only its beginning.

use std::io::{self, Read};
use std::ops::Range;

use crate::dataset::position::{CHUNK_BYTES, Position};
use crate::digest::Digest;

/// How much of a line above the bound is kept, to show how it begins.
const KEPT_BYTES: usize = 512;

/// One line of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Its number, from 1; empty lines count.
    pub(super) number: u64,
    /// Where the next line begins, in bytes from the start of the source.
    pub(super) end: u64,
    /// What it holds.
    pub(super) content: Content<'a>,
}

/// What a line holds, without the characters that end it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content<'a> {
    /// All its bytes.
    Whole(&'a [u8]),
    /// The line is longer than the bound: how it begins, and its length.
    TooLong {
        /// The first bytes.
        start: &'a [u8],
        /// The length in bytes.
        length: u64,
    },
}

/// Reads lines that end in LF or CRLF, or with the source.
#[derive(Debug)]
pub(super) struct LineReader<R> {
    source: R,
    limit: usize,
    buffer: Vec<u8>,
    /// Bytes of the buffer that belong to lines given out already, or are skipped.
    consumed: usize,
    /// Bytes of the buffer that are in the hash; never more than are consumed.
    hashed: usize,
    filled: usize,
    ended: bool,
    lines: u64,
    bytes: u64,
    hasher: blake3::Hasher,
    kept: Vec<u8>,
}

/// A line found: as a place in the buffer, so that finding it does not borrow the reader.
enum Found {
    Whole(Range<usize>),
    TooLong(u64),
}

impl<R: Read> LineReader<R> {
    /// Reads `source` from its start; lines above `limit` bytes are skipped.
    pub(super) fn new(source: R, limit: usize) -> Self {
        Self {
            source,
            limit,
            buffer: vec![0; CHUNK_BYTES],
            consumed: 0,
            hashed: 0,
            filled: 0,
            ended: false,
            lines: 0,
            bytes: 0,
            hasher: blake3::Hasher::new(),
            kept: Vec::new(),
        }
    }

    /// The next line, or nothing at the end.
    ///
    /// # Errors
    ///
    /// When the source cannot be read.
    pub(super) fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        let Some(found) = self.find_line()? else {
            return Ok(None);
        };
        self.lines += 1;
        let content = match found {
            Found::Whole(place) => Content::Whole(&self.buffer[place]),
            Found::TooLong(length) => Content::TooLong {
                start: &self.kept,
                length,
            },
        };
        Ok(Some(Line {
            number: self.lines,
            end: self.bytes,
            content,
        }))
    }

    /// Where the reader stands: the lines given out so far, their bytes and the digest of those.
    pub(super) fn position(&mut self) -> Position {
        self.hash_consumed();
        Position {
            lines: self.lines,
            bytes: self.bytes,
            digest: Digest::from_hash(self.hasher.finalize()),
        }
    }

    /// The source, for whoever moves it before the first line is read.
    pub(super) fn source_mut(&mut self) -> &mut R {
        &mut self.source
    }

    /// Goes on at a place to which the source has been moved, with the hash of what stands before.
    pub(super) fn stand_at(&mut self, position: &Position, hasher: blake3::Hasher) {
        self.consumed = 0;
        self.hashed = 0;
        self.filled = 0;
        self.ended = false;
        self.lines = position.lines;
        self.bytes = position.bytes;
        self.hasher = hasher;
    }

    /// Goes on at the start, to which the source has been moved.
    pub(super) fn stand_at_start(&mut self) {
        let start = Position {
            lines: 0,
            bytes: 0,
            digest: Digest::of(b""),
        };
        self.stand_at(&start, blake3::Hasher::new());
    }

    /// How many lines were given out.
    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    fn find_line(&mut self) -> io::Result<Option<Found>> {
        let mut searched = self.consumed;
        loop {
            let fresh = &self.buffer[searched..self.filled];
            if let Some(place) = memchr::memchr(b'\n', fresh) {
                return Ok(Some(self.take_line(searched + place, 1)));
            }
            let length = self.filled - self.consumed;
            if self.ended {
                return Ok((length > 0).then(|| self.take_line(self.filled, 0)));
            }
            // One byte more may be a carriage return, which does not count.
            if length > self.limit.saturating_add(1) {
                return self.skip_line().map(Some);
            }
            self.fill()?;
            searched = self.consumed + length;
        }
    }

    /// Consumes the line that reaches up to `end` in the buffer, and its terminator.
    fn take_line(&mut self, end: usize, terminator: usize) -> Found {
        let start = self.consumed;
        let line = &self.buffer[start..end];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let length = line.len();
        if length > self.limit {
            keep_start(&mut self.kept, line);
        }
        self.consume_to(end + terminator);
        if length > self.limit {
            Found::TooLong(length as u64)
        } else {
            Found::Whole(start..start + length)
        }
    }

    /// Consumes a line that is longer than the buffer may grow, piece by piece.
    fn skip_line(&mut self) -> io::Result<Found> {
        keep_start(&mut self.kept, &self.buffer[self.consumed..self.filled]);
        let begin = self.bytes;
        let mut after_return = false;
        loop {
            let fresh = &self.buffer[self.consumed..self.filled];
            let newline = memchr::memchr(b'\n', fresh);
            let rest = &fresh[..newline.unwrap_or(fresh.len())];
            after_return = rest.last().map_or(after_return, |byte| *byte == b'\r');
            let end = self.consumed + rest.len();
            if newline.is_some() || self.ended {
                let length = self.bytes + rest.len() as u64 - begin - u64::from(after_return);
                self.consume_to(end + usize::from(newline.is_some()));
                return Ok(Found::TooLong(length));
            }
            self.consume_to(end);
            self.fill()?;
        }
    }

    fn consume_to(&mut self, place: usize) {
        self.bytes += (place - self.consumed) as u64;
        self.consumed = place;
    }

    fn hash_consumed(&mut self) {
        self.hasher.update(&self.buffer[self.hashed..self.consumed]);
        self.hashed = self.consumed;
    }

    /// Reads on, after making room by dropping what is consumed or by growing.
    fn fill(&mut self) -> io::Result<()> {
        self.hash_consumed();
        self.buffer.copy_within(self.consumed..self.filled, 0);
        self.filled -= self.consumed;
        self.consumed = 0;
        self.hashed = 0;
        if self.filled == self.buffer.len() {
            // Past the bound, room to see that a line exceeds it is enough.
            let enough = self.limit.saturating_add(2);
            let larger = (self.buffer.len() * 2).min(enough.max(self.buffer.len() + 1));
            self.buffer.resize(larger, 0);
        }
        loop {
            match self.source.read(&mut self.buffer[self.filled..]) {
                Ok(0) => self.ended = true,
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            return Ok(());
        }
    }
}

fn keep_start(kept: &mut Vec<u8>, line: &[u8]) {
    kept.clear();
    kept.extend_from_slice(&line[..line.len().min(KEPT_BYTES)]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives a few bytes at a time, and is interrupted now and then.
    struct Dribble<'a> {
        bytes: &'a [u8],
        step: usize,
        interrupted: bool,
    }

    impl Read for Dribble<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.interrupted = !self.interrupted;
            if self.interrupted {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let count = self.step.min(self.bytes.len()).min(buffer.len());
            let (now, later) = self.bytes.split_at(count);
            buffer[..count].copy_from_slice(now);
            self.bytes = later;
            Ok(count)
        }
    }

    fn read_all<R: Read>(mut reader: LineReader<R>) -> Vec<(u64, u64, Result<Vec<u8>, u64>)> {
        let mut lines = Vec::new();
        while let Some(line) = reader.next_line().unwrap() {
            let content = match line.content {
                Content::Whole(bytes) => Ok(bytes.to_vec()),
                Content::TooLong { length, .. } => Err(length),
            };
            lines.push((line.number, line.end, content));
        }
        lines
    }

    fn texts(source: &[u8]) -> Vec<String> {
        read_all(LineReader::new(source, 100))
            .into_iter()
            .map(|(_, _, content)| String::from_utf8(content.unwrap()).unwrap())
            .collect()
    }

    #[test]
    fn line_ends_are_not_content() {
        assert_eq!(texts(b"a\nb\r\n\nc"), ["a", "b", "", "c"]);
        assert_eq!(texts(b"a\n"), ["a"]);
        assert!(texts(b"").is_empty());
    }

    #[test]
    fn a_line_above_the_bound_is_skipped_to_its_end() {
        for ending in [&b"\n"[..], b"\r\n"] {
            for length in [9_usize, 10, 11, 12, 13, 14, 15, 2_000] {
                let mut source = vec![b'x'; length];
                source.extend_from_slice(ending);
                source.extend_from_slice(b"ok");
                let dribble = Dribble {
                    bytes: &source,
                    step: 3,
                    interrupted: false,
                };
                let lines = read_all(LineReader::new(dribble, 10));
                let first = if length > 10 {
                    Err(length as u64)
                } else {
                    Ok(vec![b'x'; length])
                };
                let end = (length + ending.len()) as u64;
                assert_eq!(lines[0], (1, end, first), "{length} {ending:?}");
                assert_eq!(lines[1], (2, end + 2, Ok(b"ok".to_vec())));
            }
        }
    }

    #[test]
    fn a_line_of_fifty_megabytes_takes_no_memory_to_skip() {
        let source = io::repeat(b'x').take(50 << 20).chain(&b"\nok\n"[..]);
        let mut reader = LineReader::new(source, 4 << 20);
        let line = reader.next_line().unwrap().unwrap();
        let Content::TooLong { start, length } = line.content else {
            panic!("a long line was read whole");
        };
        assert_eq!((start.len(), length), (KEPT_BYTES, 50 << 20));
        assert!(reader.buffer.len() <= (4 << 20) + 2);
        let line = reader.next_line().unwrap().unwrap();
        assert_eq!(line.content, Content::Whole(b"ok"));
    }

    proptest! {
        #[test]
        fn however_the_bytes_arrive_the_lines_and_digests_are_the_same(
            source in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b'x'), any::<u8>()], 0..200),
            step in 1_usize..40,
            limit in 1_usize..20,
        ) {
            let dribble = Dribble { bytes: &source, step, interrupted: false };
            let whole = read_all(LineReader::new(&source[..], limit));
            prop_assert_eq!(&read_all(LineReader::new(dribble, limit)), &whole);

            let mut reader = LineReader::new(&source[..], limit);
            while let Some(line) = reader.next_line().unwrap() {
                let end = usize::try_from(line.end).unwrap();
                let position = reader.position();
                prop_assert_eq!(position.digest, Digest::of(&source[..end]));
                prop_assert_eq!(position.bytes, end as u64);
            }
            prop_assert_eq!(reader.position().bytes, source.len() as u64);
        }
    }
}
