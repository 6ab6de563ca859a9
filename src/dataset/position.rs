//! How far a source has been read, in a form that a later run can check before it goes on there.

use std::io::{self, SeekFrom};

use serde::{Deserialize, Serialize};

use crate::dataset::part::Seekable;
use crate::digest::Digest;

/// How much is asked of a source at once; large enough for the hash to run at full width.
pub(super) const CHUNK_BYTES: usize = 1 << 20;

/// How far a source has been read, and what it held up to there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Lines read, empty ones included.
    pub lines: u64,
    /// Bytes read.
    pub bytes: u64,
    /// The digest of those bytes.
    pub digest: Digest,
}

/// Moves `file` behind `position`, if it holds the same bytes up to there, and else to its start.
/// The hash is the one that stands at the new place; it is absent at the start.
pub(super) fn move_to(
    file: &mut dyn Seekable,
    position: &Position,
) -> io::Result<Option<blake3::Hasher>> {
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(0))?;
    let hasher = if length < position.bytes {
        None
    } else {
        hash_start(file, position.bytes)?
    };
    match hasher {
        Some(hasher) if Digest::from_hash(hasher.finalize()) == position.digest => Ok(Some(hasher)),
        _ => {
            file.seek(SeekFrom::Start(0))?;
            Ok(None)
        }
    }
}

/// The hash of the next `bytes` bytes, or nothing when there are fewer.
fn hash_start(file: &mut dyn Seekable, bytes: u64) -> io::Result<Option<blake3::Hasher>> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; CHUNK_BYTES];
    let mut left = bytes;
    while left > 0 {
        let wanted = usize::try_from(left).map_or(CHUNK_BYTES, |left| left.min(CHUNK_BYTES));
        match file.read(&mut buffer[..wanted]) {
            Ok(0) => return Ok(None),
            Ok(read) => {
                hasher.update(&buffer[..read]);
                left -= read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Some(hasher))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Seek as _;

    use super::*;

    fn position(bytes: &[u8]) -> Position {
        Position {
            lines: 1,
            bytes: bytes.len() as u64,
            digest: Digest::of(bytes),
        }
    }

    #[test]
    fn a_file_is_entered_only_behind_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        std::fs::write(&path, "one\ntwo\n").unwrap();
        let mut file = File::open(&path).unwrap();
        assert!(move_to(&mut file, &position(b"one\n")).unwrap().is_some());
        assert_eq!(file.stream_position().unwrap(), 4);
        for other in [&b"eno\n"[..], b"one\ntwo\nthree\n"] {
            assert!(move_to(&mut file, &position(other)).unwrap().is_none());
            assert_eq!(file.stream_position().unwrap(), 0);
        }
    }
}
