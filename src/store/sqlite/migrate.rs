//! The format of a store's file: recognised, refused or brought up to date, within one transaction.

use rusqlite::Connection;

use super::adopt::adopt;
use super::failure::Failure;
use crate::store::StoreError;

/// `rdft`, in the header of every store.
const APPLICATION: i64 = 0x7264_6674;

/// What leads from each format to the next; the newest format is their number.
pub(super) const STEPS: &[Step] = &[
    Step::of(include_str!("migrations/0001.sql")),
    Step::of(include_str!("migrations/0002.sql")),
    Step::of(include_str!("migrations/0003.sql")),
    Step {
        sql: include_str!("migrations/0004.sql"),
        fill: Some(adopt),
    },
    Step::of(include_str!("migrations/0005.sql")),
];

/// What leads from one format to the next.
#[derive(Clone, Copy)]
pub(super) struct Step {
    sql: &'static str,
    /// What SQL alone cannot compute.
    fill: Option<Fill>,
}

type Fill = fn(&Connection) -> Result<(), Failure>;

impl Step {
    /// A step that is SQL alone.
    const fn of(sql: &'static str) -> Self {
        Self { sql, fill: None }
    }
}

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
    // One statement, and so one moment: another process may be making the store.
    let (application, version, things) = connection.query_row(
        "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)
         FROM pragma_application_id, pragma_user_version",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?)),
    )?;
    if application == APPLICATION {
        return Ok(Format::Store(version));
    }
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
    steps: &[Step],
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
    steps: &[Step],
) -> Result<(), Failure> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let migrated = take_steps(connection, location, steps);
    if migrated.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    migrated
}

fn take_steps(connection: &Connection, location: &str, steps: &[Step]) -> Result<(), Failure> {
    // Asked again, now that no other process can change it.
    let found = known_format(connection, location, steps)?;
    for step in &steps[found..] {
        connection.execute_batch(step.sql)?;
        if let Some(fill) = step.fill {
            fill(connection)?;
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &[Step] = &[
        Step::of("CREATE TABLE runs (name TEXT); INSERT INTO runs VALUES ('kept')"),
        Step::of("ALTER TABLE runs ADD COLUMN state TEXT NOT NULL DEFAULT 'stopped'"),
    ];

    fn store_of(steps: &[Step]) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        migrate(&connection, "a.db", steps).unwrap();
        connection
    }

    fn rows(connection: &Connection) -> rusqlite::Result<String> {
        connection.query_row("SELECT name || ' ' || state FROM runs", [], |row| {
            row.get(0)
        })
    }

    #[test]
    fn an_older_store_takes_the_steps_it_lacks() {
        let connection = store_of(&TWO[..1]);
        assert_eq!(identify(&connection).unwrap(), Format::Store(1));
        migrate(&connection, "a.db", TWO).unwrap();
        assert_eq!(identify(&connection).unwrap(), Format::Store(2));
        assert_eq!(rows(&connection).unwrap(), "kept stopped");
        // And only those, however often it is opened.
        migrate(&connection, "a.db", TWO).unwrap();
        assert_eq!(rows(&connection).unwrap(), "kept stopped");
    }

    #[test]
    fn a_step_that_fails_leaves_the_store_as_it_was() {
        let connection = store_of(&TWO[..1]);
        let failing = [TWO[0], TWO[1], Step::of("INSERT INTO nowhere VALUES (1)")];
        migrate(&connection, "a.db", &failing).unwrap_err();
        assert_eq!(identify(&connection).unwrap(), Format::Store(1));
        assert!(rows(&connection).is_err(), "the second step is undone");
        migrate(&connection, "a.db", TWO).unwrap();
    }

    #[test]
    fn a_newer_store_is_not_touched() {
        let connection = store_of(TWO);
        let error = migrate(&connection, "a.db", &TWO[..1]).unwrap_err();
        assert!(matches!(
            error,
            Failure::Store(StoreError::Newer {
                found: 2,
                known: 1,
                ..
            })
        ));
        assert!(connection.is_autocommit());
    }
}
