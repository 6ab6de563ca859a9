//! Rows of a dataset that did not become records.

use rusqlite::{Connection, Row, params};

use super::failure::Failure;
use super::session::Session;
use super::values::{Columns, integer};
use crate::store::RejectedRow;

/// Keeps a rejected row; a later one of the same line takes its place.
pub(super) fn keep(session: &mut Session<'_>, run: &str, row: &RejectedRow) -> Result<(), Failure> {
    let run = session.run_id(run)?;
    session
        .prepare(
            "INSERT INTO rejected (run, line, reason, excerpt) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (run, line)
             DO UPDATE SET reason = excluded.reason, excerpt = excluded.excerpt",
        )?
        .execute(params![run, integer(row.line), row.reason, row.excerpt])?;
    Ok(())
}

/// The first rejected rows of a run by line, and how many there are in all.
pub(super) fn list(
    connection: &Connection,
    run: &str,
    limit: usize,
) -> Result<(Vec<RejectedRow>, u64), Failure> {
    let count = connection
        .prepare_cached(
            "SELECT count(*) FROM rejected WHERE run = (SELECT id FROM runs WHERE name = ?1)",
        )?
        .query_row([run], |row| row.get::<_, i64>(0))?;
    let rows = connection
        .prepare_cached(
            "SELECT line, reason, excerpt FROM rejected
             WHERE run = (SELECT id FROM runs WHERE name = ?1) ORDER BY line LIMIT ?2",
        )?
        .query_and_then(params![run, integer(limit as u64)], read)?
        .collect::<Result<_, _>>()?;
    Ok((rows, count.unsigned_abs()))
}

/// The rejected row of one line.
pub(super) fn at(
    connection: &Connection,
    run: &str,
    line: u64,
) -> Result<Option<RejectedRow>, Failure> {
    connection
        .prepare_cached(
            "SELECT line, reason, excerpt FROM rejected
             WHERE run = (SELECT id FROM runs WHERE name = ?1) AND line = ?2",
        )?
        .query_and_then(params![run, integer(line)], read)?
        .next()
        .transpose()
}

/// The rejected rows of a run after a line.
pub(super) fn after(
    connection: &Connection,
    run: &str,
    line: u64,
    limit: usize,
) -> Result<Vec<RejectedRow>, Failure> {
    connection
        .prepare_cached(
            "SELECT line, reason, excerpt FROM rejected
             WHERE run = (SELECT id FROM runs WHERE name = ?1) AND line > ?2
             ORDER BY line LIMIT ?3",
        )?
        .query_and_then(params![run, integer(line), integer(limit as u64)], read)?
        .collect()
}

/// Forgets the rejected rows after a line.
pub(super) fn forget_after(session: &mut Session<'_>, run: &str, line: u64) -> Result<(), Failure> {
    let run = session.run_id(run)?;
    session
        .prepare("DELETE FROM rejected WHERE run = ?1 AND line > ?2")?
        .execute(params![run, integer(line)])?;
    Ok(())
}

fn read(row: &Row<'_>) -> Result<RejectedRow, Failure> {
    let mut columns = Columns::of("rejected", row);
    Ok(RejectedRow {
        line: columns.count()?,
        reason: columns.take()?,
        excerpt: columns.take()?,
    })
}
