//! Why an input cannot be read, and what to do.

use std::io;
use std::path::{Path, PathBuf};

use crate::dataset::excerpt::short_name;
use crate::dataset::remote::RemoteError;

/// The input cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// There is nothing of that name.
    #[error("there is no file {}; give a file or a folder of rows, or - for standard input", path.display())]
    Missing {
        /// What was given.
        path: PathBuf,
    },
    /// No file fits a pattern.
    #[error("no file fits {pattern}; give a file or a folder of rows, or - for standard input")]
    NoMatch {
        /// What was given.
        pattern: String,
    },
    /// A pattern is none.
    #[error("cannot look for {pattern}: {what}")]
    Pattern {
        /// What was given.
        pattern: String,
        /// What is wrong with it.
        what: String,
    },
    /// A folder holds nothing that is read.
    #[error(
        "the folder {} holds no rows; its files must end in .jsonl, .json, .csv, .tsv or .parquet, \
         and may be .gz or .zst; those in folders of it are read by a pattern such as '{}'",
        path.display(), path.join("**/*.parquet").display()
    )]
    NoRowsIn {
        /// What was given.
        path: PathBuf,
    },
    /// A folder holds files of several formats.
    #[error("the folder {} holds {formats}; say which, as in {example}", path.display())]
    SeveralFormats {
        /// What was given.
        path: PathBuf,
        /// The formats, as a list in words.
        formats: String,
        /// A pattern that fits the files of one.
        example: String,
    },
    /// The file is of a format that is not read.
    #[error("{} is a {format} file; convert it to JSON lines (.jsonl) first", path.display())]
    OtherFormat {
        /// What was given.
        path: PathBuf,
        /// What it is.
        format: &'static str,
    },
    /// The file is compressed in a way that its format does without.
    #[error("{} is a Parquet file inside of {compression}; unpack it, since Parquet compresses by itself", path.display())]
    PackedParquet {
        /// What was given.
        path: PathBuf,
        /// The compression.
        compression: &'static str,
    },
    /// Parquet was left out of this program.
    #[error("{} is a Parquet file, and this redraft was built without the feature `parquet`", path.display())]
    WithoutParquet {
        /// What was given.
        path: PathBuf,
    },
    /// The file is not what its name says.
    #[error("{} is named as {named} and {found}; {hint}", path.display())]
    WrongMagic {
        /// What was given.
        path: PathBuf,
        /// What its name says it is.
        named: &'static str,
        /// What its bytes say.
        found: String,
        /// What to do.
        hint: &'static str,
    },
    /// A place on another machine cannot be read.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// Several inputs, one of which can be read only once.
    #[error("{} can be read only once, and not together with other inputs; give it alone", path.display())]
    StreamAmongFiles {
        /// What was given.
        path: PathBuf,
    },
    /// The input is there, and cannot be opened.
    #[error("cannot open {name}")]
    Open {
        /// The input's name.
        name: String,
        /// Why not.
        source: io::Error,
    },
    /// The copy of a stream that a second pass needs cannot be made.
    #[error("cannot make a temporary file in {} to keep a copy of the input", folder.display())]
    Spool {
        /// Where it was to be.
        folder: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A stream is read once only.
    #[error("{name} was read already and no copy was kept; give a file as the input")]
    ReadAlready {
        /// The input's name.
        name: String,
    },
    /// A file was there when the run began.
    #[error("{name} is gone since the run began; put it back and run the same command again")]
    Gone {
        /// The file's name.
        name: String,
    },
    /// The file is whole, and holds what cannot be read.
    #[error("{name} cannot be read: {what}")]
    Unreadable {
        /// The input's name.
        name: String,
        /// What stands in the way.
        what: String,
    },
    /// What the file holds is broken.
    #[error(
        "{name} is damaged behind {unit} {number}: {what}; get the file again, \
         and the same command goes on with it"
    )]
    Damaged {
        /// The input's name.
        name: String,
        /// What its rows are called.
        unit: &'static str,
        /// The last one that was read, in this file.
        number: u64,
        /// What is wrong.
        what: String,
    },
    /// Reading broke off.
    #[error("cannot read {name} after its {unit} {number}")]
    Read {
        /// The input's name.
        name: String,
        /// What its rows are called.
        unit: &'static str,
        /// The last one that was read, in this file.
        number: u64,
        /// Why not.
        source: io::Error,
    },
    /// A later file does not hold what the first one does.
    #[error(transparent)]
    ShardDiffers(#[from] Box<ShardDiffers>),
    /// A column that was named is in no row at the start.
    #[error(
        "there is no column `{}` to take the {what} from in {name}; it has {}",
        short_name(column),
        short_names(columns)
    )]
    NoColumn {
        /// The input's name.
        name: String,
        /// What the column was to hold.
        what: String,
        /// The column.
        column: String,
        /// The columns that are there.
        columns: Vec<String>,
    },
}

/// A later file of a dataset does not hold what the first one does.
#[derive(Debug, thiserror::Error)]
#[error(
    "{shard} does not fit the files before it: its column `{}` is {found}, and in {first} it is \
     {expected} and holds the {what}; mend it or leave it out, and run the same command again",
    short_name(column)
)]
pub struct ShardDiffers {
    /// The later file.
    pub shard: String,
    /// The column.
    pub column: String,
    /// Its type there, or that it is missing.
    pub found: String,
    /// What the column holds.
    pub what: &'static str,
    /// The first file.
    pub first: String,
    /// Its type there.
    pub expected: String,
}

impl SourceError {
    /// Nothing of that name can be opened.
    pub(super) fn opening(path: &Path, source: io::Error) -> Self {
        if let Some(error) = RemoteError::within(&source) {
            return Self::Remote(error.clone());
        }
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing {
                path: path.to_path_buf(),
            },
            _ => Self::Open {
                name: path.display().to_string(),
                source,
            },
        }
    }

    /// Reading `name` failed behind the row of that number.
    pub(super) fn reading(name: &str, unit: &'static str, number: u64, source: io::Error) -> Self {
        let name = name.to_owned();
        if RemoteError::within(&source).is_some_and(RemoteError::is_not_there) {
            return Self::Gone { name };
        }
        match source.kind() {
            io::ErrorKind::NotFound => Self::Gone { name },
            io::ErrorKind::Unsupported => Self::Unreadable {
                name,
                what: source.to_string(),
            },
            io::ErrorKind::InvalidData => Self::Damaged {
                name,
                unit,
                number,
                what: source.to_string(),
            },
            _ => Self::Read {
                name,
                unit,
                number,
                source,
            },
        }
    }
}

fn short_names(columns: &[String]) -> String {
    let names: Vec<String> = columns
        .iter()
        .take(20)
        .map(|name| short_name(name))
        .collect();
    let more = if columns.len() > names.len() {
        ", …"
    } else {
        ""
    };
    format!("{}{more}", names.join(", "))
}
