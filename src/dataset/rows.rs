//! What every format gives: its rows in order, each as one line of JSON text.
//!
//! That line is the canonical form of a row. Recognising columns, rejecting, resuming and writing
//! back know no other, so a format is a reader of it and nothing more.

use std::io::{self, Read};

use crate::dataset::array_rows::ArrayRows;
use crate::dataset::format::{Compression, Format, PARQUET_MAGIC, foreign_magic};
use crate::dataset::lines::{Content, LineReader};
use crate::dataset::reason::RejectReason;
use crate::dataset::table_rows::TableRows;
use crate::dataset::unpack::unpack;

/// How much of a row above the bound is kept, to show how it begins.
pub(super) const KEPT_BYTES: usize = 512;

/// How much white space may stand before what says whether a file is one array.
const MOST_SPACE: usize = 64 << 10;

/// Reads the rows of one file.
pub(super) trait Rows: Send {
    /// Reads the next row into `line`, whose old content goes, or gives nothing at the end.
    ///
    /// # Errors
    ///
    /// When the file cannot be read on. `InvalidData` says that it is damaged.
    fn next_row(&mut self, line: &mut Vec<u8>) -> io::Result<Option<Taken>>;
}

/// What a row turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// The line holds it.
    Whole,
    /// It is longer than the bound, in bytes; the line holds how it begins.
    TooLong(u64),
    /// It cannot be put as a line of JSON; the line holds something of it to show.
    Bad(RejectReason),
}

/// Begins to read rows from a stream of text, packed or not. Without a format, the bytes say
/// whether they are lines or one array, and packed or not.
pub(super) fn text_rows(
    mut stream: Box<dyn Read + Send>,
    format: Option<Format>,
    mut compression: Compression,
    limit: usize,
) -> io::Result<Box<dyn Rows>> {
    if format.is_none() && compression == Compression::None {
        let start = read_start(&mut stream, 6)?;
        if let Some(found) = is_no_text(&start) {
            return Err(io::Error::new(io::ErrorKind::Unsupported, found));
        }
        compression = Compression::of_magic(&start);
        stream = Box::new(io::Cursor::new(start).chain(stream));
    }
    let mut text = unpack(stream, compression)?;
    Ok(match format {
        Some(Format::Csv) => Box::new(TableRows::new(text, b',', limit)),
        Some(Format::Tsv) => Box::new(TableRows::new(text, b'\t', limit)),
        Some(Format::JsonLines) => Box::new(LineRows::new(text, limit)),
        Some(Format::Json | Format::Parquet) | None => {
            let start = read_to_value(&mut text)?;
            let is_array = first_of_value(&start) == Some(b'[');
            let text = io::Cursor::new(start).chain(text);
            if is_array {
                Box::new(ArrayRows::new(text, limit))
            } else {
                Box::new(LineRows::new(text, limit))
            }
        }
    })
}

fn is_no_text(start: &[u8]) -> Option<String> {
    if start.starts_with(PARQUET_MAGIC) {
        return Some("it is Parquet, which cannot be read from a stream".to_owned());
    }
    foreign_magic(start).map(|format| format!("it is {format}, which is not read"))
}

/// Whether the first thing in a text is the bracket that begins an array.
pub(super) fn begins_with_bracket(text: impl Read) -> io::Result<bool> {
    let start = read_to_value(&mut io::BufReader::new(text))?;
    Ok(first_of_value(&start) == Some(b'['))
}

/// Reads `count` bytes, or what there is.
pub(super) fn read_start(stream: &mut impl Read, count: u64) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    stream.take(count).read_to_end(&mut start)?;
    Ok(start)
}

/// Reads up to the first byte that is no white space and no part of a byte order mark.
fn read_to_value(text: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    let mut byte = [0];
    while start.len() < MOST_SPACE && first_of_value(&start).is_none() {
        match text.read(&mut byte) {
            Ok(0) => break,
            Ok(_) => start.push(byte[0]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(start)
}

fn first_of_value(start: &[u8]) -> Option<u8> {
    let in_mark = |byte: u8| matches!(byte, 0xef | 0xbb | 0xbf);
    let mut bytes = start.iter().copied();
    bytes.find(|byte| !byte.is_ascii_whitespace() && !in_mark(*byte))
}

/// Rows that stand one in a line.
struct LineRows<R> {
    lines: LineReader<R>,
}

impl<R: Read> LineRows<R> {
    fn new(text: R, limit: usize) -> Self {
        Self {
            lines: LineReader::new(text, limit),
        }
    }
}

impl<R: Read + Send> Rows for LineRows<R> {
    fn next_row(&mut self, line: &mut Vec<u8>) -> io::Result<Option<Taken>> {
        line.clear();
        Ok(self.lines.next_line()?.map(|found| match found.content {
            Content::Whole(bytes) => {
                line.extend_from_slice(bytes);
                Taken::Whole
            }
            Content::TooLong { start, length } => {
                line.extend_from_slice(start);
                Taken::TooLong(length)
            }
        }))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Every row of a text, or why it is none.
    pub(in crate::dataset) fn all(
        text: &[u8],
        format: Option<Format>,
    ) -> io::Result<Vec<Result<String, String>>> {
        let stream = Box::new(io::Cursor::new(text.to_vec()));
        let mut rows = text_rows(stream, format, Compression::None, 100)?;
        let (mut found, mut line) = (Vec::new(), Vec::new());
        while let Some(taken) = rows.next_row(&mut line)? {
            found.push(match taken {
                Taken::Whole => Ok(String::from_utf8(line.clone()).unwrap()),
                Taken::TooLong(length) => Err(format!("{length} bytes")),
                Taken::Bad(reason) => Err(reason.to_string()),
            });
        }
        Ok(found)
    }

    #[test]
    fn bytes_say_whether_they_are_lines_or_an_array() {
        let lines = all(b" \n{\"a\":1}\n{\"a\":2}\n", None).unwrap();
        assert_eq!(lines[1], Ok("{\"a\":1}".to_owned()));
        let array = all(b"\xef\xbb\xbf\n [{\"a\":1}]", Some(Format::Json)).unwrap();
        assert_eq!(array, [Ok("{\"a\":1}".to_owned())]);
        let packed = zstd::encode_all(&b"[{\"a\":1}, {\"a\":2}]"[..], 1).unwrap();
        assert_eq!(all(&packed, None).unwrap().len(), 2);
        assert!(all(b"", None).unwrap().is_empty());
        let error = all(b"PAR1\0\0\0", None).unwrap_err().to_string();
        assert!(error.contains("cannot be read from a stream"), "{error}");
        let error = all(b"PK\x03\x04...", None).unwrap_err().to_string();
        assert_eq!(error, "it is ZIP, which is not read");
    }
}
