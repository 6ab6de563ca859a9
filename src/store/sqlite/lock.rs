//! The lock on a run: a file beside the store that the operating system unlocks when its holder
//! dies, however it dies.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::digest::Digest;
use crate::store::{RunLock, StoreError};

/// How much of a run's name stands in its lock's name, for people.
const NAME_CHARS: usize = 40;

/// A locked file, removed when the lock is given up.
#[derive(Debug)]
pub(super) struct FileLock {
    path: PathBuf,
    /// The lock lives as long as this is open.
    file: Option<File>,
}

impl RunLock for FileLock {}

impl FileLock {
    /// Claims `run` of the store at `store`.
    ///
    /// # Errors
    ///
    /// [`StoreError::RunInUse`] while another holds it.
    pub(super) fn claim(store: &Path, run: &str) -> Result<Self, StoreError> {
        // However a process names the store, the lock has one name.
        let store = fs::canonicalize(store).map_err(backend)?;
        let path = lock_path(&store, run);
        loop {
            let file = File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&path)
                .map_err(|error| cannot_make(&path, &error))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(StoreError::RunInUse {
                        run: run.to_owned(),
                    });
                }
                Err(TryLockError::Error(error)) => return Err(backend(error)),
            }
            // Between opening and locking, the last holder may have removed the file: then the
            // next process would lock another one of the same name.
            if still_named(&file, &path).map_err(backend)? {
                return Ok(Self {
                    path,
                    file: Some(file),
                });
            }
        }
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // Removed while it is still locked, so that nobody else's is. Where an open file cannot be
        // removed it stays, unlocked and harmless.
        let _ = fs::remove_file(&self.path);
        self.file = None;
    }
}

fn lock_path(store: &Path, run: &str) -> PathBuf {
    let readable: String = run
        .chars()
        .take(NAME_CHARS)
        .map(|letter| {
            if letter.is_ascii_alphanumeric() || "-_.".contains(letter) {
                letter
            } else {
                '-'
            }
        })
        .collect();
    let mut name = store.as_os_str().to_owned();
    // The digest tells apart the runs whose names look the same by now.
    let digest = Digest::of(run.as_bytes()).short();
    name.push(OsString::from(format!(".{readable}.{digest}.lock")));
    PathBuf::from(name)
}

#[cfg(unix)]
fn still_named(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let locked = file.metadata()?;
    match fs::metadata(path) {
        Ok(named) => Ok((named.dev(), named.ino()) == (locked.dev(), locked.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(not(unix))]
fn still_named(_: &File, path: &Path) -> io::Result<bool> {
    // An open file's name is not given away before it is closed.
    path.try_exists()
}

fn backend(error: io::Error) -> StoreError {
    StoreError::Backend(Box::new(error))
}

fn cannot_make(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Open {
        location: path.display().to_string(),
        reason: format!("the lock on the run cannot be made: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn store() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("redraft.db");
        fs::write(&path, "").unwrap();
        (folder, path)
    }

    #[test]
    fn a_lock_is_held_by_one_of_many() {
        let (folder, store) = store();
        let (holders, claims) = (AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        if let Ok(lock) = FileLock::claim(&store, "run") {
                            assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0);
                            std::thread::yield_now();
                            claims.fetch_add(1, Ordering::SeqCst);
                            holders.fetch_sub(1, Ordering::SeqCst);
                            drop(lock);
                        }
                    }
                });
            }
        });
        assert!(claims.into_inner() > 0);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn names_of_any_kind_have_locks_of_their_own() {
        let (folder, store) = store();
        let long = "é/".repeat(10_000);
        let names = ["", "a", "a/b", "a-b", "../../x", "nul\0", ".", &long];
        let locks: Vec<_> = names
            .iter()
            .map(|name| FileLock::claim(&store, name).unwrap())
            .collect();
        let files = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(files, names.len() + 1);
        drop(locks);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn two_names_of_one_store_have_one_lock() {
        let (folder, store) = store();
        let link = folder.path().join("link.db");
        std::os::unix::fs::symlink(&store, &link).unwrap();
        let _lock = FileLock::claim(&store, "run").unwrap();
        let error = FileLock::claim(&link, "run").unwrap_err();
        assert!(matches!(error, StoreError::RunInUse { .. }));
    }
}
