//! Sealed transcripts.

use rusqlite::{Connection, Row, params};
use serde_json::json;

use super::failure::Failure;
use super::leaves::{self, NewLeaf};
use super::session::Session;
use super::values::{Columns, Text, integer};
use crate::record::RecordId;
use crate::store::{EventEntry, Page, SealMark, SealedRow, StoreError, StoredTranscript};
use crate::transcript::{Outcome, Sealed};

/// A page ends early when it holds this much, so that long transcripts do not fill the memory.
const PAGE_BYTES: usize = 16 << 20;

const SELECT: &str = "SELECT t.position, r.name, t.record, t.line, t.content, t.outcome, t.changed,
     t.digest, t.times, t.body FROM transcripts t JOIN runs r ON r.id = t.run";

/// Keeps a transcript, whose times are given as JSON, and appends its leaf.
pub(super) fn seal(
    session: &mut Session<'_>,
    run: &str,
    row: &SealedRow,
    times: &str,
    leaf: &NewLeaf,
) -> Result<(), Failure> {
    let run = session.run_id(run)?;
    let sealed = &row.sealed;
    let inserted = session
        .prepare(
            "INSERT INTO transcripts
             (run, record, line, content, outcome, changed, digest, times, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (record, run) DO NOTHING",
        )?
        .execute(params![
            run,
            sealed.record.as_str(),
            integer(row.line),
            sealed.content.as_bytes(),
            sealed.outcome.as_str(),
            sealed.changed,
            sealed.digest.as_bytes(),
            times,
            Text(&sealed.body),
        ])?;
    if inserted == 0 {
        return Err(StoreError::AlreadySealed {
            record: sealed.record.to_string(),
        }
        .into());
    }
    let connection = session.connection();
    let position = connection.last_insert_rowid();
    if let Err(failure) = leaves::append(connection, position, leaf) {
        session
            .prepare("DELETE FROM transcripts WHERE position = ?1")?
            .execute([position])?;
        return Err(failure);
    }
    session.count_seal(run);
    Ok(())
}

/// Which content of a record is sealed in a run.
pub(super) fn mark(
    connection: &Connection,
    run: &str,
    record: &RecordId,
) -> Result<Option<SealMark>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT position, content, line FROM transcripts
         WHERE record = ?2 AND run = (SELECT id FROM runs WHERE name = ?1)",
    )?;
    let mut rows = statement.query(params![run, record.as_str()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let mut columns = Columns::of("transcripts", row);
    columns.take::<i64>()?;
    Ok(Some(SealMark {
        content: columns.digest()?,
        line: columns.count()?,
    }))
}

/// The transcript of a record in a run.
pub(super) fn find(
    connection: &Connection,
    run: &str,
    record: &RecordId,
) -> Result<Option<StoredTranscript>, Failure> {
    let sql = format!("{SELECT} WHERE r.name = ?1 AND t.record = ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![run, record.as_str()])?;
    rows.next()?.map(read).transpose()
}

/// The transcripts of a run in the order in which they were sealed.
pub(super) fn page(
    connection: &Connection,
    run: &str,
    after: Option<i64>,
    limit: usize,
) -> Result<Page<StoredTranscript>, Failure> {
    page_where(connection, "", run, after, limit)
}

/// Those of them that wait for a person.
pub(super) fn held(
    connection: &Connection,
    run: &str,
    after: Option<i64>,
    limit: usize,
) -> Result<Page<StoredTranscript>, Failure> {
    page_where(connection, "AND t.outcome = 'held'", run, after, limit)
}

fn page_where(
    connection: &Connection,
    condition: &str,
    run: &str,
    after: Option<i64>,
    limit: usize,
) -> Result<Page<StoredTranscript>, Failure> {
    let limit = limit.max(1);
    let sql = format!(
        "{SELECT} WHERE r.name = ?1 AND t.position > ?2 {condition} ORDER BY t.position LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    // One row too many, unread, tells whether there is a next page.
    let most = integer(limit as u64).saturating_add(1);
    let mut rows = statement.query(params![run, after.unwrap_or(0), most])?;
    let mut items: Vec<StoredTranscript> = Vec::new();
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        if items.len() == limit || bytes >= PAGE_BYTES {
            let next = items.last().map(|last| last.position);
            return Ok(Page { items, next });
        }
        let item = read(row)?;
        bytes += item.row.sealed.body.len();
        items.push(item);
    }
    Ok(Page { items, next: None })
}

/// The positions of a run's transcripts after one position and up to another, in order.
pub(super) fn positions(
    connection: &Connection,
    run: &str,
    after: i64,
    to: i64,
) -> Result<Vec<i64>, Failure> {
    let positions = connection
        .prepare_cached(
            "SELECT position FROM transcripts WHERE run = (SELECT id FROM runs WHERE name = ?1)
             AND position > ?2 AND position <= ?3 ORDER BY position",
        )?
        .query_map(params![run, after, to], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(positions)
}

/// The transcripts of a record in one run, or in every run, the newest first; where no id is exactly
/// `record`, those of the records whose ids begin with it.
pub(super) fn search(
    connection: &Connection,
    run: Option<&str>,
    record: &str,
    limit: usize,
) -> Result<Vec<StoredTranscript>, Failure> {
    // The positions are found in the index alone, so that only what is returned is read.
    let newest = |condition| {
        format!(
            "{SELECT} WHERE t.position IN (SELECT position FROM transcripts WHERE {condition}
             AND (?4 IS NULL OR run = (SELECT id FROM runs WHERE name = ?4))
             ORDER BY position DESC LIMIT ?3) ORDER BY t.position DESC"
        )
    };
    // No text holds the byte 0xFF, so that what begins with `record` stands before this, and
    // nothing else that stands after `record` does.
    let end = [record.as_bytes(), &[0xff]].concat();
    for condition in [
        "record = ?1 AND ?2 IS NOT NULL",
        "record >= ?1 AND record < ?2",
    ] {
        let found: Vec<_> = connection
            .prepare_cached(&newest(condition))?
            .query_and_then(
                params![record, Text(&end), integer(limit as u64), run],
                read,
            )?
            .collect::<Result<_, _>>()?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

/// Takes the transcripts of one outcome out of a run; where there were some, the run's checkpoint
/// goes back to the start.
pub(super) fn unseal(
    session: &mut Session<'_>,
    name: &str,
    outcome: Outcome,
    at: &str,
) -> Result<u64, Failure> {
    let run = session.run_id(name)?;
    session.atomically(|session| {
        withdraw(session, (name, run), outcome, at)?;
        // Spelled out, so that the index of the failed ones serves.
        let sql = format!("DELETE FROM transcripts WHERE run = ?1 AND outcome = '{outcome}'");
        let removed = session.prepare(&sql)?.execute([run])? as u64;
        if removed > 0 {
            session
                .prepare(
                    "UPDATE runs SET sealed = sealed - ?2, lines = 0, bytes = 0, rows = 0,
                     digest = NULL WHERE id = ?1",
                )?
                .execute(params![run, integer(removed)])?;
        }
        Ok(removed)
    })
}

/// Appends an event for each transcript of one outcome that is about to be taken out of a run.
fn withdraw(
    session: &Session<'_>,
    (name, run): (&str, i64),
    outcome: Outcome,
    at: &str,
) -> Result<(), Failure> {
    let connection = session.connection();
    let sql = format!(
        "SELECT position, record FROM transcripts WHERE run = ?1 AND outcome = '{outcome}'
         ORDER BY position"
    );
    let mut statement = session.prepare(&sql)?;
    let mut rows = statement.query([run])?;
    while let Some(row) = rows.next()? {
        let record: String = row.get(1)?;
        let Some((number, _)) = leaves::number_of(connection, row.get(0)?)? else {
            continue;
        };
        leaves::forget_salt(connection, number)?;
        let more = json!({ "record": record, "withdraws": leaves::index(number) });
        let event = EventEntry::new("withdrawn", at, Some(name), more);
        leaves::append_event(connection, &event.to_json())?;
    }
    Ok(())
}

fn read(row: &Row<'_>) -> Result<StoredTranscript, Failure> {
    let mut columns = Columns::of("transcripts", row);
    let position = columns.take()?;
    let run = columns.take()?;
    let record = RecordId::new(columns.take::<String>()?);
    Ok(StoredTranscript {
        run,
        position,
        row: SealedRow {
            line: columns.count()?,
            sealed: Sealed {
                record,
                content: columns.digest()?,
                outcome: columns.parsed(outcome_of)?,
                changed: columns.take()?,
                digest: columns.digest()?,
                times: columns.parsed(|text| serde_json::from_str(text))?,
                body: columns.bytes()?.to_vec(),
            },
        },
    })
}

fn outcome_of(name: &str) -> Result<Outcome, String> {
    Outcome::from_name(name).ok_or_else(|| format!("{name:?} is no outcome"))
}
