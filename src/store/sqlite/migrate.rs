//! The format of a store's file: recognised, refused or brought up to date, within one transaction.

use rusqlite::Connection;

use super::failure::Failure;
use crate::store::StoreError;

/// `rdft`, in the header of every store.
const APPLICATION: i64 = 0x7264_6674;

/// What leads from each format to the next; the newest format is their number.
pub(super) const STEPS: &[&str] = &[include_str!("migrations/0001.sql")];

/// What a file says it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// It holds nothing yet.
    Empty,
    /// It is a store of this format.
    Store(i64),
    /// It is another program's.
    Foreign,
}

/// Reads what the file says it is.
pub(super) fn identify(connection: &Connection) -> rusqlite::Result<Format> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let (application, version) = (number("application_id")?, number("user_version")?);
    if application == APPLICATION {
        return Ok(Format::Store(version));
    }
    let things: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(if (application, version, things) == (0, 0, 0) {
        Format::Empty
    } else {
        Format::Foreign
    })
}

/// The format of a store, zero for an empty file, if `steps` lead on from it.
pub(super) fn known_format(
    connection: &Connection,
    location: &str,
    steps: &[&str],
) -> Result<usize, Failure> {
    let location = location.to_owned();
    let known = steps.len();
    match identify(connection)? {
        Format::Empty => Ok(0),
        Format::Foreign => Err(StoreError::Foreign { location }.into()),
        Format::Store(found) => usize::try_from(found)
            .ok()
            .filter(|found| (1..=known).contains(found))
            .ok_or_else(|| {
                let known = i64::try_from(known).unwrap_or(i64::MAX);
                StoreError::Newer {
                    location,
                    found,
                    known,
                }
                .into()
            }),
    }
}

/// Brings the file to the newest format. It writes even where there is nothing to do, so that a
/// file or a disk that cannot be written is found now and not after the first paid call.
pub(super) fn migrate(
    connection: &Connection,
    location: &str,
    steps: &[&str],
) -> Result<(), Failure> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let migrated = take_steps(connection, location, steps);
    if migrated.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    migrated
}

fn take_steps(connection: &Connection, location: &str, steps: &[&str]) -> Result<(), Failure> {
    // Asked again, now that no other process can change it.
    let found = known_format(connection, location, steps)?;
    for step in &steps[found..] {
        connection.execute_batch(step)?;
    }
    connection.pragma_update(None, "application_id", APPLICATION)?;
    connection.pragma_update(
        None,
        "user_version",
        i64::try_from(steps.len()).unwrap_or(0),
    )?;
    connection.execute_batch("COMMIT")?;
    Ok(())
}
