//! One file of a dataset: what it is, and the ways in which its bytes are read.
//!
//! Here alone files of rows are opened, on this machine or another: as a stream from their start,
//! again for every pass, and where a format needs it at any place.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::dataset::format::{
    Compression, Format, Named, PARQUET_MAGIC, foreign_extension, foreign_magic,
};
use crate::dataset::gather::Found;
#[cfg(feature = "parquet")]
use crate::dataset::parquet::{ParquetRows, schema};
#[cfg(feature = "parquet")]
use crate::dataset::remote::RemoteFile;
use crate::dataset::remote::RemoteReader;
use crate::dataset::rows::{Rows, begins_with_bracket, read_start, text_rows};
use crate::dataset::source_error::SourceError;

/// Bytes that can be read from any place.
pub(super) trait Seekable: Read + Seek + Send {}

impl<R: Read + Seek + Send> Seekable for R {}

/// One file of rows that can be opened again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    found: Found,
    /// The format; absent where neither name nor magic number say it, so that its text must.
    pub(super) format: Option<Format>,
    /// The compression.
    pub(super) compression: Compression,
    /// How many bytes it held when it was found, where that is known.
    pub(super) bytes: Option<u64>,
}

impl Part {
    /// Looks at a file, and at how it begins and ends.
    ///
    /// # Errors
    ///
    /// When it cannot be opened, or is not what its name says.
    pub(super) fn find(found: Found) -> Result<Self, SourceError> {
        let path = found.path().to_path_buf();
        let cannot = |source| SourceError::opening(&path, source);
        if let Some(format) = foreign_extension(&path) {
            return Err(SourceError::OtherFormat { path, format });
        }
        let bytes = match &found {
            Found::Local(path) => Some(fs::metadata(path).map_err(cannot)?.len()),
            Found::Remote(object) => object.size(),
        };
        let mut part = Self {
            found,
            format: None,
            compression: Compression::None,
            bytes,
        };
        let start = part
            .stream()
            .and_then(|mut stream| read_start(&mut stream, 6));
        part.recognise(&start.map_err(cannot)?)?;
        match part.format {
            Some(Format::Parquet) => part.check_parquet()?,
            Some(Format::Json) | None if part.compression == Compression::None => {
                let is_array = part.stream().and_then(begins_with_bracket);
                part.format = Some(if is_array.map_err(cannot)? {
                    Format::Json
                } else {
                    Format::JsonLines
                });
            }
            _ => {}
        }
        Ok(part)
    }

    /// The file's path, or its address as it may be shown.
    pub(super) fn path(&self) -> &Path {
        self.found.path()
    }

    /// The file's path, if it is on this machine.
    pub(super) fn local_path(&self) -> Option<&Path> {
        match &self.found {
            Found::Local(path) => Some(path),
            Found::Remote(_) => None,
        }
    }

    /// The file's name, for messages.
    pub(super) fn name(&self) -> String {
        self.path().display().to_string()
    }

    /// Its format and compression, in words.
    pub(super) fn described(&self) -> String {
        let format = self.format.unwrap_or(Format::JsonLines);
        match self.compression.as_str() {
            None => format.to_string(),
            Some(compression) => format!("{format} ({compression})"),
        }
    }

    /// What its rows are called.
    pub(super) fn unit(&self) -> &'static str {
        self.format.unwrap_or(Format::JsonLines).unit()
    }

    /// Whether it is plain JSON lines of a known length, which can be entered anywhere.
    pub(super) fn is_plain(&self) -> bool {
        self.format == Some(Format::JsonLines)
            && self.compression == Compression::None
            && self.bytes.is_some()
    }

    /// Its bytes from the start.
    ///
    /// # Errors
    ///
    /// When it cannot be opened any more.
    pub(super) fn stream(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match &self.found {
            Found::Local(path) => Box::new(File::open(path)?),
            Found::Remote(object) => Box::new(RemoteReader::new(object.clone())),
        })
    }

    /// Its bytes at any place.
    ///
    /// # Errors
    ///
    /// When it cannot be opened any more.
    pub(super) fn seekable(&self) -> io::Result<Box<dyn Seekable>> {
        Ok(match &self.found {
            Found::Local(path) => Box::new(File::open(path)?),
            Found::Remote(object) => Box::new(RemoteReader::new(object.clone())),
        })
    }

    /// Its rows from the first.
    ///
    /// # Errors
    ///
    /// When it cannot be opened any more, or is damaged.
    pub(super) fn rows(&self, limit: usize) -> io::Result<Box<dyn Rows>> {
        #[cfg(feature = "parquet")]
        if self.format == Some(Format::Parquet) {
            return match &self.found {
                Found::Local(path) => Ok(Box::new(ParquetRows::new(File::open(path)?, limit)?)),
                Found::Remote(object) => RemoteFile::new(object.clone())?.rows(limit),
            };
        }
        text_rows(self.stream()?, self.format, self.compression, limit)
    }

    /// The columns of a Parquet file; absent where it is none.
    #[cfg(feature = "parquet")]
    pub(super) fn schema(&self) -> Option<io::Result<arrow_schema::SchemaRef>> {
        let read = || match &self.found {
            Found::Local(path) => schema(File::open(path)?),
            Found::Remote(object) => {
                let file = RemoteFile::new(object.clone())?;
                file.telling(schema(file.clone()))
            }
        };
        (self.format == Some(Format::Parquet)).then(read)
    }

    fn recognise(&mut self, start: &[u8]) -> Result<(), SourceError> {
        let Named {
            format,
            compression,
            ..
        } = Named::of(self.path());
        let magic = Compression::of_magic(start);
        let is_parquet = start.starts_with(PARQUET_MAGIC);
        (self.format, self.compression) = (format, compression);
        if compression != Compression::None {
            if format == Some(Format::Parquet) {
                return Err(SourceError::PackedParquet {
                    path: self.path().to_path_buf(),
                    compression: compression.as_str().unwrap_or_default(),
                });
            }
            if magic != compression {
                let named = compression.as_str().unwrap_or_default();
                return Err(self.wrong(named, start));
            }
        } else if let Some(format) = format {
            let fits = match format {
                Format::Parquet => is_parquet,
                _ => !is_parquet && magic == Compression::None && foreign_magic(start).is_none(),
            };
            if !fits {
                return Err(self.wrong(format.as_str(), start));
            }
        } else if is_parquet {
            self.format = Some(Format::Parquet);
        } else if let Some(format) = foreign_magic(start) {
            let path = self.path().to_path_buf();
            return Err(SourceError::OtherFormat { path, format });
        } else {
            self.compression = magic;
        }
        Ok(())
    }

    fn wrong(&self, named: &'static str, start: &[u8]) -> SourceError {
        let found = if start.is_empty() {
            "is empty".to_owned()
        } else if start.starts_with(PARQUET_MAGIC) {
            "begins as Parquet does".to_owned()
        } else if let Some(packed) = Compression::of_magic(start).as_str() {
            format!("begins as {packed} does")
        } else if let Some(format) = foreign_magic(start) {
            format!("begins as {format} does")
        } else {
            "does not begin so".to_owned()
        };
        SourceError::WrongMagic {
            path: self.path().to_path_buf(),
            named,
            found,
            hint: "give it the ending that it is, or get it again",
        }
    }

    /// A file that was cut short lacks its end, and with it all that says where its rows are.
    fn check_parquet(&self) -> Result<(), SourceError> {
        let path = self.path().to_path_buf();
        if !cfg!(feature = "parquet") {
            return Err(SourceError::WithoutParquet { path });
        }
        let end = match &self.found {
            _ if self.bytes.is_some_and(|bytes| bytes < 12) => Ok([0; 4]),
            Found::Local(path) => last_bytes(path),
            Found::Remote(object) => Ok(object.end().try_into().unwrap_or_default()),
        };
        if end.map_err(|source| SourceError::opening(&path, source))? == PARQUET_MAGIC {
            return Ok(());
        }
        Err(SourceError::WrongMagic {
            path,
            named: Format::Parquet.as_str(),
            found: "does not end so: it was cut short".to_owned(),
            hint: "get it again",
        })
    }
}

fn last_bytes(path: &Path) -> io::Result<[u8; 4]> {
    let mut file = File::open(path)?;
    let mut end = [0; 4];
    file.seek(SeekFrom::End(-4))?;
    file.read_exact(&mut end)?;
    Ok(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_name_says_or_its_bytes_do() {
        let folder = tempfile::tempdir().unwrap();
        let find = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            Part::find(Found::Local(path))
                .map(|part| (part.format, part.compression))
                .map_err(|error| error.to_string())
        };
        let gzip = b"\x1f\x8b\x08\0\0\0\0\0";
        let lines = Some(Format::JsonLines);
        assert_eq!(find("a.jsonl", b"{}"), Ok((lines, Compression::None)));
        assert_eq!(find("a.jsonl", b""), Ok((lines, Compression::None)));
        assert_eq!(find("a.jsonl.gz", gzip), Ok((lines, Compression::Gzip)));
        assert_eq!(find("a", gzip), Ok((None, Compression::Gzip)));
        assert_eq!(find("a.txt", b"{}"), Ok((lines, Compression::None)));
        assert_eq!(find("a.json", b"{}"), Ok((lines, Compression::None)));
        let array = Ok((Some(Format::Json), Compression::None));
        assert_eq!(find("a.json", b" [{}]"), array);
        for (name, bytes, said) in [
            (
                "b.jsonl",
                &gzip[..],
                "is named as JSON lines and begins as gzip does",
            ),
            (
                "b.csv",
                b"PAR1",
                "is named as CSV and begins as Parquet does",
            ),
            ("b.csv.gz", b"a,b", "is named as gzip and does not begin so"),
            (
                "b.jsonl.zst",
                gzip,
                "is named as zstd and begins as gzip does",
            ),
            ("b.jsonl.zst", b"", "is named as zstd and is empty"),
            (
                "b.parquet",
                b"{}",
                "is named as Parquet and does not begin so",
            ),
            ("b.parquet.gz", gzip, "is a Parquet file inside of gzip"),
            ("b.xlsx", b"PK", "is a spreadsheet file; convert it"),
            ("b", b"PK\x03\x04", "is a ZIP file; convert it"),
        ] {
            let error = find(name, bytes).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }

    #[cfg(feature = "parquet")]
    #[test]
    fn a_parquet_file_that_was_cut_short_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        for bytes in [&b"PAR1"[..], b"PAR1 and so on, but no end"] {
            fs::write(&path, bytes).unwrap();
            let found = Found::Local(path.clone());
            let error = Part::find(found).unwrap_err().to_string();
            assert!(error.contains("it was cut short; get it again"), "{error}");
        }
    }
}
