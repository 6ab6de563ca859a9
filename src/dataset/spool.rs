//! A copy of what was read from a stream, so that a second pass can read it again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A temporary file that only this process can find; it goes when this value goes.
#[derive(Debug)]
pub(super) struct Spool {
    /// Opened apart from the handle that writes, so that each has a place of its own.
    reader: File,
    writer: File,
    path: PathBuf,
    /// Whether the name still has to be removed.
    named: bool,
}

impl Spool {
    /// Makes an empty spool in `folder`.
    pub(super) fn create(folder: &Path) -> io::Result<Self> {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!(".redraft-spool-{}-{count}", std::process::id()));
        let writer = private_file(&path)?;
        let opened = File::open(&path);
        // Where an open file may lose its name, it does so at once: then not even a killed
        // process leaves other people's data behind.
        let named = !(cfg!(unix) && fs::remove_file(&path).is_ok());
        Ok(Self {
            reader: opened?,
            writer,
            path,
            named,
        })
    }

    /// A handle that appends to the spool.
    pub(super) fn writer(&self) -> io::Result<File> {
        self.writer.try_clone()
    }

    /// What has been written so far, from its start. Earlier readers lose their place.
    pub(super) fn read_again(&self) -> io::Result<File> {
        let mut reader = self.reader.try_clone()?;
        reader.seek(SeekFrom::Start(0))?;
        Ok(reader)
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if self.named {
            // Nothing can be done about a file that does not go.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Reads a stream and writes all that it reads into a spool.
pub(super) struct Tee {
    stream: Box<dyn Read + Send>,
    spool: File,
    folder: PathBuf,
}

impl Tee {
    /// Copies what is read from `stream` into `spool`, which lies in `folder`.
    pub(super) fn new(stream: Box<dyn Read + Send>, spool: File, folder: PathBuf) -> Self {
        Self {
            stream,
            spool,
            folder,
        }
    }
}

impl Read for Tee {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer)?;
        match self.spool.write_all(&buffer[..read]) {
            Ok(()) => Ok(read),
            Err(source) => Err(io::Error::new(
                source.kind(),
                SpoolError {
                    folder: self.folder.clone(),
                    source,
                },
            )),
        }
    }
}

/// What was read could not be kept for a second pass.
#[derive(Debug, thiserror::Error)]
#[error("cannot keep a copy of the input in {}; make room there, or give a file as the input", folder.display())]
struct SpoolError {
    folder: PathBuf,
    source: io::Error,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spool_holds_what_was_read_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::create(folder.path()).unwrap();
        let mut tee = Tee::new(
            Box::new(&b"abcdef"[..]),
            spool.writer().unwrap(),
            folder.path().to_path_buf(),
        );
        let mut text = [0; 4];
        tee.read_exact(&mut text).unwrap();
        let mut again = String::new();
        spool
            .read_again()
            .unwrap()
            .read_to_string(&mut again)
            .unwrap();
        assert_eq!(again, "abcd");
        tee.read_to_end(&mut Vec::new()).unwrap();
        again.clear();
        spool
            .read_again()
            .unwrap()
            .read_to_string(&mut again)
            .unwrap();
        assert_eq!(again, "abcdef");
        drop((tee, spool));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_under_the_spool_is_named() {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut tee = Tee::new(Box::new(&b"abc"[..]), full, PathBuf::from("/tmp"));
        let error = tee.read(&mut [0; 3]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(error.to_string().contains("make room there"), "{error}");
    }
}
