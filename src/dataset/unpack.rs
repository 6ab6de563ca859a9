//! Unpacks compressed bytes as they are read.

use std::fmt;
use std::io::{self, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

use crate::dataset::format::Compression;

/// How much packed text is read at once.
const BUFFER_BYTES: usize = 256 << 10;

/// The bytes behind a compression. What cannot be unpacked is an error of the kind `InvalidData`,
/// so that damage is told from failures to read.
///
/// # Errors
///
/// When the decoder has no memory to begin with.
pub(super) fn unpack(
    packed: Box<dyn Read + Send>,
    compression: Compression,
) -> io::Result<Box<dyn Read + Send>> {
    let Some(name) = compression.as_str() else {
        return Ok(packed);
    };
    let packed = BufReader::with_capacity(BUFFER_BYTES, Checked::new(packed));
    let stream: Box<dyn Read + Send> = match compression {
        Compression::Zstd => Box::new(zstd::Decoder::with_buffer(packed)?),
        _ => Box::new(MultiGzDecoder::new(packed)),
    };
    Ok(Box::new(Unpacked { stream, name }))
}

/// Marks errors of the packed bytes themselves, so that they are not taken for damage.
struct Checked<R> {
    stream: R,
}

impl<R> Checked<R> {
    fn new(stream: R) -> Self {
        Self { stream }
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream
            .read(buffer)
            .map_err(|error| match error.kind() {
                io::ErrorKind::Interrupted => error,
                kind => io::Error::new(kind, NotRead(error)),
            })
    }
}

/// The packed bytes could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NotRead(io::Error);

struct Unpacked {
    stream: Box<dyn Read + Send>,
    name: &'static str,
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer).map_err(|error| {
            let inner = error.get_ref();
            let is_outer = inner
                .and_then(|inner| inner.downcast_ref::<NotRead>())
                .is_some();
            if is_outer || error.kind() == io::ErrorKind::Interrupted {
                return error;
            }
            let damage = Damage {
                name: self.name,
                cut_short: error.kind() == io::ErrorKind::UnexpectedEof,
            };
            io::Error::new(io::ErrorKind::InvalidData, damage)
        })
    }
}

/// Packed bytes that are no such bytes.
#[derive(Debug)]
struct Damage {
    name: &'static str,
    cut_short: bool,
}

impl std::error::Error for Damage {}

impl fmt::Display for Damage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.cut_short {
            "end too early"
        } else {
            "cannot be unpacked"
        };
        write!(formatter, "its {} data {how}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// A disk that may not be read.
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn unpacked(bytes: Vec<u8>, compression: Compression) -> io::Result<String> {
        let mut text = String::new();
        unpack(Box::new(io::Cursor::new(bytes)), compression)?.read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn members_and_frames_follow_one_another() {
        let two = [gzip(b"one\n"), gzip(b"two\n")].concat();
        assert_eq!(unpacked(two, Compression::Gzip).unwrap(), "one\ntwo\n");
        let frame = |text: &[u8]| zstd::encode_all(text, 1).unwrap();
        let two = [frame(b"one\n"), frame(b"two\n")].concat();
        assert_eq!(unpacked(two, Compression::Zstd).unwrap(), "one\ntwo\n");
    }

    #[test]
    fn damage_is_told_from_failures_to_read() {
        let text = b"a line that is long enough to be cut\n".repeat(20);
        for (packed, compression) in [
            (gzip(&text), Compression::Gzip),
            (zstd::encode_all(&text[..], 1).unwrap(), Compression::Zstd),
        ] {
            let cut = packed[..packed.len() - 6].to_vec();
            let error = unpacked(cut, compression).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
            let mut broken = packed.clone();
            let middle = broken.len() / 2;
            broken[middle..].fill(0x55);
            let error = unpacked(broken, compression).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
        }
        for compression in [Compression::Gzip, Compression::Zstd] {
            let mut stream = unpack(Box::new(Failing), compression).unwrap();
            let error = stream.read(&mut [0; 8]).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        }
    }
}
