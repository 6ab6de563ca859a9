//! The index's file: opened, recognised, or begun anew.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, TransactionBehavior};

use super::IndexError;

/// `rdix`, in the header of every index.
const APPLICATION: i64 = 0x7264_6978;
/// The version of the schema and of what facts mean; another one is another index.
const VERSION: i64 = 3;
const SCHEMA: &str = include_str!("schema.sql");
/// How many pages can be made at once.
const READERS: usize = 3;
const CACHE_KIB: i64 = 32 * 1024;

/// The index of one store.
pub struct Index {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Vec<Mutex<Connection>>,
}

impl Index {
    /// Opens the index at `path`; one of another version, or none, begins empty.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened or made, or is something else.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, IndexError> {
        let path = path.into();
        let location = || path.display().to_string();
        let failed = |source: rusqlite::Error| match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => IndexError::Foreign {
                location: location(),
            },
            _ => IndexError::Open {
                location: location(),
                source,
            },
        };
        let mut writer = connect(&path, true).map_err(failed)?;
        match recognise(&writer) {
            Ok(Kind::Ours) => {}
            Ok(Kind::Empty) => begin(&writer).map_err(failed)?,
            Ok(Kind::Older) => {
                drop(writer);
                delete(&path);
                writer = connect(&path, true).map_err(failed)?;
                begin(&writer).map_err(failed)?;
            }
            Ok(Kind::Foreign) => {
                return Err(IndexError::Foreign {
                    location: location(),
                });
            }
            Err(error) => return Err(failed(error)),
        }
        let readers = (0..READERS)
            .map(|_| connect(&path, false).map(Mutex::new))
            .collect::<Result<_, _>>()
            .map_err(failed)?;
        Ok(Self {
            path,
            writer: Mutex::new(writer),
            readers,
        })
    }

    /// Where the index of the store at `store` is, unless somebody says otherwise.
    #[must_use]
    pub fn beside(store: &Path) -> PathBuf {
        let mut path = store.as_os_str().to_owned();
        path.push(".index");
        path.into()
    }

    /// The log of the store that it is of, and how many of its leaves were looked through.
    pub(super) fn source(&self) -> Result<Option<(String, u64)>, IndexError> {
        let found = self
            .reader()
            .query_row("SELECT log, events FROM source", [], |row| {
                Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs()))
            })
            .optional()?;
        Ok(found)
    }

    /// Forgets everything, and is of the store with this log from now on.
    pub(super) fn begin_anew(&self, log: &str) -> Result<(), IndexError> {
        let mut writer = self.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(
            "DELETE FROM source; DELETE FROM runs; DELETE FROM groups; DELETE FROM names;
             DELETE FROM items; DELETE FROM tallies; INSERT INTO words (words) VALUES ('delete-all')",
        )?;
        transaction.execute("INSERT INTO source (log, events) VALUES (?1, 0)", [log])?;
        transaction.commit()?;
        Ok(())
    }

    /// Notes that the leaves below this one were looked through.
    pub(super) fn looked_through(&self, below: u64) -> Result<(), IndexError> {
        let below = i64::try_from(below).unwrap_or(i64::MAX);
        self.writer()
            .execute("UPDATE source SET events = ?1", [below])?;
        Ok(())
    }

    pub(super) fn writer(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection for reading that nobody uses, or else the first.
    pub(super) fn reader(&self) -> MutexGuard<'_, Connection> {
        let free = self
            .readers
            .iter()
            .find_map(|reader| match reader.try_lock() {
                Ok(guard) => Some(guard),
                Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => None,
            });
        free.unwrap_or_else(|| {
            self.readers[0]
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        })
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Index")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

fn connect(path: &Path, writes: bool) -> rusqlite::Result<Connection> {
    let flags = if writes {
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
    } else {
        OpenFlags::SQLITE_OPEN_READ_ONLY
    };
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(Duration::from_secs(60))?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

enum Kind {
    Empty,
    Ours,
    Older,
    Foreign,
}

fn recognise(connection: &Connection) -> rusqlite::Result<Kind> {
    let (application, version, things) = connection.query_row(
        "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)
         FROM pragma_application_id, pragma_user_version",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?)),
    )?;
    Ok(match (application, version, things) {
        (APPLICATION, VERSION, _) => Kind::Ours,
        (APPLICATION, _, _) => Kind::Older,
        (0, 0, 0) => Kind::Empty,
        _ => Kind::Foreign,
    })
}

fn begin(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "page_size", 8 * 1024)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    // Two processes may begin one index at once.
    if let Kind::Empty = recognise(connection)? {
        connection.execute_batch(SCHEMA)?;
        connection.pragma_update(None, "application_id", APPLICATION)?;
        connection.pragma_update(None, "user_version", VERSION)?;
    }
    connection.execute_batch("COMMIT")
}

fn delete(path: &Path) {
    for ending in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(ending);
        // What cannot be deleted is found when it is opened again.
        let _ = fs::remove_file(file);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_of_another_version_begins_anew_and_another_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = Index::beside(&folder.path().join("a.db"));
        assert!(path.ends_with("a.db.index"));
        let index = Index::open(&path).unwrap();
        let insert = "INSERT INTO runs (name, started) VALUES ('a', '')";
        index.writer().execute_batch(insert).unwrap();
        index
            .writer()
            .pragma_update(None, "user_version", VERSION + 1)
            .unwrap();
        drop(index);
        let index = Index::open(&path).unwrap();
        let runs: i64 = index
            .reader()
            .query_row("SELECT count(*) FROM runs", [], |row| row.get(0))
            .unwrap();
        assert_eq!(runs, 0);

        let other = folder.path().join("other.db");
        let theirs = Connection::open(&other).unwrap();
        theirs.execute_batch("CREATE TABLE theirs (x)").unwrap();
        assert!(matches!(
            Index::open(&other),
            Err(IndexError::Foreign { .. })
        ));
        theirs.execute_batch("SELECT * FROM theirs").unwrap();
        fs::write(folder.path().join("text"), "no database at all").unwrap();
        let text = Index::open(folder.path().join("text"));
        assert!(matches!(text, Err(IndexError::Foreign { .. })), "{text:?}");
    }
}
