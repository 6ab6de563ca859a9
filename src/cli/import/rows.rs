//! The traces of a file: one a line, or all in one JSON list.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::value::RawValue;

/// The longest line that is read.
const MOST_BYTES: u64 = 64 << 20;

/// One trace, as it stands in the file.
#[derive(Debug)]
pub(super) struct Row {
    /// Its line; in a list, its place; from 1.
    pub(super) line: u64,
    pub(super) text: Vec<u8>,
}

/// The traces of a file.
#[derive(Debug)]
pub(super) struct Rows {
    path: PathBuf,
    reader: BufReader<File>,
    line: u64,
    /// What is left of a list; absent where each trace has its line.
    list: Option<VecDeque<Row>>,
}

impl Rows {
    /// Opens a file. A list is read whole; lines are read as they are needed.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let cannot = || format!("cannot read {}", path.display());
        let mut reader = BufReader::new(File::open(path).with_context(cannot)?);
        let first = reader.fill_buf().with_context(cannot)?;
        let first = first.iter().find(|byte| !byte.is_ascii_whitespace());
        let list = if first == Some(&b'[') {
            let list: Vec<Box<RawValue>> =
                serde_json::from_reader(&mut reader).with_context(cannot)?;
            let rows = (1..).zip(list).map(|(line, raw)| Row {
                line,
                text: raw.get().as_bytes().to_vec(),
            });
            Some(rows.collect())
        } else {
            None
        };
        Ok(Self {
            path: path.to_path_buf(),
            reader,
            line: 0,
            list,
        })
    }

    /// The next traces, at most so many; none at the end.
    pub(super) fn take(&mut self, most: usize) -> anyhow::Result<Vec<Row>> {
        if let Some(list) = &mut self.list {
            let count = most.min(list.len());
            return Ok(list.drain(..count).collect());
        }
        let mut rows = Vec::new();
        while rows.len() < most {
            match self.next_line()? {
                Some(row) if row.text.trim_ascii().is_empty() => {}
                Some(row) => rows.push(row),
                None => break,
            }
        }
        Ok(rows)
    }

    fn next_line(&mut self) -> anyhow::Result<Option<Row>> {
        let mut text = Vec::new();
        let mut limited = (&mut self.reader).take(MOST_BYTES);
        let length = limited
            .read_until(b'\n', &mut text)
            .with_context(|| format!("cannot read {}", self.path.display()))?;
        if length == 0 {
            return Ok(None);
        }
        self.line += 1;
        if length as u64 == MOST_BYTES {
            anyhow::bail!(
                "line {} of {} is longer than {} MiB",
                self.line,
                self.path.display(),
                MOST_BYTES >> 20
            );
        }
        Ok(Some(Row {
            line: self.line,
            text,
        }))
    }
}
