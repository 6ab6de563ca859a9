//! Reading the calls of a run into a journal.

use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use super::line::{FORMAT, Header, Line};
use crate::dataset::{SourceError, open_text};
use crate::model::journal::{Journal, JournalError, JournalledCall};

/// How many calls are handed to the journal at once.
const BATCH: usize = 256;

/// A file of calls could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It cannot be opened.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// It cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A line of it is wrong.
    #[error("{}, line {line}: {what}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// The journal cannot be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Reads a file of calls into a journal; gives its first line.
///
/// # Errors
///
/// When it cannot be read, was cut short, or a call in it is not the one of its key.
pub async fn load(path: &Path, journal: &dyn Journal) -> Result<Header, LoadError> {
    let mut lines = Lines {
        path: path.to_owned(),
        text: open_text(path)?,
        number: 0,
    };
    let first = lines.next()?.unwrap_or_default();
    let header: Header = serde_json::from_str(&first)
        .map_err(|error| lines.wrong(format!("this is no file of calls: {error}")))?;
    if header.format != FORMAT {
        let what = format!(
            "the format is {:?}, and this redraft reads {FORMAT}",
            header.format
        );
        return Err(lines.wrong(what));
    }
    let (mut calls, mut batch) = (0, Vec::new());
    loop {
        let Some(text) = lines.next()? else {
            return Err(lines.wrong("its end is missing: the file was cut short".to_owned()));
        };
        let line: Line =
            serde_json::from_str(&text).map_err(|error| lines.wrong(error.to_string()))?;
        match line {
            Line::Note { model, name, value } => journal.set_note(&model, &name, &value).await?,
            Line::Call(line) => {
                let call = line.into_call().ok_or_else(|| {
                    lines.wrong(
                        "the request is not the one of its key, or there is no reply".to_owned(),
                    )
                })?;
                calls += 1;
                batch.push(call);
                if batch.len() == BATCH {
                    keep(journal, std::mem::take(&mut batch)).await?;
                }
            }
            Line::End { calls: said } => {
                if said != calls {
                    return Err(
                        lines.wrong(format!("it should have {said} calls, and has {calls}"))
                    );
                }
                keep(journal, batch).await?;
                return Ok(header);
            }
        }
    }
}

async fn keep(journal: &dyn Journal, calls: Vec<JournalledCall>) -> Result<(), LoadError> {
    let keeping = stream::iter(calls).map(|call| journal.keep(call));
    keeping
        .buffer_unordered(BATCH)
        .try_for_each(|_| async { Ok(()) })
        .await?;
    Ok(())
}

struct Lines {
    path: PathBuf,
    text: Box<dyn BufRead + Send>,
    number: u64,
}

impl Lines {
    fn next(&mut self) -> Result<Option<String>, LoadError> {
        let mut line = String::new();
        let read = self.text.read_line(&mut line);
        let length = read.map_err(|source| LoadError::Read {
            path: self.path.clone(),
            source,
        })?;
        self.number += 1;
        Ok((length > 0).then_some(line))
    }

    fn wrong(&self, what: String) -> LoadError {
        LoadError::Line {
            path: self.path.clone(),
            line: self.number,
            what,
        }
    }
}
