//! Commands to a run under way, and how it stands.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::failure::Failure;
use super::session::Session;
use super::values::{Columns, integer};
use crate::store::{RunStatus, SentCommand};

const COLUMNS: &str = "number, at, text, answer";

/// Keeps a command until the run takes it; gives its number.
pub(super) fn send(
    session: &mut Session<'_>,
    run: &str,
    text: &str,
    at: &str,
) -> Result<u64, Failure> {
    let run = session.run_id(run)?;
    let number: i64 = session
        .prepare(
            "INSERT INTO commands (run, number, at, text)
             SELECT ?1, 1 + coalesce(max(number), 0), ?2, ?3 FROM commands WHERE run = ?1
             RETURNING number",
        )?
        .query_row(params![run, at, text], |row| row.get(0))?;
    Ok(number.unsigned_abs())
}

/// Whether commands wait.
pub(super) fn any(connection: &Connection, run: &str) -> Result<bool, Failure> {
    Ok(connection
        .prepare_cached(
            "SELECT EXISTS (
                 SELECT 1 FROM commands
                 WHERE run = (SELECT id FROM runs WHERE name = ?1) AND taken IS NULL
             )",
        )?
        .query_row([run], |row| row.get(0))?)
}

/// Takes the commands that wait, the oldest first.
pub(super) fn take(
    session: &mut Session<'_>,
    run: &str,
    at: &str,
) -> Result<Vec<SentCommand>, Failure> {
    let run = session.run_id(run)?;
    let sql =
        format!("SELECT {COLUMNS} FROM commands WHERE run = ?1 AND taken IS NULL ORDER BY number");
    let taken = session
        .prepare(&sql)?
        .query_and_then([run], read)?
        .collect::<Result<Vec<_>, Failure>>()?;
    session
        .prepare("UPDATE commands SET taken = ?2 WHERE run = ?1 AND taken IS NULL")?
        .execute(params![run, at])?;
    Ok(taken)
}

/// Notes what came of a command.
pub(super) fn answer(
    session: &mut Session<'_>,
    run: &str,
    number: u64,
    answer: &str,
) -> Result<(), Failure> {
    let run = session.run_id(run)?;
    session
        .prepare("UPDATE commands SET answer = ?3 WHERE run = ?1 AND number = ?2")?
        .execute(params![run, integer(number), answer])?;
    Ok(())
}

/// The command of that number.
pub(super) fn find(
    connection: &Connection,
    run: &str,
    number: u64,
) -> Result<Option<SentCommand>, Failure> {
    let sql = format!(
        "SELECT {COLUMNS} FROM commands
         WHERE run = (SELECT id FROM runs WHERE name = ?1) AND number = ?2"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![run, integer(number)])?;
    rows.next()?.map(read).transpose()
}

fn read(row: &Row<'_>) -> Result<SentCommand, Failure> {
    let mut columns = Columns::of("commands", row);
    Ok(SentCommand {
        number: columns.count()?,
        at: columns.take()?,
        text: columns.take()?,
        answer: columns.take()?,
    })
}

/// Notes how a run stands.
pub(super) fn set_status(
    session: &mut Session<'_>,
    run: &str,
    status: &RunStatus,
) -> Result<(), Failure> {
    let run = session.run_id(run)?;
    session
        .prepare(
            "INSERT INTO status (run, at, text) VALUES (?1, ?2, ?3)
             ON CONFLICT (run) DO UPDATE SET at = excluded.at, text = excluded.text",
        )?
        .execute(params![run, status.at, status.text])?;
    Ok(())
}

/// How a run stands.
pub(super) fn status(connection: &Connection, run: &str) -> Result<Option<RunStatus>, Failure> {
    Ok(connection
        .prepare_cached(
            "SELECT at, text FROM status WHERE run = (SELECT id FROM runs WHERE name = ?1)",
        )?
        .query_row([run], |row| {
            Ok(RunStatus {
                at: row.get(0)?,
                text: row.get(1)?,
            })
        })
        .optional()?)
}
