//! Runs and their checkpoints.

use rusqlite::{Connection, Row, params};
use serde_json::json;

use super::failure::{Failure, odd};
use super::leaves;
use super::session::Session;
use super::values::{Columns, integer};
use crate::digest::Digest;
use crate::store::{Checkpoint, EventEntry, NewRun, RunRow, RunState, StoreError};

const COLUMNS: &str = "name, dataset, decided_by, scope, started, state, updated, sealed";

/// Begins a run, or finds the one of that name and marks it as running.
pub(super) fn open(session: &mut Session<'_>, run: &NewRun) -> Result<RunRow, Failure> {
    session.settle()?;
    if find(session.connection(), &run.name)?.is_none() {
        let more = json!({
            "dataset": run.dataset,
            "decided_by": run.decided_by,
            "scope": run.scope,
        });
        let event = EventEntry::new("began", &run.started, Some(&run.name), more);
        leaves::append_event(session.connection(), &event.to_json())?;
    }
    session
        .prepare(
            "INSERT INTO runs (name, dataset, decided_by, scope, started, state, updated)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?5)
             ON CONFLICT (name) DO UPDATE SET state = excluded.state, updated = excluded.updated",
        )?
        .execute(params![
            run.name,
            run.dataset,
            run.decided_by.to_string(),
            run.scope,
            run.started,
            state_name(RunState::Running),
        ])?;
    find(session.connection(), &run.name)?.ok_or_else(|| {
        odd(
            format!("runs {}", run.name),
            &"it is gone right after it was written",
        )
    })
}

/// The run of that name.
pub(super) fn find(connection: &Connection, name: &str) -> Result<Option<RunRow>, Failure> {
    let sql = format!("SELECT {COLUMNS} FROM runs WHERE name = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([name])?;
    rows.next()?.map(read).transpose()
}

/// Every run, the one that was last worked on first.
pub(super) fn all(connection: &Connection) -> Result<Vec<RunRow>, Failure> {
    // Without its Z, a time with a fraction of a second sorts after the one without.
    let sql = format!("SELECT {COLUMNS} FROM runs ORDER BY rtrim(updated, 'Z') DESC, id DESC");
    connection
        .prepare_cached(&sql)?
        .query_and_then([], read)?
        .collect()
}

/// Notes how far a run is.
pub(super) fn set_state(
    session: &mut Session<'_>,
    name: &str,
    state: RunState,
    at: &str,
) -> Result<(), Failure> {
    let changed = session
        .prepare("UPDATE runs SET state = ?2, updated = ?3 WHERE name = ?1")?
        .execute(params![name, state_name(state), at])?;
    found(changed, name)
}

/// How far from its start the dataset of a run is done.
pub(super) fn checkpoint(connection: &Connection, name: &str) -> Result<Checkpoint, Failure> {
    let mut statement = connection
        .prepare_cached("SELECT name, lines, bytes, rows, digest FROM runs WHERE name = ?1")?;
    let mut rows = statement.query([name])?;
    let Some(row) = rows.next()? else {
        return Ok(Checkpoint::default());
    };
    let mut columns = Columns::of("runs", row);
    columns.take::<String>()?;
    Ok(Checkpoint {
        lines: columns.count()?,
        bytes: columns.count()?,
        rows: columns.count()?,
        digest: columns.take::<Option<_>>()?.map(Digest::from_bytes),
    })
}

/// Notes how far from its start the dataset of a run is done.
pub(super) fn set_checkpoint(
    session: &mut Session<'_>,
    name: &str,
    checkpoint: &Checkpoint,
) -> Result<(), Failure> {
    let changed = session
        .prepare(
            "UPDATE runs SET lines = ?2, bytes = ?3, rows = ?4, digest = ?5
             WHERE name = ?1",
        )?
        .execute(params![
            name,
            integer(checkpoint.lines),
            integer(checkpoint.bytes),
            integer(checkpoint.rows),
            checkpoint.digest.as_ref().map(Digest::as_bytes),
        ])?;
    found(changed, name)
}

fn found(changed: usize, name: &str) -> Result<(), Failure> {
    if changed == 0 {
        return Err(StoreError::UnknownRun {
            run: name.to_owned(),
        }
        .into());
    }
    Ok(())
}

fn read(row: &Row<'_>) -> Result<RunRow, Failure> {
    let mut columns = Columns::of("runs", row);
    Ok(RunRow {
        run: NewRun {
            name: columns.take()?,
            dataset: columns.take()?,
            decided_by: columns.parsed(|text| serde_json::from_str(text))?,
            scope: columns.take()?,
            started: columns.take()?,
        },
        state: columns.parsed(state_of)?,
        updated: columns.take()?,
        sealed: columns.count()?,
    })
}

fn state_name(state: RunState) -> &'static str {
    match state {
        RunState::Running => "running",
        RunState::Stopped => "stopped",
        RunState::Finished => "finished",
    }
}

fn state_of(name: &str) -> Result<RunState, String> {
    [RunState::Running, RunState::Stopped, RunState::Finished]
        .into_iter()
        .find(|state| state_name(*state) == name)
        .ok_or_else(|| format!("{name:?} is no state of a run"))
}
