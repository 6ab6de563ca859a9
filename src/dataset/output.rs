//! Writes the rows of a run, and beside them the rows that were rejected.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::dataset::format::Format;
use crate::dataset::known_columns::KnownColumns;
use crate::dataset::output_error::OutputError;
use crate::dataset::replace::remove_if_there;
use crate::dataset::row_writer::{NotAdded, RowWriter, row_writer};
use crate::dataset::shards::Shards;
use crate::dataset::sink::{Packed, Sink};
use crate::dataset::target::{Target, TargetKind};

/// How many bytes of rows are looked at for their columns before the first one is written.
const GATHERED_BYTES: usize = 8 << 20;

/// A row that was rejected, as its file tells it.
#[derive(Serialize)]
struct RejectedLine<'a> {
    line: u64,
    reason: &'a str,
    excerpt: &'a str,
}

/// Writes rows to a [`Target`]. Nothing has its name before [`Output::commit`]; without it, an
/// output that is a file leaves no trace.
///
/// Tables and Parquet must know their columns before their first row. They are found out from the
/// rows at the start; where a later one has more, the rest is read for its columns alone, and
/// [`Ended::Again`] asks for all rows once more.
pub struct Output {
    target: Target,
    columns: KnownColumns,
    place: Place,
    state: State,
    rows: u64,
    rejected_path: Option<PathBuf>,
    rejected: Option<Sink>,
}

/// How an output ended.
#[derive(Debug)]
#[must_use]
pub enum Ended {
    /// All of it is in its place.
    Whole {
        /// Where the rejected rows are, if there are any.
        rejected: Option<PathBuf>,
    },
    /// The rows have more columns than their start showed; nothing was written, and with this target
    /// they all fit.
    Again(Box<Target>),
}

impl Ended {
    /// Where the rejected rows are, of rows that are written once only.
    ///
    /// # Errors
    ///
    /// [`OutputError::MoreColumns`] when they would have to be written again.
    pub fn at_once(self) -> Result<Option<PathBuf>, OutputError> {
        match self {
            Self::Whole { rejected } => Ok(rejected),
            Self::Again(wider) => Err(OutputError::MoreColumns { path: wider.path }),
        }
    }
}

enum Place {
    /// The one sink, until it is taken.
    One(Option<Sink>),
    Shards(Shards),
}

enum State {
    /// The rows at the start, whose columns are still being found out.
    Gathering {
        rows: Vec<Vec<u8>>,
        bytes: usize,
    },
    Writing(Box<dyn RowWriter>),
    /// Rows are looked at for their columns alone.
    Learning,
}

impl Output {
    /// Begins to write.
    ///
    /// # Errors
    ///
    /// When the temporary file cannot be made, or the device not opened.
    pub fn create(target: &Target) -> Result<Self, OutputError> {
        let path = &target.path;
        let place = match (target.kind, target.rows_per_shard) {
            (TargetKind::File, None) => Sink::create(path, target.bucket.as_ref()).map(Place::one),
            (TargetKind::File, Some(_)) => {
                let shards = Shards::of(target);
                shards.begin().map(|()| Place::Shards(shards))
            }
            (TargetKind::Device, _) => open_device(path).map(Sink::direct).map(Place::one),
            (TargetKind::StandardOutput, _) => Ok(Place::one(Sink::direct(io::stdout()))),
        };
        let mut output = Self {
            place: place.map_err(|source| OutputError::writing(path, source))?,
            target: target.clone(),
            columns: target.columns.clone(),
            state: State::Gathering {
                rows: Vec::new(),
                bytes: 0,
            },
            rows: 0,
            rejected_path: target.rejected_path(),
            rejected: None,
        };
        if matches!(target.format, Format::JsonLines | Format::Json) {
            output.begin_file()?;
        }
        Ok(output)
    }

    /// Writes one row, given as a line of JSON without its end.
    ///
    /// # Errors
    ///
    /// When the disk is full, or writing fails, or the row has what the format cannot hold.
    pub fn write_row(&mut self, row: &[u8]) -> Result<(), OutputError> {
        self.rows += 1;
        match &mut self.state {
            State::Learning => {
                self.columns.learn(row);
                Ok(())
            }
            State::Writing(_) => self.add(row),
            State::Gathering { rows, bytes } => {
                self.columns.learn(row);
                rows.push(row.to_vec());
                *bytes += row.len();
                if *bytes < GATHERED_BYTES {
                    return Ok(());
                }
                self.begin()
            }
        }
    }

    /// Notes a row that was rejected. Where the output is no file, there is no place for that.
    ///
    /// # Errors
    ///
    /// When the disk is full, or writing fails.
    pub fn reject(&mut self, line: u64, reason: &str, excerpt: &str) -> Result<(), OutputError> {
        let Some(path) = &self.rejected_path else {
            return Ok(());
        };
        let mut written = || {
            let file = match &mut self.rejected {
                Some(file) => file,
                none => none.insert(Sink::create(path, self.target.bucket.as_ref())?),
            };
            let rejected = RejectedLine {
                line,
                reason,
                excerpt,
            };
            serde_json::to_writer(&mut *file, &rejected)?;
            file.write_all(b"\n")
        };
        written().map_err(|source| OutputError::writing(path, source))
    }

    /// Makes all that was written durable and gives it its name. The rejected rows come first, so
    /// that the output is never there without them; a file of rejected rows that an earlier run
    /// wrote goes when this one has none.
    ///
    /// # Errors
    ///
    /// When the disk is full, or writing fails, or a row has what the format cannot hold.
    pub fn commit(mut self) -> Result<Ended, OutputError> {
        if matches!(self.state, State::Gathering { .. }) {
            self.begin()?;
        }
        let sink = match std::mem::replace(&mut self.state, State::Learning) {
            State::Writing(writer) => self.ended(writer.finish())?,
            State::Gathering { .. } | State::Learning => None,
        };
        let Some(sink) = sink else {
            if self.columns == self.target.columns {
                let what = "its rows fit no columns".to_owned();
                return Err(self.does_not_fit(String::new(), what));
            }
            let mut target = self.target;
            target.columns = self.columns;
            return Ok(Ended::Again(Box::new(target)));
        };
        let rejected = match (self.rejected, self.rejected_path) {
            (Some(file), Some(path)) => {
                let committed = file.commit();
                committed.map_err(|source| OutputError::writing(&path, source))?;
                Some(path)
            }
            (None, Some(path)) => {
                match &self.target.bucket {
                    Some(bucket) => bucket.remove(&path)?,
                    None => remove_if_there(&path)
                        .map_err(|source| OutputError::writing(&path, source))?,
                }
                None
            }
            (_, None) => None,
        };
        let committed = match self.place {
            Place::One(_) => sink.commit(),
            Place::Shards(mut shards) => shards.close(sink).and_then(|()| shards.commit()),
        };
        committed.map_err(|source| OutputError::writing(&self.target.path, source))?;
        Ok(Ended::Whole { rejected })
    }

    /// Writes what was gathered, now that its columns are known.
    fn begin(&mut self) -> Result<(), OutputError> {
        let gathered = match &mut self.state {
            State::Gathering { rows, .. } => std::mem::take(rows),
            State::Writing(_) | State::Learning => Vec::new(),
        };
        self.begin_file()?;
        for row in gathered {
            self.add(&row)?;
        }
        Ok(())
    }

    /// Begins the only file, or the next of several.
    fn begin_file(&mut self) -> Result<(), OutputError> {
        let mut begun = || {
            let sink = match &mut self.place {
                Place::One(sink) => sink.take().ok_or(io::ErrorKind::BrokenPipe)?,
                Place::Shards(shards) => shards.next()?,
            };
            let packed = Packed::new(sink, self.target.compression)?;
            row_writer(self.target.format, packed, &self.columns)
        };
        let writer = begun().map_err(|source| OutputError::writing(&self.target.path, source))?;
        self.state = State::Writing(writer);
        Ok(())
    }

    fn add(&mut self, row: &[u8]) -> Result<(), OutputError> {
        let is_full = match &mut self.place {
            Place::Shards(shards) => shards.count_row(),
            Place::One(_) => false,
        };
        if is_full && matches!(self.state, State::Writing(_)) {
            let State::Writing(writer) = std::mem::replace(&mut self.state, State::Learning) else {
                return Ok(());
            };
            if let Some(sink) = self.ended(writer.finish())?
                && let Place::Shards(shards) = &mut self.place
            {
                let closed = shards.close(sink);
                closed.map_err(|source| OutputError::writing(&self.target.path, source))?;
                self.begin_file()?;
                if let Place::Shards(shards) = &mut self.place {
                    shards.count_row();
                }
            }
        }
        let added = match &mut self.state {
            State::Writing(writer) => writer.add(row),
            State::Gathering { .. } | State::Learning => {
                self.columns.learn(row);
                return Ok(());
            }
        };
        let misfit = match &added {
            Err(NotAdded::Misfit { column, what }) => Some((column.clone(), what.clone())),
            _ => None,
        };
        if self.ended(added)?.is_none() {
            self.state = State::Learning;
            let before = self.columns.clone();
            self.columns.learn(row);
            // A row that teaches nothing would not fit the next time either.
            if before == self.columns {
                let (column, what) = misfit.unwrap_or_default();
                return Err(self.does_not_fit(column, what));
            }
        }
        Ok(())
    }

    /// What a writer gave; nothing where a row did not fit, and more columns can be learnt.
    fn ended<T>(&self, given: Result<T, NotAdded>) -> Result<Option<T>, OutputError> {
        match given {
            Ok(given) => Ok(Some(given)),
            Err(NotAdded::Write(source)) => Err(OutputError::writing(&self.target.path, source)),
            Err(NotAdded::Misfit { column, what }) => {
                let can_begin_again =
                    self.target.kind == TargetKind::File && !self.columns.is_kept(&column);
                if can_begin_again {
                    return Ok(None);
                }
                Err(self.does_not_fit(column, what))
            }
        }
    }

    fn does_not_fit(&self, column: String, what: String) -> OutputError {
        OutputError::DoesNotFit {
            path: self.target.path.clone(),
            row: self.rows,
            column,
            what,
        }
    }
}

impl Place {
    fn one(sink: Sink) -> Self {
        Self::One(Some(sink))
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.target.path;
        formatter
            .debug_struct("Output")
            .field("path", path)
            .finish_non_exhaustive()
    }
}

fn open_device(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).open(path)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::dataset::source::Source;

    /// Where the rejected rows are of an output that is whole.
    fn whole(output: Output) -> Option<PathBuf> {
        match output.commit().unwrap() {
            Ended::Whole { rejected } => rejected,
            Ended::Again(_) => panic!("more columns came"),
        }
    }

    fn folder_with(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            fs::write(folder.path().join(name), "old\n").unwrap();
        }
        folder
    }

    fn check(folder: &tempfile::TempDir, out: &str, input: &str) -> Result<Target, OutputError> {
        let input = Source::open(&folder.path().join(input)).ok();
        Target::check(&folder.path().join(out), input.as_ref())
    }

    #[test]
    fn rows_and_rejected_rows_appear_together() {
        let folder = folder_with(&["in.jsonl"]);
        let target = check(&folder, "out.jsonl", "in.jsonl").unwrap();
        let mut output = Output::create(&target).unwrap();
        output.write_row(b"{\"a\":1}").unwrap();
        output.reject(2, "not a row", "x\"y").unwrap();
        let out = folder.path().join("out.jsonl");
        assert!(!out.exists() && !target.rejected_path().unwrap().exists());
        let rejected = whole(output).unwrap();
        assert_eq!(fs::read_to_string(&out).unwrap(), "{\"a\":1}\n");
        assert_eq!(
            fs::read_to_string(&rejected).unwrap(),
            "{\"line\":2,\"reason\":\"not a row\",\"excerpt\":\"x\\\"y\"}\n"
        );

        let again = check(&folder, "out.jsonl", "in.jsonl").unwrap();
        assert_eq!(whole(Output::create(&again).unwrap()), None);
        assert_eq!(fs::read_to_string(&out).unwrap(), "");
        assert!(!rejected.exists());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed() {
        let folder = folder_with(&["in.jsonl", "real.jsonl"]);
        let at = |name: &str| folder.path().join(name);
        std::os::unix::fs::symlink(at("real.jsonl"), at("link.jsonl")).unwrap();
        fs::hard_link(at("in.jsonl"), at("hard.jsonl")).unwrap();
        let same = check(&folder, "hard.jsonl", "in.jsonl");
        assert!(matches!(same, Err(OutputError::IsInput { .. })));
        let target = check(&folder, "link.jsonl", "in.jsonl").unwrap();
        whole(Output::create(&target).unwrap());
        assert!(at("link.jsonl").is_symlink());
        assert_eq!(fs::read_to_string(at("real.jsonl")).unwrap(), "");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_device_is_written_to_and_not_replaced() {
        let target = Target::check(Path::new("/dev/full"), None).unwrap();
        assert_eq!(target.rejected_path(), None);
        let mut output = Output::create(&target).unwrap();
        output.write_row(b"{}").unwrap();
        output.reject(1, "bad", "x").unwrap();
        let error = output.commit().unwrap_err();
        assert!(matches!(&error, OutputError::Full { .. }), "{error:?}");
        assert_eq!(
            error.to_string(),
            "the disk under /dev/full is full; make room and run the same command again"
        );
    }
}
