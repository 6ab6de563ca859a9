//! Opens the input of a run: a file, standard input, or another stream that can be read only once.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::dataset::spool::{Spool, Tee};

/// The input cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// There is nothing of that name.
    #[error("there is no file {}; give a file of JSON lines, or - for standard input", path.display())]
    Missing {
        /// What was given.
        path: PathBuf,
    },
    /// The path is a folder.
    #[error("{} is a folder; give one file of JSON lines{hint}", path.display())]
    Folder {
        /// What was given.
        path: PathBuf,
        /// A file in it that would do, as a continuation of the sentence; may be empty.
        hint: String,
    },
    /// The file's name says that it does not hold JSON lines.
    #[error("{} is a {format} file; convert it to JSON lines (.jsonl) first", path.display())]
    OtherFormat {
        /// What was given.
        path: PathBuf,
        /// What its name says it is.
        format: &'static str,
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
    /// Reading broke off.
    #[error("cannot read {name} after its line {line}")]
    Read {
        /// The input's name.
        name: String,
        /// The last line that was read.
        line: u64,
        /// Why not.
        source: io::Error,
    },
}

/// The input of a run.
#[derive(Debug)]
pub struct Source {
    place: Place,
    /// A stream waits here for its one pass.
    stream: Option<File>,
    spool: Option<(PathBuf, Spool)>,
}

#[derive(Debug)]
enum Place {
    File { path: PathBuf, bytes: u64 },
    Stream { path: PathBuf },
    StandardInput,
}

impl Source {
    /// Finds the input that a person named: a path, or `-` for standard input.
    ///
    /// # Errors
    ///
    /// When there is no such file, or it is nothing that can be read as JSON lines.
    pub fn open(input: &Path) -> Result<Self, SourceError> {
        if input == Path::new("-") {
            return Ok(Self::at(Place::StandardInput, None));
        }
        let path = input.to_path_buf();
        let metadata = match fs::metadata(input) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(SourceError::Missing { path });
            }
            Err(source) => return Err(cannot_open(input, source)),
        };
        if metadata.is_dir() {
            let hint = hint_in(input);
            return Err(SourceError::Folder { path, hint });
        }
        if let Some(format) = other_format(input) {
            return Err(SourceError::OtherFormat { path, format });
        }
        // Opened even where only its name is kept, so that a file that may not be read says so now.
        let file = File::open(input).map_err(|source| cannot_open(input, source))?;
        Ok(if metadata.is_file() {
            let bytes = metadata.len();
            Self::at(Place::File { path, bytes }, None)
        } else {
            Self::at(Place::Stream { path }, Some(file))
        })
    }

    /// Keeps a copy of a stream in `folder`, so that [`Source::second_pass`] can read it again. A
    /// file needs none and gets none.
    ///
    /// # Errors
    ///
    /// When the copy cannot be made.
    pub fn with_spool(mut self, folder: &Path) -> Result<Self, SourceError> {
        if self.path().is_none() {
            let folder = folder.to_path_buf();
            match Spool::create(&folder) {
                Ok(spool) => self.spool = Some((folder, spool)),
                Err(source) => return Err(SourceError::Spool { folder, source }),
            }
        }
        Ok(self)
    }

    /// The path of the file; absent for a stream.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::File { path, .. } => Some(path),
            Place::Stream { .. } | Place::StandardInput => None,
        }
    }

    /// The dataset's name: the file's, without folder and extension.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.place {
            Place::File { path, .. } | Place::Stream { path } => path
                .file_stem()
                .unwrap_or(path.as_os_str())
                .to_string_lossy()
                .into_owned(),
            Place::StandardInput => "stdin".to_owned(),
        }
    }

    /// How many bytes a file held when it was opened; absent for a stream.
    #[must_use]
    pub fn bytes(&self) -> Option<u64> {
        match self.place {
            Place::File { bytes, .. } => Some(bytes),
            Place::Stream { .. } | Place::StandardInput => None,
        }
    }

    /// The input from its start, for the first time.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened any more, or a stream was taken already.
    pub fn first_pass(&mut self) -> Result<Input, SourceError> {
        let stream: Box<dyn Read + Send> = match &self.place {
            Place::File { path, .. } => return self.open_file(path),
            Place::StandardInput => Box::new(io::stdin()),
            Place::Stream { .. } => match self.stream.take() {
                Some(stream) => Box::new(stream),
                None => return Err(self.read_already()),
            },
        };
        let kind = match &self.spool {
            None => Kind::Stream(stream),
            Some((folder, spool)) => match spool.writer() {
                Ok(writer) => Kind::Stream(Box::new(Tee::new(stream, writer, folder.clone()))),
                Err(source) => return Err(self.cannot_open(source)),
            },
        };
        Ok(self.input(kind))
    }

    /// The input from its start once more: the file, or the copy of what the first pass read.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened any more, or no copy of a stream was kept.
    pub fn second_pass(&self) -> Result<Input, SourceError> {
        if let Place::File { path, .. } = &self.place {
            return self.open_file(path);
        }
        let (_, spool) = self.spool.as_ref().ok_or_else(|| self.read_already())?;
        match spool.read_again() {
            Ok(file) => Ok(self.input(Kind::File(file))),
            Err(source) => Err(self.cannot_open(source)),
        }
    }

    fn at(place: Place, stream: Option<File>) -> Self {
        Self {
            place,
            stream,
            spool: None,
        }
    }

    fn open_file(&self, path: &Path) -> Result<Input, SourceError> {
        match File::open(path) {
            Ok(file) => Ok(self.input(Kind::File(file))),
            Err(source) => Err(self.cannot_open(source)),
        }
    }

    fn input(&self, kind: Kind) -> Input {
        Input {
            name: self.to_string(),
            kind,
        }
    }

    fn cannot_open(&self, source: io::Error) -> SourceError {
        let name = self.to_string();
        SourceError::Open { name, source }
    }

    fn read_already(&self) -> SourceError {
        let name = self.to_string();
        SourceError::ReadAlready { name }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::File { path, .. } | Place::Stream { path } => path.display().fmt(formatter),
            Place::StandardInput => formatter.write_str("standard input"),
        }
    }
}

/// The bytes of one pass over a [`Source`].
pub struct Input {
    name: String,
    kind: Kind,
}

enum Kind {
    File(File),
    Stream(Box<dyn Read + Send>),
}

impl Input {
    /// The source's name, for messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file, where the input is one that can be entered anywhere.
    pub(super) fn file_mut(&mut self) -> Option<&mut File> {
        match &mut self.kind {
            Kind::File(file) => Some(file),
            Kind::Stream(_) => None,
        }
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.kind {
            Kind::File(file) => file.read(buffer),
            Kind::Stream(stream) => stream.read(buffer),
        }
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        formatter
            .debug_struct("Input")
            .field("name", name)
            .finish_non_exhaustive()
    }
}

fn cannot_open(path: &Path, source: io::Error) -> SourceError {
    let name = path.display().to_string();
    SourceError::Open { name, source }
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension()
        .is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

/// What the file is if its name says that it cannot hold JSON lines.
fn other_format(path: &Path) -> Option<&'static str> {
    [
        ("csv", "CSV"),
        ("tsv", "TSV"),
        ("parquet", "Parquet"),
        ("arrow", "Arrow"),
        ("gz", "gzip"),
        ("zst", "zstd"),
        ("bz2", "bzip2"),
        ("xz", "xz"),
        ("zip", "ZIP"),
        ("db", "database"),
    ]
    .into_iter()
    .find(|(extension, _)| has_extension(path, extension))
    .map(|(_, format)| format)
}

/// The first file of JSON lines in a folder, as the end of a sentence.
fn hint_in(folder: &Path) -> String {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files
        .map(|entry| entry.path())
        .filter(|path| has_extension(path, "jsonl") && path.is_file())
        .min()
        .map_or_else(String::new, |path| format!(", such as {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(mut input: Input) -> String {
        let mut text = String::new();
        input.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn what_cannot_be_read_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing.jsonl");
        let error = Source::open(&path).unwrap_err();
        assert!(matches!(error, SourceError::Missing { .. }));
        assert!(error.to_string().ends_with("or - for standard input"));

        let error = Source::open(folder.path()).unwrap_err().to_string();
        assert!(error.ends_with("give one file of JSON lines"), "{error}");
        for name in ["b.jsonl", "a.JSONL", "c.txt"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let error = Source::open(folder.path()).unwrap_err().to_string();
        assert!(error.ends_with("a.JSONL"), "{error}");

        let path = folder.path().join("rows.parquet");
        fs::write(&path, "PAR1").unwrap();
        let error = Source::open(&path).unwrap_err().to_string();
        assert!(error.contains("is a Parquet file; convert it"), "{error}");
    }

    #[test]
    fn a_file_is_read_twice_without_a_copy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.jsonl");
        fs::write(&path, "{}\n").unwrap();
        let mut source = Source::open(&path)
            .unwrap()
            .with_spool(folder.path())
            .unwrap();
        assert_eq!(source.name(), "rows");
        assert_eq!(source.bytes(), Some(3));
        assert_eq!(text_of(source.first_pass().unwrap()), "{}\n");
        assert_eq!(text_of(source.second_pass().unwrap()), "{}\n");
        assert!(source.spool.is_none());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_stream_is_read_again_from_its_copy() {
        let folder = tempfile::tempdir().unwrap();
        let (reader, mut writer) = io::pipe().unwrap();
        io::Write::write_all(&mut writer, b"{}\n{}\n").unwrap();
        drop(writer);
        let descriptor = std::os::fd::AsRawFd::as_raw_fd(&reader);
        let pipe = PathBuf::from(format!("/dev/fd/{descriptor}"));
        let mut source = Source::open(&pipe)
            .unwrap()
            .with_spool(folder.path())
            .unwrap();
        assert_eq!((source.path(), source.bytes()), (None, None));
        assert_eq!(text_of(source.first_pass().unwrap()), "{}\n{}\n");
        assert_eq!(text_of(source.second_pass().unwrap()), "{}\n{}\n");
        assert!(matches!(
            source.first_pass(),
            Err(SourceError::ReadAlready { .. })
        ));
    }

    #[test]
    fn standard_input_has_a_name_and_no_second_pass_of_its_own() {
        let source = Source::open(Path::new("-")).unwrap();
        assert_eq!(source.name(), "stdin");
        assert_eq!(source.to_string(), "standard input");
        let error = source.second_pass().unwrap_err().to_string();
        assert_eq!(
            error,
            "standard input was read already and no copy was kept; give a file as the input"
        );
    }
}
