//! Why an output cannot be written, and what to do.

use std::io;
use std::path::{Path, PathBuf};

use crate::dataset::excerpt::short_name;
use crate::dataset::remote::RemoteError;

/// The output cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The folder in which it should be is not there.
    #[error("there is no folder {} for the output; make it, or give another path", folder.display())]
    NoFolder {
        /// The folder.
        folder: PathBuf,
    },
    /// The rows have columns that the first of them do not show, and cannot be written again.
    #[error(
        "the rows for {} have more columns than the first of them show; give an output of JSON \
         lines (.jsonl)",
        path.display()
    )]
    MoreColumns {
        /// What was given.
        path: PathBuf,
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
    /// The format does without what was asked of it.
    #[error("the output {} cannot be written: {what}", path.display())]
    Unsuitable {
        /// What was given.
        path: PathBuf,
        /// What stands in the way.
        what: String,
    },
    /// The folder for shards holds something else.
    #[error(
        "the folder {} for the output is there already and holds {found}, which is none of it; \
         give another path", folder.display()
    )]
    FolderInUse {
        /// The folder.
        folder: PathBuf,
        /// Something in it.
        found: String,
    },
    /// A row has what its format cannot hold.
    #[error(
        "row {row} does not fit into {}: the column `{}`: {what}; give an output that ends in .jsonl",
        path.display(), short_name(column)
    )]
    DoesNotFit {
        /// The file that was being written.
        path: PathBuf,
        /// The row, from 1.
        row: u64,
        /// The column.
        column: String,
        /// What does not fit.
        what: String,
    },
    /// A place on another machine cannot be written.
    #[error(transparent)]
    Remote(#[from] RemoteError),
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
    pub(super) fn writing(path: &Path, source: io::Error) -> Self {
        if let Some(error) = RemoteError::within(&source) {
            return Self::Remote(error.clone());
        }
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
