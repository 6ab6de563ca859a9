//! Reads tables of text, CSV and TSV: the first record names the columns, every cell is a string but
//! for a list of messages in a column of chats.

use std::collections::HashSet;
use std::io::{self, Read};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use serde_json::value::RawValue;

use crate::dataset::reason::RejectReason;
use crate::dataset::rows::{KEPT_BYTES, Rows, Taken};

/// Columns of chats, whose cells may hold a list of messages as JSON text.
const CHATS: [&str; 4] = ["messages", "conversations", "chosen", "rejected"];
/// How much is asked of the source at once.
const CHUNK_BYTES: usize = 256 << 10;

/// Reads a table from a source.
pub(super) struct TableRows<R> {
    source: R,
    parser: Reader,
    buffer: Vec<u8>,
    place: usize,
    filled: usize,
    limit: usize,
    /// The columns' names, each as a JSON string with the colon behind it.
    keys: Option<Vec<String>>,
    names: Vec<String>,
    record: Record,
}

/// The cells of one record.
#[derive(Default)]
struct Record {
    text: Vec<u8>,
    ends: Vec<usize>,
    cells: usize,
    length: usize,
    /// Bytes of a record above the bound that were let go.
    dropped: u64,
    /// The line of the file where it begins, from 1.
    line: u64,
}

impl Record {
    fn cells(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let ends = self.ends[..self.cells].iter();
        starts.zip(ends).map(|(start, end)| &self.text[start..*end])
    }
}

impl<R: Read> TableRows<R> {
    /// Reads `source` from its start; records above `limit` bytes are skipped.
    pub(super) fn new(source: R, separator: u8, limit: usize) -> Self {
        Self {
            source,
            parser: ReaderBuilder::new().delimiter(separator).build(),
            buffer: vec![0; CHUNK_BYTES],
            place: 0,
            filled: 0,
            limit,
            keys: None,
            names: Vec::new(),
            record: Record {
                text: vec![0; 4096],
                ends: vec![0; 64],
                ..Record::default()
            },
        }
    }

    /// Reads the next record; whether there is one.
    fn read_record(&mut self) -> io::Result<bool> {
        let record = &mut self.record;
        (record.cells, record.length, record.dropped) = (0, 0, 0);
        record.line = self.parser.line();
        loop {
            if self.place == self.filled {
                (self.place, self.filled) = (0, read_some(&mut self.source, &mut self.buffer)?);
            }
            let (result, taken, written, ended) = self.parser.read_record(
                &self.buffer[self.place..self.filled],
                &mut record.text[record.length..],
                &mut record.ends[record.cells..],
            );
            self.place += taken;
            record.length += written;
            record.cells += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if record.text.len() > self.limit => {
                    // Enough stays to show how it begins.
                    record.dropped += (record.length - KEPT_BYTES) as u64;
                    record.length = KEPT_BYTES;
                }
                ReadRecordResult::OutputFull => record.text.resize(record.text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => record.ends.resize(record.ends.len() * 2, 0),
                ReadRecordResult::Record => return Ok(true),
                ReadRecordResult::End => return Ok(false),
            }
        }
    }

    /// Reads the names of the columns; whether there are any.
    fn read_header(&mut self) -> io::Result<bool> {
        if !self.read_record()? {
            return Ok(false);
        }
        if self.record.dropped > 0 {
            return Err(unreadable(
                "its header is longer than a row may be".to_owned(),
            ));
        }
        let mut seen = HashSet::new();
        for cell in self.record.cells() {
            let Ok(name) = std::str::from_utf8(cell) else {
                return Err(unreadable("its header is not valid UTF-8".to_owned()));
            };
            if !seen.insert(name) {
                let name = name.escape_debug();
                return Err(unreadable(format!("its header has two columns `{name}`")));
            }
            self.names.push(name.to_owned());
        }
        let keys = self.names.iter().map(|name| {
            let mut key = serde_json::to_string(name).expect("a text is JSON");
            key.push(':');
            key
        });
        self.keys = Some(keys.collect());
        Ok(true)
    }

    /// Writes the record as an object, or says which cell is no text.
    fn write_object(&self, line: &mut Vec<u8>) -> Result<(), RejectReason> {
        let keys = self.keys.as_deref().unwrap_or_default();
        for (number, (cell, key)) in self.record.cells().zip(keys).enumerate() {
            let Ok(text) = std::str::from_utf8(cell) else {
                let column = self.names[number].clone();
                return Err(RejectReason::CellNotUtf8 { column });
            };
            line.push(if number == 0 { b'{' } else { b',' });
            line.extend_from_slice(key.as_bytes());
            if is_chat(&self.names[number], text) {
                // A list has line breaks between its values alone.
                line.extend(text.bytes().map(|byte| match byte {
                    b'\n' | b'\r' => b' ',
                    byte => byte,
                }));
            } else {
                serde_json::to_writer(&mut *line, text).expect("a text is JSON");
            }
        }
        line.push(b'}');
        Ok(())
    }
}

impl<R: Read + Send> Rows for TableRows<R> {
    fn next_row(&mut self, line: &mut Vec<u8>) -> io::Result<Option<Taken>> {
        line.clear();
        if (self.keys.is_none() && !self.read_header()?) || !self.read_record()? {
            return Ok(None);
        }
        let record = &self.record;
        let length = record.dropped + record.length as u64;
        if length > self.limit as u64 {
            line.extend_from_slice(&record.text[..KEPT_BYTES.min(record.length)]);
            return Ok(Some(Taken::TooLong(length)));
        }
        let bad = if record.cells == self.names.len() {
            self.write_object(line).err()
        } else {
            Some(RejectReason::Ragged {
                cells: record.cells,
                columns: self.names.len(),
                line: record.line,
            })
        };
        Ok(Some(match bad {
            None => Taken::Whole,
            Some(reason) => {
                line.clear();
                let cells: Vec<&[u8]> = record.cells().collect();
                line.extend_from_slice(&cells.join(&b", "[..]));
                Taken::Bad(reason)
            }
        }))
    }
}

/// Whether a cell holds a list of messages, as a table is written that had one.
fn is_chat(column: &str, text: &str) -> bool {
    let begins = text.trim_start().strip_prefix('[');
    let begins = begins.is_some_and(|rest| rest.trim_start().starts_with('{'));
    CHATS.contains(&column) && begins && serde_json::from_str::<&RawValue>(text).is_ok()
}

fn read_some(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

fn unreadable(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::format::Format;
    use crate::dataset::rows::tests::all;

    fn rows(text: &[u8]) -> Vec<Result<String, String>> {
        all(text, Some(Format::Csv)).unwrap()
    }

    #[expect(clippy::unnecessary_wraps, reason = "stands beside rows that are none")]
    fn good(line: &str) -> Result<String, String> {
        Ok(line.to_owned())
    }

    #[test]
    fn every_cell_is_a_string() {
        let text =
            b"\xef\xbb\xbfid,\"the \"\"prompt\"\"\",answer\r\n1,\"a, b\nc\",\r\n\r\n2,NULL,\"\"\n";
        assert_eq!(
            rows(text),
            [
                good(r#"{"id":"1","the \"prompt\"":"a, b\nc","answer":""}"#),
                good(r#"{"id":"2","the \"prompt\"":"NULL","answer":""}"#),
            ]
        );
        let tabs = all(b"a\tb\n1,2\t\"x\ty\"\n", Some(Format::Tsv)).unwrap();
        assert_eq!(tabs, [good(r#"{"a":"1,2","b":"x\ty"}"#)]);
        assert!(rows(b"").is_empty() && rows(b"a,b\n").is_empty());
        let wide: Vec<String> = (0..200).map(|n| n.to_string()).collect();
        let wide = format!("{0}\n{0}", wide.join(","));
        assert_eq!(
            TableRows::new(wide.as_bytes(), b',', 1000).count_cells(),
            200
        );
    }

    #[test]
    fn a_list_of_messages_is_read_in_a_column_of_chats_alone() {
        let text = b"messages,note\n\"[\n {\"\"role\"\": \"\"user\"\", \"\"content\"\": \"\"a\\nb\"\"}]\",[{}]\n\
                     [{not JSON,x\nplain,y\n";
        assert_eq!(
            rows(text),
            [
                good(r#"{"messages":[  {"role": "user", "content": "a\nb"}],"note":"[{}]"}"#),
                good(r#"{"messages":"[{not JSON","note":"x"}"#),
                good(r#"{"messages":"plain","note":"y"}"#),
            ]
        );
    }

    impl<R: Read + Send> TableRows<R> {
        fn count_cells(mut self) -> usize {
            let mut line = Vec::new();
            assert_eq!(self.next_row(&mut line).unwrap(), Some(Taken::Whole));
            self.names.len()
        }
    }

    #[test]
    fn a_bad_row_costs_itself_alone() {
        let mut text = b"a,b\n1,2\n3\n\n4,5,6\ncaf\xe9,7\n\"x\ny\",8\n9\n".to_vec();
        text.extend(format!("{},1\n10,11\n", "z".repeat(10_000)).bytes());
        let ragged = |cells: &str, line: u64| {
            Err(format!(
                "has {cells} where the header has 2 columns (line {line} of the file)"
            ))
        };
        assert_eq!(
            rows(&text),
            [
                good(r#"{"a":"1","b":"2"}"#),
                ragged("1 cell", 3),
                ragged("3 cells", 4),
                Err("the cell in the column `a` is not valid UTF-8".to_owned()),
                good(r#"{"a":"x\ny","b":"8"}"#),
                ragged("1 cell", 9),
                Err("10001 bytes".to_owned()),
                good(r#"{"a":"10","b":"11"}"#),
            ]
        );
        assert_eq!(rows(b"a,b\n1,\"open"), [good(r#"{"a":"1","b":"open"}"#)]);
    }

    #[test]
    fn a_header_that_names_nothing_twice() {
        let error = all(b"a,b,a\n1,2,3\n", Some(Format::Csv)).unwrap_err();
        assert_eq!(error.to_string(), "its header has two columns `a`");
        let error = all(b"caf\xe9\n1\n", Some(Format::Csv)).unwrap_err();
        assert_eq!(error.to_string(), "its header is not valid UTF-8");
    }
}
