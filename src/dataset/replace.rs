//! A file that appears under its name whole, or not at all.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// What makes the temporary name; always the same, so that what a killed run left is found again.
const TEMPORARY_SUFFIX: &str = ".redraft-part";

/// How much is gathered before it is written.
const BUFFER_BYTES: usize = 256 << 10;

/// A new file on its way to replace whatever has its name. Unless it is committed, it goes without
/// a trace.
#[derive(Debug)]
pub(super) struct Replacement {
    writer: BufWriter<File>,
    temporary: PathBuf,
    path: PathBuf,
    committed: bool,
}

impl Replacement {
    /// Begins a file beside `path`, in place of one that an earlier, killed run left there.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let temporary = temporary_name(path);
        if is_locked(&temporary) {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        remove_if_there(&temporary)?;
        // Never through a link that someone else put there since.
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&temporary)?;
        // Where files cannot be locked, two writers at once are not found out.
        let _ = file.try_lock();
        Ok(Self {
            writer: BufWriter::with_capacity(BUFFER_BYTES, file),
            temporary,
            path: path.to_path_buf(),
            committed: false,
        })
    }

    /// Makes the file durable and gives it its name.
    pub(super) fn commit(mut self) -> io::Result<()> {
        self.writer.flush()?;
        let file = self.writer.get_ref();
        if let Ok(replaced) = fs::metadata(&self.path) {
            file.set_permissions(replaced.permissions())?;
        }
        file.sync_all()?;
        fs::rename(&self.temporary, &self.path)?;
        self.committed = true;
        sync_folder(&self.path);
        Ok(())
    }
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if !self.committed {
            // The next run replaces what cannot be removed now.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Whether a process that is at work still writes this file.
fn is_locked(path: &Path) -> bool {
    let is_file = fs::symlink_metadata(path).is_ok_and(|found| found.is_file());
    let file = is_file.then(|| OpenOptions::new().write(true).open(path));
    let locked = file.and_then(Result::ok).map(|file| file.try_lock());
    matches!(locked, Some(Err(TryLockError::WouldBlock)))
}

/// Removes a file, and is content when there is none.
pub(super) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The folder that holds `path`.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn temporary_name(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(TEMPORARY_SUFFIX);
    path.with_file_name(name)
}

/// Makes the new name durable, where folders can be opened for that. The file is in place already,
/// so a file system that refuses is no failure.
pub(super) fn sync_folder(path: &Path) {
    if cfg!(unix)
        && let Ok(folder) = File::open(folder_of(path))
    {
        let _ = folder.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.jsonl");
        fs::write(&path, "old").unwrap();
        let mut dropped = Replacement::create(&path).unwrap();
        dropped.write_all(b"new").unwrap();
        drop(dropped);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names(folder.path()), ["out.jsonl"]);

        fs::write(temporary_name(&path), "left by a killed run").unwrap();
        let mut kept = Replacement::create(&path).unwrap();
        kept.write_all(b"new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        kept.commit().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(names(folder.path()), ["out.jsonl"]);
    }

    #[test]
    fn two_writers_of_one_file_do_not_mix() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.jsonl");
        let first = Replacement::create(&path).unwrap();
        let second = Replacement::create(&path).unwrap_err();
        assert_eq!(second.kind(), io::ErrorKind::ResourceBusy);
        first.commit().unwrap();
        Replacement::create(&path).unwrap().commit().unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_replaced_file_keeps_its_permissions() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.jsonl");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        Replacement::create(&path).unwrap().commit().unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o640
        );
    }
}
