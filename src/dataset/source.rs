//! Finds the input of a run: files of rows, standard input, or another stream that can be read only
//! once.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::dataset::canonical::Origin;
use crate::dataset::format::Named;
use crate::dataset::gather::{Wanted, gather, is_pattern, would_take};
use crate::dataset::part::{Part, Seekable};
use crate::dataset::remote::Address;
use crate::dataset::source_error::SourceError;
use crate::dataset::spool::{Spool, Tee};

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
    Files(Files),
    Stream { path: PathBuf },
    StandardInput,
}

#[derive(Debug)]
struct Files {
    wanted: Vec<Wanted>,
    name: String,
    parts: Arc<[Part]>,
    left_out: Vec<String>,
}

impl Source {
    /// Finds the input that a person named: a file, a folder of files, a pattern, an address on
    /// another machine, or `-` for standard input.
    ///
    /// # Errors
    ///
    /// When there is no such input, or it is nothing that can be read as rows.
    pub fn open(input: &Path) -> Result<Self, SourceError> {
        Self::open_all(&[input.to_path_buf()])
    }

    /// Finds several inputs, which are one dataset in the order in which they are given.
    ///
    /// # Errors
    ///
    /// When one is not there or nothing that can be read as rows, or one of several is a stream.
    pub fn open_all(inputs: &[PathBuf]) -> Result<Self, SourceError> {
        for input in inputs {
            let is_stream = is_stream(input)?;
            match (is_stream, inputs) {
                (true, [only]) if only == Path::new("-") => {
                    return Ok(Self::at(Place::StandardInput, None));
                }
                (true, [only]) => {
                    let path = only.clone();
                    let file = File::open(only);
                    let file = file.map_err(|source| SourceError::opening(only, source))?;
                    return Ok(Self::at(Place::Stream { path }, Some(file)));
                }
                (true, _) => {
                    let path = input.clone();
                    return Err(SourceError::StreamAmongFiles { path });
                }
                (false, _) => {}
            }
        }
        let gathered = gather(inputs)?;
        let parts = gathered.files.into_iter().map(Part::find);
        let files = Files {
            wanted: gathered.wanted,
            name: gathered.name,
            parts: parts.collect::<Result<_, _>>()?,
            left_out: gathered.left_out,
        };
        Ok(Self::at(Place::Files(files), None))
    }

    /// Keeps a copy of a stream in `folder`, so that [`Source::second_pass`] can read it again. A
    /// file needs none and gets none.
    ///
    /// # Errors
    ///
    /// When the copy cannot be made.
    pub fn with_spool(mut self, folder: &Path) -> Result<Self, SourceError> {
        if !self.is_files() {
            let folder = folder.to_path_buf();
            match Spool::create(&folder) {
                Ok(spool) => self.spool = Some((folder, spool)),
                Err(source) => return Err(SourceError::Spool { folder, source }),
            }
        }
        Ok(self)
    }

    /// Whether it can be read again and again.
    #[must_use]
    pub fn is_files(&self) -> bool {
        matches!(self.place, Place::Files(_))
    }

    /// The paths of its files, or their addresses as they may be shown; none for a stream.
    #[must_use]
    pub fn paths(&self) -> Vec<&Path> {
        self.parts().iter().map(Part::path).collect()
    }

    /// The path of the one file of plain JSON lines on this machine that it is; absent for anything
    /// else.
    #[must_use]
    pub fn plain_path(&self) -> Option<&Path> {
        match self.parts() {
            [part] if part.is_plain() => part.local_path(),
            _ => None,
        }
    }

    /// Names in its folders that are not read.
    #[must_use]
    pub fn left_out(&self) -> &[String] {
        match &self.place {
            Place::Files(files) => &files.left_out,
            Place::Stream { .. } | Place::StandardInput => &[],
        }
    }

    /// Whether the file `path`, of this machine or another, would be read as a part of this input if
    /// it were there.
    pub(super) fn would_take(&self, path: &Path, is_remote: bool) -> bool {
        match &self.place {
            Place::Files(files) => would_take(&files.wanted, path, is_remote),
            Place::Stream { .. } | Place::StandardInput => false,
        }
    }

    /// The dataset's name: the file's or the folder's, without what stands before and behind it.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.place {
            Place::Files(files) => files.name.clone(),
            Place::Stream { path } => Named::of(path).stem,
            Place::StandardInput => "stdin".to_owned(),
        }
    }

    /// How many bytes of JSON lines it held when it was opened; absent where that is known only when
    /// it was read.
    #[must_use]
    pub fn bytes(&self) -> Option<u64> {
        let parts = self.parts();
        let is_known = !parts.is_empty() && parts.iter().all(Part::is_plain);
        is_known.then(|| parts.iter().filter_map(|part| part.bytes).sum())
    }

    /// The input from its start, for the first time.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened any more, or a stream was taken already.
    pub fn first_pass(&mut self) -> Result<Input, SourceError> {
        let stream: Box<dyn Read + Send> = match &self.place {
            Place::Files(files) => return self.open_files(files),
            Place::StandardInput => Box::new(io::stdin()),
            Place::Stream { .. } => match self.stream.take() {
                Some(stream) => Box::new(stream),
                None => return Err(self.read_already()),
            },
        };
        let stream = match &self.spool {
            None => stream,
            Some((folder, spool)) => match spool.writer() {
                Ok(writer) => Box::new(Tee::new(stream, writer, folder.clone())),
                Err(source) => return Err(self.cannot_open(source)),
            },
        };
        Ok(self.input(Way::Canonical(Origin::Stream(Some(stream)))))
    }

    /// The input from its start once more: the files, or the copy of what the first pass read.
    ///
    /// # Errors
    ///
    /// When a file cannot be opened any more, or no copy of a stream was kept.
    pub fn second_pass(&self) -> Result<Input, SourceError> {
        if let Place::Files(files) = &self.place {
            return self.open_files(files);
        }
        let (_, spool) = self.spool.as_ref().ok_or_else(|| self.read_already())?;
        match spool.read_again() {
            Ok(file) => Ok(self.input(Way::Canonical(Origin::Stream(Some(Box::new(file)))))),
            Err(source) => Err(self.cannot_open(source)),
        }
    }

    /// Its files, looked at.
    pub(super) fn parts(&self) -> &[Part] {
        match &self.place {
            Place::Files(files) => &files.parts,
            Place::Stream { .. } | Place::StandardInput => &[],
        }
    }

    fn at(place: Place, stream: Option<File>) -> Self {
        Self {
            place,
            stream,
            spool: None,
        }
    }

    fn open_files(&self, files: &Files) -> Result<Input, SourceError> {
        if let [part] = &files.parts[..]
            && part.is_plain()
        {
            let file = part.seekable().map_err(|source| self.cannot_open(source))?;
            return Ok(self.input(Way::Plain(file)));
        }
        let parts = Arc::clone(&files.parts);
        Ok(self.input(Way::Canonical(Origin::Parts(parts))))
    }

    fn input(&self, way: Way) -> Input {
        Input {
            name: self.to_string(),
            way,
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
            Place::Files(files) => {
                let wanted = files.wanted.iter();
                let inputs = wanted.map(|wanted| wanted.path.display().to_string());
                formatter.write_str(&inputs.collect::<Vec<_>>().join(" "))
            }
            Place::Stream { path } => path.display().fmt(formatter),
            Place::StandardInput => formatter.write_str("standard input"),
        }
    }
}

/// The bytes of one pass over a [`Source`].
pub struct Input {
    name: String,
    way: Way,
}

/// How an input is read.
pub(super) enum Way {
    /// A file of JSON lines that can be entered anywhere.
    Plain(Box<dyn Seekable>),
    /// Anything else, as a stream of rows.
    Canonical(Origin),
}

impl Input {
    /// The source's name, for messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name, and how to read.
    pub(super) fn into_parts(self) -> (String, Way) {
        (self.name, self.way)
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

/// Whether an input can be read only once.
fn is_stream(input: &Path) -> Result<bool, SourceError> {
    if input == Path::new("-") {
        return Ok(true);
    }
    match fs::metadata(input) {
        Ok(metadata) => Ok(!metadata.is_dir() && !metadata.is_file()),
        Err(_) if is_pattern(input) || Address::of(input)?.is_some() => Ok(false),
        Err(error) => Err(SourceError::opening(input, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::dataset::{ReadOptions, RowReader};

    fn rows_of(input: Input) -> u64 {
        let mut reader = RowReader::new(input, ReadOptions::default());
        let mut rows = 0;
        while reader.next_row().unwrap().is_some() {
            rows += 1;
        }
        rows
    }

    #[test]
    fn what_cannot_be_read_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing.jsonl");
        let error = Source::open(&path).unwrap_err();
        assert!(matches!(error, SourceError::Missing { .. }));
        assert!(error.to_string().ends_with("or - for standard input"));

        let error = Source::open(folder.path()).unwrap_err();
        assert!(matches!(error, SourceError::NoRowsIn { .. }));
        let two = [path, PathBuf::from("-")];
        assert!(matches!(
            Source::open_all(&two),
            Err(SourceError::Missing { .. })
        ));
        fs::write(&two[0], "").unwrap();
        let error = Source::open_all(&two).unwrap_err().to_string();
        assert!(error.starts_with("- can be read only once"), "{error}");
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
        assert_eq!(rows_of(source.first_pass().unwrap()), 1);
        assert_eq!(rows_of(source.second_pass().unwrap()), 1);
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
        assert_eq!((source.is_files(), source.bytes()), (false, None));
        assert_eq!(rows_of(source.first_pass().unwrap()), 2);
        assert_eq!(rows_of(source.second_pass().unwrap()), 2);
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
