//! Connections: how each kind is opened and set up.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// Rows are about 2 KB and grow, which wants large pages; a key in no order writes a whole page for
/// itself, which wants small ones.
const PAGE_BYTES: i64 = 8 * 1024;
/// What the writer keeps of the file in memory, so that keys in no order find their place.
const WRITER_CACHE_KIB: i64 = 16 * 1024;
/// What a reader keeps; every commit makes it stale.
const READER_CACHE_KIB: i64 = 1024;
/// How many statements a connection keeps prepared: all of ours.
const STATEMENTS: usize = 72;
/// How often a lock that another process holds is tried again, each time after at most 5 ms.
const TRIES: i32 = 6_000;

/// Opens the connection that writes; the file is made if there is none. Nothing in the file is
/// changed: it may be another program's.
pub(super) fn writer(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    wait_for_others(&mut connection)?;
    set_up(&connection)?;
    Ok(connection)
}

/// Makes the file, known to be ours or new, what the writer needs; false when the place cannot
/// hold a write-ahead log.
pub(super) fn prepare_file(connection: &Connection) -> rusqlite::Result<bool> {
    // Before there is a first page; later it says nothing.
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    if !switch_to_wal(connection)? {
        return Ok(false);
    }
    // A reply that was paid for and a transcript that was handed out survive a power cut too. In a
    // group commit the flush costs little.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // After a reader has kept the log from beginning anew, the file shrinks back to this.
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    // Runs are looked up before rows that name them are written, and never deleted.
    connection.pragma_update(None, "foreign_keys", false)?;
    bound_cache(connection, WRITER_CACHE_KIB)?;
    Ok(true)
}

/// SQLite does not wait for a lock while it switches, so that two processes that make one store at
/// once have to try again.
fn switch_to_wal(connection: &Connection) -> rusqlite::Result<bool> {
    let mut tries = 0;
    loop {
        let switched = connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
        match switched {
            Err(error)
                if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy)
                    && pause(tries) =>
            {
                tries += 1;
            }
            switched => return Ok(switched?.eq_ignore_ascii_case("wal")),
        }
    }
}

/// Opens a connection that only reads.
pub(super) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    read_through(Connection::open_with_flags(path, flags)?)
}

/// Opens a connection to a file that nobody can change, in a folder where the files that readers
/// share cannot be made.
pub(super) fn frozen_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let address = format!("file:{}?immutable=1", percent_encoded(path.as_os_str()));
    read_through(Connection::open_with_flags(address, flags)?)
}

fn read_through(mut connection: Connection) -> rusqlite::Result<Connection> {
    wait_for_others(&mut connection)?;
    set_up(&connection)?;
    connection.pragma_update(None, "query_only", true)?;
    bound_cache(&connection, READER_CACHE_KIB)?;
    Ok(connection)
}

/// Bounds what a connection keeps of the file. SQLite counts the pages when it is told, so it must
/// know by then how large they are: the file is looked into first.
fn bound_cache(connection: &Connection, kib: i64) -> rusqlite::Result<()> {
    connection.pragma_query_value(None, "schema_version", |row| row.get::<_, i64>(0))?;
    connection.pragma_update(None, "cache_size", -kib)
}

fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // The file may come from someone else: what its schema calls is not run.
    connection.pragma_update(None, "trusted_schema", false)
}

/// Makes a connection wait, in short steps, while another process writes. SQLite's own steps grow
/// to 100 ms, in which a busy writer comes and goes many times.
pub(super) fn wait_for_others(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.busy_handler(Some(pause))
}

fn pause(tries: i32) -> bool {
    thread::sleep(Duration::from_millis(if tries < 10 { 1 } else { 5 }));
    tries < TRIES
}

fn percent_encoded(path: &OsStr) -> String {
    let mut encoded = String::new();
    for byte in path.as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~:".contains(byte) {
            encoded.push(char::from(*byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
