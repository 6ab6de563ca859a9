//! Where the bytes of an output go: to a file or an object on its way, a pipe, or a shard; packed or
//! not.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use flate2::write::GzEncoder;

use crate::dataset::format::Compression;
use crate::dataset::remote::{Bucket, Upload};
use crate::dataset::replace::Replacement;

/// How hard zstd tries.
const ZSTD_LEVEL: i32 = 3;

/// The bytes' last stop.
pub(super) enum Sink {
    /// A file that has its name when it is whole.
    File(Replacement),
    /// An object on another machine, likewise.
    Object(Upload),
    /// A pipe or device, or standard output.
    Direct(Box<dyn Write + Send>),
    /// A file in a folder that has its name when it is whole.
    Shard(BufWriter<File>),
}

impl Sink {
    /// A sink that gives everything on.
    pub(super) fn direct(writer: impl Write + Send + 'static) -> Self {
        Self::Direct(Box::new(BufWriter::new(writer)))
    }

    /// A new file at `path`, or an object there in a bucket.
    ///
    /// # Errors
    ///
    /// When the file cannot be made.
    pub(super) fn create(path: &Path, bucket: Option<&Bucket>) -> io::Result<Self> {
        match bucket {
            Some(bucket) => Ok(Self::Object(bucket.upload(path))),
            None => Replacement::create(path).map(Self::File),
        }
    }

    /// Makes what was written durable and gives it its name, unless it is a shard, which gets its
    /// name with the others.
    ///
    /// # Errors
    ///
    /// When writing fails.
    pub(super) fn commit(self) -> io::Result<()> {
        match self {
            Self::File(file) => file.commit(),
            Self::Object(object) => Ok(object.commit()?),
            Self::Direct(mut writer) => writer.flush(),
            Self::Shard(_) => Ok(()),
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Object(object) => object.write(bytes),
            Self::Direct(writer) => writer.write(bytes),
            Self::Shard(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Object(object) => object.flush(),
            Self::Direct(writer) => writer.flush(),
            Self::Shard(file) => file.flush(),
        }
    }
}

/// A sink behind a compression.
pub(super) enum Packed {
    Plain(Sink),
    Gzip(GzEncoder<Sink>),
    Zstd(zstd::Encoder<'static, Sink>),
}

impl Packed {
    /// Puts a compression before a sink.
    ///
    /// # Errors
    ///
    /// When the encoder has no memory to begin with.
    pub(super) fn new(sink: Sink, compression: Compression) -> io::Result<Self> {
        Ok(match compression {
            Compression::None => Self::Plain(sink),
            Compression::Gzip => Self::Gzip(GzEncoder::new(sink, flate2::Compression::default())),
            Compression::Zstd => {
                let mut encoder = zstd::Encoder::new(sink, ZSTD_LEVEL)?;
                encoder.include_checksum(true)?;
                Self::Zstd(encoder)
            }
        })
    }

    /// Writes what the compression still holds, and gives the sink back.
    ///
    /// # Errors
    ///
    /// When writing fails.
    pub(super) fn finish(self) -> io::Result<Sink> {
        match self {
            Self::Plain(sink) => Ok(sink),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }
}

impl Write for Packed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(sink) => sink.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(sink) => sink.flush(),
            Self::Gzip(encoder) => encoder.flush(),
            Self::Zstd(encoder) => encoder.flush(),
        }
    }
}
