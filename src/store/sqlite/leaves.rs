//! The leaves of the store's Merkle tree: appended, read back, and never changed.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::failure::Failure;
use super::session::Session;
use super::values::integer;
use crate::merkle::{Hash, leaf_hash};
use crate::record::RecordId;
use crate::store::{Leaf, LeafHash, LoggedEvent, RawTranscript, Stray, TreeCheckpoint};

/// A page ends early when it holds this much, so that long transcripts do not fill the memory.
const PAGE_BYTES: usize = 8 << 20;
/// How many leaves a page has at most.
const PAGE_LEAVES: usize = 4096;

const SELECT: &str = "SELECT l.number, l.hash, l.entry, l.salt, l.position, t.position, r.name,
     t.record, t.line, t.content, t.outcome, t.changed, t.digest, t.times, t.body
     FROM leaves l LEFT JOIN transcripts t ON t.position = l.position
     LEFT JOIN runs r ON r.id = t.run";

/// A transcript's leaf on its way into the tree.
pub(super) struct NewLeaf {
    pub(super) salt: Vec<u8>,
    pub(super) hash: Hash,
    pub(super) entry: String,
}

/// Appends the leaf of a transcript.
pub(super) fn append(
    connection: &Connection,
    position: i64,
    leaf: &NewLeaf,
) -> Result<(), Failure> {
    connection
        .prepare_cached("INSERT INTO leaves (position, salt, hash, entry) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![
            position,
            leaf.salt,
            leaf.hash.as_bytes(),
            leaf.entry,
        ])?;
    Ok(())
}

/// Appends the leaf of an event; gives its index.
pub(super) fn append_event(connection: &Connection, entry: &str) -> Result<u64, Failure> {
    let hash = leaf_hash(entry.as_bytes());
    let number = connection
        .prepare_cached("INSERT INTO leaves (hash, entry) VALUES (?1, ?2)")?
        .insert(params![hash.as_bytes(), entry])?;
    Ok(number.unsigned_abs() - 1)
}

/// What tells this store's tree from all others.
pub(super) fn id(connection: &Connection) -> Result<String, Failure> {
    Ok(connection
        .prepare_cached("SELECT id FROM log")?
        .query_row([], |row| row.get(0))?)
}

/// How many leaves the tree has.
pub(super) fn size(connection: &Connection) -> Result<u64, Failure> {
    let last: Option<i64> = connection
        .prepare_cached("SELECT max(number) FROM leaves")?
        .query_row([], |row| row.get(0))?;
    Ok(last.unwrap_or(0).unsigned_abs())
}

/// The hashes of some leaves.
pub(super) fn hashes(
    connection: &Connection,
    from: u64,
    below: u64,
    limit: usize,
) -> Result<Vec<LeafHash>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT number, hash FROM leaves WHERE number > ?1 AND number <= ?2
         ORDER BY number LIMIT ?3",
    )?;
    let found = statement.query_map(
        params![integer(from), integer(below), integer(limit as u64)],
        |row| {
            Ok(LeafHash {
                index: index(row.get(0)?),
                hash: hash_of(row, 1)?,
            })
        },
    )?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Some leaves with what they are about.
pub(super) fn page(connection: &Connection, from: u64, below: u64) -> Result<Vec<Leaf>, Failure> {
    let sql = format!("{SELECT} WHERE l.number > ?1 AND l.number <= ?2 ORDER BY l.number");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([integer(from), integer(below)])?;
    let (mut leaves, mut bytes) = (Vec::new(), 0);
    while leaves.len() < PAGE_LEAVES && bytes < PAGE_BYTES {
        let Some(row) = rows.next()? else { break };
        let leaf = read(row)?;
        let body = leaf.transcript.as_ref().map_or(0, |found| found.body.len());
        bytes += leaf.entry.len() + body;
        leaves.push(leaf);
    }
    Ok(leaves)
}

/// The leaf of a record's transcript.
pub(super) fn of_record(
    connection: &Connection,
    run: &str,
    record: &RecordId,
) -> Result<Option<Leaf>, Failure> {
    let sql = format!(
        "{SELECT} WHERE l.position = (SELECT position FROM transcripts
         WHERE record = ?2 AND run = (SELECT id FROM runs WHERE name = ?1))"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![run, record.as_str()])?;
    Ok(rows.next()?.map(read).transpose()?)
}

/// Some leaves that are events.
pub(super) fn events(
    connection: &Connection,
    from: u64,
    limit: usize,
) -> Result<Vec<LoggedEvent>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT number, entry FROM leaves WHERE position IS NULL AND number > ?1
         ORDER BY number LIMIT ?2",
    )?;
    let found = statement.query_map([integer(from), integer(limit as u64)], |row| {
        Ok(LoggedEvent {
            index: index(row.get(0)?),
            entry: bytes(row, 1)?,
        })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Transcripts that no leaf is about.
pub(super) fn strays(connection: &Connection, limit: usize) -> Result<Vec<Stray>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT t.position, r.name, t.record FROM transcripts t LEFT JOIN runs r ON r.id = t.run
         WHERE t.position IN (SELECT s.position FROM transcripts s INDEXED BY transcripts_by_run
             WHERE NOT EXISTS (SELECT 1 FROM leaves l WHERE l.position = s.position) LIMIT ?1)
         ORDER BY t.position",
    )?;
    let found = statement.query_map([integer(limit as u64)], |row| {
        Ok(Stray {
            position: row.get(0)?,
            run: text_or_none(row, 1)?,
            record: text(row, 2)?,
        })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Keeps a checkpoint.
pub(super) fn add_checkpoint(
    session: &Session<'_>,
    checkpoint: &TreeCheckpoint,
) -> Result<(), Failure> {
    session
        .prepare("INSERT INTO tree_checkpoints (size, at, frontier, note) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![
            integer(checkpoint.size),
            checkpoint.at,
            checkpoint.frontier,
            checkpoint.note,
        ])?;
    Ok(())
}

/// All checkpoints, the oldest first.
pub(super) fn checkpoints(connection: &Connection) -> Result<Vec<TreeCheckpoint>, Failure> {
    let mut statement = connection
        .prepare_cached("SELECT size, at, frontier, note FROM tree_checkpoints ORDER BY id")?;
    let found = statement.query_map([], |row| {
        Ok(TreeCheckpoint {
            size: row.get::<_, i64>(0)?.unsigned_abs(),
            at: text(row, 1)?,
            frontier: bytes(row, 2)?,
            note: text(row, 3)?,
        })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// The number of a transcript's leaf, and whether its payload is there.
pub(super) fn number_of(
    connection: &Connection,
    position: i64,
) -> Result<Option<(i64, bool)>, Failure> {
    Ok(connection
        .prepare_cached("SELECT number, salt IS NOT NULL FROM leaves WHERE position = ?1")?
        .query_row([position], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

/// Takes the salt of a leaf away.
pub(super) fn forget_salt(connection: &Connection, number: i64) -> Result<(), Failure> {
    connection
        .prepare_cached("UPDATE leaves SET salt = NULL WHERE number = ?1")?
        .execute([number])?;
    Ok(())
}

/// The index of the leaf of that number.
pub(super) fn index(number: i64) -> u64 {
    number.unsigned_abs().saturating_sub(1)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Leaf> {
    let transcript = match row.get::<_, Option<i64>>(5)? {
        None => None,
        Some(_) => Some(RawTranscript {
            run: text_or_none(row, 6)?,
            record: text(row, 7)?,
            line: row.get(8)?,
            content: bytes(row, 9)?,
            outcome: text(row, 10)?,
            changed: row.get(11)?,
            digest: bytes(row, 12)?,
            times: bytes(row, 13)?,
            body: bytes(row, 14)?,
        }),
    };
    Ok(Leaf {
        index: index(row.get(0)?),
        hash: hash_of(row, 1)?,
        entry: bytes(row, 2)?,
        salt: row.get(3)?,
        position: row.get(4)?,
        transcript,
    })
}

fn hash_of(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Hash>> {
    let bytes = row.get_ref(column)?.as_bytes()?;
    Ok(bytes.try_into().ok().map(Hash::from_bytes))
}

fn bytes(row: &Row<'_>, column: usize) -> rusqlite::Result<Vec<u8>> {
    Ok(row.get_ref(column)?.as_bytes()?.to_vec())
}

/// The text of a column, whatever bytes it holds.
fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    let bytes = row.get_ref(column)?.as_bytes()?;
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

fn text_or_none(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<String>> {
    let bytes = row.get_ref(column)?.as_bytes_or_null()?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
}
