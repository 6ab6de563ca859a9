//! What the calls of a run took, over all its processes.

use rusqlite::{Connection, params};

use super::failure::Failure;
use super::session::Session;
use super::values::{Columns, integer};
use crate::model::budget::Spent;

/// Adds to what a run has spent.
pub(super) fn add(session: &mut Session<'_>, run: &str, spent: &Spent) -> Result<(), Failure> {
    let run = session.run_id(run)?;
    session
        .prepare(
            "INSERT INTO spent (run, input, cached, output, unpriced_calls, cost)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (run) DO UPDATE SET
                 input = input + excluded.input,
                 cached = cached + excluded.cached,
                 output = output + excluded.output,
                 unpriced_calls = unpriced_calls + excluded.unpriced_calls,
                 cost = cost + excluded.cost",
        )?
        .execute(params![
            run,
            integer(spent.input),
            integer(spent.cached),
            integer(spent.output),
            integer(spent.unpriced_calls),
            spent.cost,
        ])?;
    Ok(())
}

/// What a run has spent.
pub(super) fn of(connection: &Connection, run: &str) -> Result<Spent, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT run, input, cached, output, unpriced_calls, cost FROM spent
         WHERE run = (SELECT id FROM runs WHERE name = ?1)",
    )?;
    let mut rows = statement.query([run])?;
    let Some(row) = rows.next()? else {
        return Ok(Spent::default());
    };
    let mut columns = Columns::of("spent", row);
    columns.take::<i64>()?;
    Ok(Spent {
        input: columns.count()?,
        cached: columns.count()?,
        output: columns.count()?,
        unpriced_calls: columns.count()?,
        cost: columns.take()?,
    })
}
