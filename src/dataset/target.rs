//! Looks at an output before the work begins: where it will be, and in which format.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use crate::dataset::format::{Compression, Format, Named};
use crate::dataset::known_columns::KnownColumns;
use crate::dataset::output_error::OutputError;
use crate::dataset::remote::{Address, Bucket};
use crate::dataset::replace::{folder_of, remove_if_there};
use crate::dataset::shards::Shards;
use crate::dataset::source::Source;
use crate::dataset::source_error::SourceError;

/// What is added to the output's name to name the file of rejected rows.
const REJECTED_SUFFIX: &str = ".rejected.jsonl";

/// An output that was checked before the work began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub(super) path: PathBuf,
    pub(super) kind: TargetKind,
    pub(super) format: Format,
    pub(super) compression: Compression,
    pub(super) rows_per_shard: Option<NonZeroU64>,
    pub(super) columns: KnownColumns,
    /// Where a file on another machine lies.
    pub(super) bucket: Option<Bucket>,
}

/// What an output is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TargetKind {
    /// A file that is replaced when all is written.
    File,
    /// A pipe or device, which takes the rows as they come.
    Device,
    /// Standard output, likewise.
    StandardOutput,
}

impl Target {
    /// Checks that rows can be written to `out`, a path, the address of an object, or `-` for
    /// standard output. Its ending says
    /// in which format and compression; JSON lines where it says nothing. A file that is
    /// there will be replaced, unless it is of the `input`.
    ///
    /// # Errors
    ///
    /// When nothing can be written there, or the input would be lost.
    pub fn check(out: &Path, input: Option<&Source>) -> Result<Self, OutputError> {
        let address = Address::of(out)?;
        let path = address
            .as_ref()
            .map_or_else(|| out.to_path_buf(), Address::shown);
        let named = Named::of(&path);
        let format = match named.format {
            Some(Format::Parquet) => suitable_parquet(&path, named.compression)?,
            format => format.unwrap_or(Format::JsonLines),
        };
        let target = |path, kind| Self {
            path,
            kind,
            format,
            compression: named.compression,
            rows_per_shard: None,
            columns: KnownColumns::new(format),
            bucket: None,
        };
        if let Some(address) = address {
            let bucket = Some(Bucket::open(&address)?);
            if path.to_string_lossy().ends_with('/') {
                return Err(OutputError::IsFolder { path });
            }
            let target = Self {
                bucket,
                ..target(path, TargetKind::File)
            };
            target.check_object(input)?;
            return Ok(target);
        }
        if out == Path::new("-") {
            return Ok(target(path, TargetKind::StandardOutput));
        }
        let found = fs::metadata(out).ok();
        let found = found.as_ref();
        if found.is_some_and(fs::Metadata::is_dir) {
            return Err(OutputError::IsFolder { path });
        }
        if found.is_some_and(|found| !found.is_file()) {
            return Ok(target(path, TargetKind::Device));
        }
        if found.is_some_and(|found| found.permissions().readonly()) {
            return Err(OutputError::ReadOnly { path });
        }
        // Behind a link it is the file that is replaced, not the link.
        let target = target(out.canonicalize().unwrap_or(path), TargetKind::File);
        target.check_file(input)?;
        Ok(target)
    }

    /// How what is at `path` now begins; nothing where there is nothing. Of what lies on this machine
    /// all is given.
    ///
    /// # Errors
    ///
    /// When it lies on another machine, and that does not give it.
    pub fn beginning(path: &Path) -> Result<Option<Vec<u8>>, OutputError> {
        match Address::of(path)? {
            Some(address) => {
                let start = Bucket::open(&address)?.start_of(path)?;
                Ok(start.map(Into::into))
            }
            None => Ok(fs::read(path).ok()),
        }
    }

    /// Takes lines of text as they are, whatever the ending says.
    #[must_use]
    pub fn of_lines(self) -> Self {
        Self {
            format: Format::JsonLines,
            columns: KnownColumns::new(Format::JsonLines),
            ..self
        }
    }

    /// Keeps the types of the input's columns, where all of it is Parquet of one schema and the
    /// output is Parquet, too.
    ///
    /// # Errors
    ///
    /// When a file of the input is damaged.
    pub fn with_types_of(mut self, source: &Source) -> Result<Self, SourceError> {
        if self.format == Format::Parquet {
            self.columns.keep_types_of(source)?;
        }
        Ok(self)
    }

    /// Tells what a column will hold, by a row of JSON that has such a value.
    #[must_use]
    pub fn with_sample(mut self, row: &[u8]) -> Self {
        self.columns.learn(row);
        self
    }

    /// Writes files of at most so many rows each, in a folder that is named as the output without
    /// its ending.
    ///
    /// # Errors
    ///
    /// When the output is no file, or the folder holds something else already.
    pub fn in_shards(mut self, rows: NonZeroU64) -> Result<Self, OutputError> {
        if self.kind != TargetKind::File {
            let what = "only files can be written in shards".to_owned();
            let path = self.path;
            return Err(OutputError::Unsuitable { path, what });
        }
        self.rows_per_shard = Some(rows);
        Shards::of(&self).check()?;
        Ok(self)
    }

    /// Where the output will be: the file, or the folder of its shards.
    #[must_use]
    pub fn place(&self) -> PathBuf {
        match self.rows_per_shard {
            Some(_) => Shards::of(self).folder().to_path_buf(),
            None => self.path.clone(),
        }
    }

    /// The file of rejected rows; absent where the output is no file.
    #[must_use]
    pub fn rejected_path(&self) -> Option<PathBuf> {
        (self.kind == TargetKind::File).then(|| {
            let mut path = OsString::from(self.place());
            path.push(REJECTED_SUFFIX);
            path.into()
        })
    }

    /// The folder of the output; where it is no file of this machine, that of temporary files.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        match self.kind {
            TargetKind::File if self.bucket.is_none() => folder_of(&self.path).to_path_buf(),
            TargetKind::File | TargetKind::Device | TargetKind::StandardOutput => {
                std::env::temp_dir()
            }
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
            if input.is_some_and(|input| input.would_take(&path, false)) {
                return Err(OutputError::BecomesInput { path });
            }
        }
        match try_folder(&folder) {
            Ok(()) => Ok(()),
            Err(source) => Err(OutputError::NotWritable { folder, source }),
        }
    }

    fn check_object(&self, input: Option<&Source>) -> Result<(), OutputError> {
        for path in self.rejected_path().into_iter().chain([self.path.clone()]) {
            let paths = input.map(Source::paths).unwrap_or_default();
            if paths.contains(&path.as_path()) {
                return Err(OutputError::IsInput { path });
            }
            if input.is_some_and(|input| input.would_take(&path, true)) {
                return Err(OutputError::BecomesInput { path });
            }
        }
        match &self.bucket {
            Some(bucket) => Ok(bucket.try_writing(&self.path)?),
            None => Ok(()),
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

/// Parquet, where it can be written.
fn suitable_parquet(out: &Path, compression: Compression) -> Result<Format, OutputError> {
    let what = if compression != Compression::None {
        "Parquet compresses by itself; leave the last ending out"
    } else if cfg!(feature = "parquet") {
        return Ok(Format::Parquet);
    } else {
        "this redraft was built without the feature `parquet`"
    };
    Err(OutputError::Unsuitable {
        path: out.to_path_buf(),
        what: what.to_owned(),
    })
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
}
