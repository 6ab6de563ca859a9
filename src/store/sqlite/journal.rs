//! Journalled calls, and notes about models.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, params};

use super::SqliteStore;
use super::failure::Failure;
use super::session::Session;
use super::values::{Columns, Text};
use crate::digest::Digest;
use crate::model::journal::{Journal, JournalError, JournalledCall};

#[async_trait]
impl Journal for SqliteStore {
    async fn reply(&self, key: Digest) -> Result<Option<Bytes>, JournalError> {
        if self.absent_calls().is_absent(key) {
            return Ok(None);
        }
        Ok(self.readers().look_up(|reader| find(reader, key))?)
    }

    async fn call(&self, key: Digest) -> Result<Option<JournalledCall>, JournalError> {
        Ok(self.readers().look_up(|reader| whole(reader, key))?)
    }

    async fn keep(&self, call: JournalledCall) -> Result<bool, JournalError> {
        let head = Digest::of(call.parts().0);
        let bytes = call.parts().1.len() + call.reply.len();
        let patience = patience(call.latency);
        let absent_calls = Arc::clone(self.absent_calls());
        let work = move |session: &mut Session<'_>| {
            absent_calls.add(call.key);
            keep(session, &call, head)
        };
        Ok(self
            .writer()?
            .write_in_company(bytes, patience, work)
            .await?)
    }

    async fn note(&self, model: &str, name: &str) -> Result<Option<String>, JournalError> {
        Ok(self.readers().look_up(|reader| note(reader, model, name))?)
    }

    async fn set_note(&self, model: &str, name: &str, value: &str) -> Result<(), JournalError> {
        let note = [model, name, value].map(str::to_owned);
        Ok(self
            .writer()?
            .write(0, move |session| set_note(session, &note))
            .await?)
    }

    async fn notes(
        &self,
        model: &str,
        prefix: &str,
    ) -> Result<Vec<(String, String)>, JournalError> {
        Ok(self
            .readers()
            .look_up(|reader| notes(reader, model, prefix))?)
    }

    async fn forget_note(&self, model: &str, name: &str) -> Result<(), JournalError> {
        let note = [model, name].map(str::to_owned);
        Ok(self
            .writer()?
            .write(0, move |session| forget_note(session, &note))
            .await?)
    }
}

/// How long a reply may wait for others to be kept with it: a fiftieth of the time that it took is
/// hardly noticed, nor is a millisecond.
fn patience(latency: Duration) -> Duration {
    (latency / 50).clamp(Duration::from_millis(1), Duration::from_millis(8))
}

fn find(connection: &Connection, key: Digest) -> Result<Option<Bytes>, Failure> {
    let mut statement = connection.prepare_cached("SELECT id, reply FROM calls WHERE key = ?1")?;
    let mut rows = statement.query([key.as_bytes()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let mut columns = Columns::of("calls", row);
    columns.take::<i64>()?;
    Ok(Some(Bytes::copy_from_slice(columns.bytes()?)))
}

/// The call under a key, its request put together again.
fn whole(connection: &Connection, key: Digest) -> Result<Option<JournalledCall>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT c.id, c.model, c.latency_us, c.reply, coalesce(h.text, ''), c.request
         FROM calls c LEFT JOIN heads h ON h.id = c.head WHERE c.key = ?1",
    )?;
    let mut rows = statement.query([key.as_bytes()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let mut columns = Columns::of("calls", row);
    columns.take::<i64>()?;
    let model = columns.take()?;
    let latency = Duration::from_micros(columns.count()?);
    let reply = Bytes::copy_from_slice(columns.bytes()?);
    let (head, own) = (columns.bytes()?, columns.bytes()?);
    Ok(Some(JournalledCall {
        key,
        model,
        request: [head, own].concat().into(),
        head: head.len(),
        reply,
        latency,
    }))
}

/// Keeps a call, unless one is kept under its key: what was built on the first reply stays right.
fn keep(session: &mut Session<'_>, call: &JournalledCall, head: Digest) -> Result<bool, Failure> {
    let (text, own) = call.parts();
    let head = session.head_id(head, text)?;
    let kept = session
        .prepare(
            "INSERT INTO calls (key, model, latency_us, reply, request, head)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (key) DO NOTHING",
        )?
        .execute(params![
            call.key.as_bytes(),
            call.model,
            i64::try_from(call.latency.as_micros()).unwrap_or(i64::MAX),
            call.reply.as_ref(),
            Text(own),
            head,
        ])?;
    Ok(kept == 1)
}

fn note(connection: &Connection, model: &str, name: &str) -> Result<Option<String>, Failure> {
    Ok(connection
        .prepare_cached("SELECT value FROM notes WHERE model = ?1 AND name = ?2")?
        .query_row([model, name], |row| row.get(0))
        .optional()?)
}

fn set_note(session: &mut Session<'_>, note: &[String; 3]) -> Result<(), Failure> {
    session
        .prepare(
            "INSERT INTO notes (model, name, value) VALUES (?1, ?2, ?3)
             ON CONFLICT (model, name) DO UPDATE SET value = excluded.value",
        )?
        .execute(note.each_ref())?;
    Ok(())
}

fn notes(
    connection: &Connection,
    model: &str,
    prefix: &str,
) -> Result<Vec<(String, String)>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT name, value FROM notes
         WHERE model = ?1 AND substr(name, 1, length(?2)) = ?2 ORDER BY name",
    )?;
    let rows = statement.query_map([model, prefix], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn forget_note(session: &mut Session<'_>, note: &[String; 2]) -> Result<(), Failure> {
    session
        .prepare("DELETE FROM notes WHERE model = ?1 AND name = ?2")?
        .execute(note.each_ref())?;
    Ok(())
}
