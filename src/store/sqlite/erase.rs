//! Erasing a payload: what it said goes, its leaf stays.

use std::path::Path;

use rusqlite::{OptionalExtension, params};
use serde_json::json;

use super::connect;
use super::failure::Failure;
use super::leaves;
use super::session::Session;
use super::values::Text;
use crate::digest::Digest;
use crate::record::RecordId;
use crate::store::{ERASED, Erasure, StoreError};

/// Erases the payload of a record's transcript; gives the index of the event that says so.
pub(super) fn erase(
    session: &mut Session<'_>,
    run: &str,
    record: &RecordId,
    erasure: &Erasure,
) -> Result<u64, Failure> {
    let id = session.run_id(run)?;
    let no_payload = |reason| {
        Failure::from(StoreError::NoPayload {
            record: record.to_string(),
            run: run.to_owned(),
            reason,
        })
    };
    // What was written over is not left on the file's free pages.
    session
        .connection()
        .pragma_update(None, "secure_delete", true)?;
    session.atomically(|session| {
        let connection = session.connection();
        let position: i64 = connection
            .prepare_cached("SELECT position FROM transcripts WHERE record = ?1 AND run = ?2")?
            .query_row(params![record.as_str(), id], |row| row.get(0))
            .optional()?
            .ok_or_else(|| no_payload("it has no transcript there"))?;
        let number = match leaves::number_of(connection, position)? {
            Some((number, true)) => number,
            Some((_, false)) => return Err(no_payload("it was erased already")),
            None => return Err(no_payload("its transcript has no leaf in the log")),
        };
        connection
            .prepare_cached(
                "UPDATE transcripts SET content = ?2, digest = ?3, times = '{\"started\":\"\",\"elapsed_ms\":0}',
                 body = ?4 WHERE position = ?1",
            )?
            .execute(params![
                position,
                ERASED.as_bytes(),
                Digest::of(&erasure.tombstone).as_bytes(),
                Text(&erasure.tombstone),
            ])?;
        for call in &erasure.calls {
            connection
                .prepare_cached("DELETE FROM calls WHERE key = ?1")?
                .execute([call.as_bytes()])?;
        }
        leaves::forget_salt(connection, number)?;
        let mut event = erasure.event.clone();
        event.run = Some(run.to_owned());
        event.more.insert("record".to_owned(), json!(record));
        event.more.insert("erases".to_owned(), json!(leaves::index(number)));
        let tombstone = Digest::of(&erasure.tombstone);
        event.more.insert("tombstone".to_owned(), json!(tombstone));
        leaves::append_event(connection, &event.to_json())
    })
}

/// Brings what was changed into the main file, where it takes the place of what was there, and empties
/// the write-ahead log, which holds what was erased if it is young. Gives whether nobody prevented it.
pub(super) fn empty_log(path: &Path) -> rusqlite::Result<bool> {
    let connection = connect::writer(path)?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
        row.get::<_, bool>(0).map(|is_prevented| !is_prevented)
    })
}
