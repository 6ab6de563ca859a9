//! What a file of rows is: its format and its compression, by its name and by how it begins.

use std::fmt;
use std::path::Path;

/// How rows stand in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// One object in each line.
    JsonLines,
    /// One array of objects, or else objects in lines, which some name so.
    Json,
    /// A table with commas between its cells.
    Csv,
    /// A table with tabs between its cells.
    Tsv,
    /// Apache Parquet.
    Parquet,
}

/// How a file is compressed as a whole. What Parquet does inside is no concern of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// It is not.
    #[default]
    None,
    /// One or several gzip members.
    Gzip,
    /// Zstandard frames.
    Zstd,
}

impl Format {
    /// The format that an extension names.
    #[must_use]
    pub fn of_extension(extension: &str) -> Option<Self> {
        Some(match extension.to_ascii_lowercase().as_str() {
            "jsonl" | "ndjson" => Self::JsonLines,
            "json" => Self::Json,
            "csv" => Self::Csv,
            "tsv" => Self::Tsv,
            "parquet" => Self::Parquet,
            _ => return None,
        })
    }

    /// The format's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::JsonLines => "JSON lines",
            Self::Json => "JSON",
            Self::Csv => "CSV",
            Self::Tsv => "TSV",
            Self::Parquet => "Parquet",
        }
    }

    /// What one row of it is called where its number is told.
    pub(super) fn unit(self) -> &'static str {
        match self {
            Self::JsonLines => "line",
            _ => "row",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Compression {
    /// The compression that an extension names.
    #[must_use]
    pub fn of_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "gz" => Some(Self::Gzip),
            "zst" => Some(Self::Zstd),
            _ => None,
        }
    }

    /// The compression's name; absent where there is none.
    #[must_use]
    pub fn as_str(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
        }
    }

    /// The compression of what begins with these bytes.
    pub(super) fn of_magic(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::None,
        }
    }
}

/// How a Parquet file begins and ends.
pub(super) const PARQUET_MAGIC: &[u8] = b"PAR1";

/// What a name says about a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// The name without what names format and compression; of another name, without its extension.
    pub(super) stem: String,
    /// The format, if the name has one.
    pub(super) format: Option<Format>,
    /// The compression.
    pub(super) compression: Compression,
}

impl Named {
    /// Takes the last part of a path apart.
    pub(super) fn of(path: &Path) -> Self {
        let name = path.file_name().unwrap_or(path.as_os_str());
        let name = name.to_string_lossy();
        let mut rest = name.as_ref();
        let mut compression = Compression::None;
        if let Some((before, found)) = split(rest)
            .and_then(|(stem, extension)| Some((stem, Compression::of_extension(extension)?)))
        {
            (rest, compression) = (before, found);
        }
        let format = split(rest).and_then(|(_, extension)| Format::of_extension(extension));
        if let Some((stem, _)) = split(rest) {
            rest = stem;
        }
        Self {
            stem: rest.to_owned(),
            format,
            compression,
        }
    }
}

fn split(name: &str) -> Option<(&str, &str)> {
    name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty())
}

/// What a file is that cannot be read here, by its extension.
pub(super) fn foreign_extension(path: &Path) -> Option<&'static str> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    Some(match extension.as_str() {
        "arrow" | "feather" => "Arrow",
        "bz2" => "bzip2",
        "xz" => "xz",
        "zip" => "ZIP",
        "tar" | "tgz" => "tar",
        "db" | "sqlite" => "database",
        "xlsx" | "xls" => "spreadsheet",
        _ => return None,
    })
}

/// What a file is that is no text, by how it begins.
pub(super) fn foreign_magic(start: &[u8]) -> Option<&'static str> {
    Some(match start {
        [b'B', b'Z', b'h', ..] => "bzip2",
        [0xfd, b'7', b'z', b'X', ..] => "xz",
        [b'P', b'K', 3, 4, ..] => "ZIP",
        [b'A', b'R', b'R', b'O', ..] => "Arrow",
        [b'S', b'Q', b'L', b'i', ..] => "database",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> (String, Option<Format>, Compression) {
        let named = Named::of(Path::new(name));
        (named.stem, named.format, named.compression)
    }

    #[test]
    fn a_name_tells_format_and_compression() {
        use Compression::{Gzip, None as Plain, Zstd};
        for (name, stem, format, compression) in [
            ("a/rows.jsonl", "rows", Some(Format::JsonLines), Plain),
            ("rows.v2.CSV.GZ", "rows.v2", Some(Format::Csv), Gzip),
            ("rows.json.zst", "rows", Some(Format::Json), Zstd),
            ("rows.gz", "rows", None, Gzip),
            ("rows.txt", "rows", None, Plain),
            ("rows", "rows", None, Plain),
            (".jsonl", ".jsonl", None, Plain),
        ] {
            assert_eq!(
                named(name),
                (stem.to_owned(), format, compression),
                "{name}"
            );
        }
    }
}
