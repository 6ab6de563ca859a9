//! Writes the rows of a run, and beside them the rows that were rejected.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::dataset::replace::{Replacement, folder_of, remove_if_there};
use crate::dataset::source::Source;

/// What is added to the output's name to name the file of rejected rows.
const REJECTED_SUFFIX: &str = ".rejected.jsonl";

/// The output cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The folder in which it should be is not there.
    #[error("there is no folder {} for the output; make it, or give another path", folder.display())]
    NoFolder {
        /// The folder.
        folder: PathBuf,
    },
    /// The path is a folder.
    #[error("the output {} is a folder; give the path of a file", path.display())]
    IsFolder {
        /// What was given.
        path: PathBuf,
    },
    /// The input would be replaced.
    #[error("the output {} would replace the input; give another path", path.display())]
    IsInput {
        /// The file that would be replaced.
        path: PathBuf,
    },
    /// The input would take in the output.
    #[error(
        "the output {} would become a part of the input, a folder or a pattern; give another path",
        path.display()
    )]
    BecomesInput {
        /// What was given.
        path: PathBuf,
    },
    /// There is a file of that name that must not be changed.
    #[error("the output {} is there already and is read-only; give another path", path.display())]
    ReadOnly {
        /// What was given.
        path: PathBuf,
    },
    /// No file can be made in the folder.
    #[error("cannot make files in the folder {}", folder.display())]
    NotWritable {
        /// The folder.
        folder: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Another process writes the same file.
    #[error("another process is writing {}; wait for it, or give another path", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// There is no room left.
    #[error("the disk under {} is full; make room and run the same command again", path.display())]
    Full {
        /// The file that was being written.
        path: PathBuf,
    },
    /// Writing failed.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file that was being written.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl OutputError {
    fn writing(path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        match source.kind() {
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => Self::Full { path },
            io::ErrorKind::ResourceBusy => Self::Busy { path },
            _ => Self::Write { path, source },
        }
    }
}

/// An output that was checked before the work began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    path: PathBuf,
    kind: TargetKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TargetKind {
    /// A file that is replaced when all is written.
    File,
    /// A pipe or device, which takes the rows as they come.
    Device,
    /// Standard output, likewise.
    StandardOutput,
}

impl Target {
    /// Checks that rows can be written to `out`, a path or `-` for standard output. A file that is
    /// there will be replaced, unless it is of the `input`.
    ///
    /// # Errors
    ///
    /// When nothing can be written there, or the input would be lost.
    pub fn check(out: &Path, input: Option<&Source>) -> Result<Self, OutputError> {
        let path = out.to_path_buf();
        if out == Path::new("-") {
            let kind = TargetKind::StandardOutput;
            return Ok(Self { path, kind });
        }
        let found = fs::metadata(out).ok();
        let found = found.as_ref();
        if found.is_some_and(fs::Metadata::is_dir) {
            return Err(OutputError::IsFolder { path });
        }
        if found.is_some_and(|found| !found.is_file()) {
            let kind = TargetKind::Device;
            return Ok(Self { path, kind });
        }
        if found.is_some_and(|found| found.permissions().readonly()) {
            return Err(OutputError::ReadOnly { path });
        }
        let target = Self {
            // Behind a link it is the file that is replaced, not the link.
            path: out.canonicalize().unwrap_or(path),
            kind: TargetKind::File,
        };
        target.check_file(input)?;
        Ok(target)
    }

    /// The file of rejected rows; absent where the output is no file.
    #[must_use]
    pub fn rejected_path(&self) -> Option<PathBuf> {
        (self.kind == TargetKind::File).then(|| {
            let mut path = OsString::from(&self.path);
            path.push(REJECTED_SUFFIX);
            path.into()
        })
    }

    /// The folder of the output; where it is no file, that of temporary files.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        match self.kind {
            TargetKind::File => folder_of(&self.path).to_path_buf(),
            TargetKind::Device | TargetKind::StandardOutput => std::env::temp_dir(),
        }
    }

    fn check_file(&self, input: Option<&Source>) -> Result<(), OutputError> {
        let folder = self.folder();
        if !folder.is_dir() {
            return Err(OutputError::NoFolder { folder });
        }
        for path in self.rejected_path().into_iter().chain([self.path.clone()]) {
            if path.is_dir() {
                return Err(OutputError::IsFolder { path });
            }
            let paths = input.map(Source::paths).unwrap_or_default();
            if paths.iter().any(|input| is_same_file(&path, input)) {
                return Err(OutputError::IsInput { path });
            }
            if input.is_some_and(|input| input.would_take(&path)) {
                return Err(OutputError::BecomesInput { path });
            }
        }
        match try_folder(&folder) {
            Ok(()) => Ok(()),
            Err(source) => Err(OutputError::NotWritable { folder, source }),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TargetKind::StandardOutput => formatter.write_str("standard output"),
            TargetKind::File | TargetKind::Device => self.path.display().fmt(formatter),
        }
    }
}

/// Makes a file in a folder and removes it again: the one check that no file system fools. The name
/// is this process's own, so that nothing of a run that is at work is touched.
fn try_folder(folder: &Path) -> io::Result<()> {
    let probe = folder.join(format!(".redraft-probe-{}", std::process::id()));
    remove_if_there(&probe)?;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&probe)?;
    fs::remove_file(&probe)
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    let (Ok(one), Ok(other)) = (one.canonicalize(), other.canonicalize()) else {
        return false;
    };
    one == other || is_same_inode(&one, &other)
}

#[cfg(unix)]
fn is_same_inode(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    match (fs::metadata(one), fs::metadata(other)) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_same_inode(_: &Path, _: &Path) -> bool {
    false
}

/// A row that was rejected, as its file tells it.
#[derive(Serialize)]
struct RejectedLine<'a> {
    line: u64,
    reason: &'a str,
    excerpt: &'a str,
}

/// Writes rows to a [`Target`]. Nothing has its name before [`Output::commit`]; without it, an
/// output that is a file leaves no trace.
pub struct Output {
    path: PathBuf,
    rows: Sink,
    rejected_path: Option<PathBuf>,
    rejected: Option<Replacement>,
}

enum Sink {
    File(Replacement),
    Direct(Box<dyn Write + Send>),
}

impl Output {
    /// Begins to write.
    ///
    /// # Errors
    ///
    /// When the temporary file cannot be made, or the device not opened.
    pub fn create(target: &Target) -> Result<Self, OutputError> {
        let path = &target.path;
        let rows = match target.kind {
            TargetKind::File => Replacement::create(path).map(Sink::File),
            TargetKind::Device => open_device(path).map(Sink::direct),
            TargetKind::StandardOutput => Ok(Sink::direct(io::stdout())),
        };
        Ok(Self {
            rows: rows.map_err(|source| OutputError::writing(path, source))?,
            path: path.clone(),
            rejected_path: target.rejected_path(),
            rejected: None,
        })
    }

    /// Writes one row, given without the end of its line.
    ///
    /// # Errors
    ///
    /// When the disk is full, or writing fails.
    pub fn write_row(&mut self, row: &[u8]) -> Result<(), OutputError> {
        let sink: &mut dyn Write = match &mut self.rows {
            Sink::File(file) => file,
            Sink::Direct(writer) => writer,
        };
        let written = sink.write_all(row).and_then(|()| sink.write_all(b"\n"));
        written.map_err(|source| OutputError::writing(&self.path, source))
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
                none => none.insert(Replacement::create(path)?),
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
    /// wrote goes when this one has none. Returns where the rejected rows are, if there are any.
    ///
    /// # Errors
    ///
    /// When the disk is full, or writing fails.
    pub fn commit(self) -> Result<Option<PathBuf>, OutputError> {
        let mut rejected_path = None;
        if let Some(file) = self.rejected {
            let path = file.path().to_path_buf();
            file.commit()
                .map_err(|source| OutputError::writing(&path, source))?;
            rejected_path = Some(path);
        } else if let Some(path) = &self.rejected_path {
            remove_if_there(path).map_err(|source| OutputError::writing(path, source))?;
        }
        let committed = match self.rows {
            Sink::File(file) => file.commit(),
            Sink::Direct(mut writer) => writer.flush(),
        };
        committed.map_err(|source| OutputError::writing(&self.path, source))?;
        Ok(rejected_path)
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        formatter
            .debug_struct("Output")
            .field("path", path)
            .finish_non_exhaustive()
    }
}

impl Sink {
    fn direct(writer: impl Write + Send + 'static) -> Self {
        Self::Direct(Box::new(BufWriter::new(writer)))
    }
}

fn open_device(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let rejected = output.commit().unwrap().unwrap();
        assert_eq!(fs::read_to_string(&out).unwrap(), "{\"a\":1}\n");
        assert_eq!(
            fs::read_to_string(&rejected).unwrap(),
            "{\"line\":2,\"reason\":\"not a row\",\"excerpt\":\"x\\\"y\"}\n"
        );

        let again = check(&folder, "out.jsonl", "in.jsonl").unwrap();
        assert_eq!(Output::create(&again).unwrap().commit().unwrap(), None);
        assert_eq!(fs::read_to_string(&out).unwrap(), "");
        assert!(!rejected.exists());
    }

    #[test]
    fn what_cannot_be_written_is_found_before_the_work() {
        let folder = folder_with(&["in.jsonl", "x.rejected.jsonl"]);
        let inside = |out: &str| check(&folder, out, "in.jsonl");
        assert!(matches!(
            inside("no/out"),
            Err(OutputError::NoFolder { .. })
        ));
        assert!(matches!(
            inside("in.jsonl/out"),
            Err(OutputError::NoFolder { .. })
        ));
        assert!(matches!(inside("../"), Err(OutputError::IsFolder { .. })));
        assert!(matches!(
            inside("./in.jsonl"),
            Err(OutputError::IsInput { .. })
        ));
        assert!(matches!(
            check(&folder, "x", "x.rejected.jsonl"),
            Err(OutputError::IsInput { .. })
        ));
        let path = folder.path().join("in.jsonl");
        let mut permissions = fs::metadata(&path).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&path, permissions).unwrap();
        assert!(matches!(
            check(&folder, "in.jsonl", "x"),
            Err(OutputError::ReadOnly { .. })
        ));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
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
        Output::create(&target).unwrap().commit().unwrap();
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

    #[test]
    fn a_full_disk_in_the_middle_is_told_from_other_failures() {
        struct Failing(io::ErrorKind);
        impl Write for Failing {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(self.0.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let failure = |kind| {
            let mut output = Output {
                path: PathBuf::from("out"),
                rows: Sink::Direct(Box::new(Failing(kind))),
                rejected_path: None,
                rejected: None,
            };
            output.write_row(b"{}").unwrap_err()
        };
        assert!(matches!(
            failure(io::ErrorKind::StorageFull),
            OutputError::Full { .. }
        ));
        assert!(matches!(
            failure(io::ErrorKind::BrokenPipe),
            OutputError::Write { .. }
        ));
    }
}
