//! Taking transcripts into an index, and out of it again.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::facts::Kept;
use super::names::Names;
use super::tallies::Changes;
use super::{Extract, Index, IndexError};
use crate::digest::Digest;
use crate::transcript::Outcome;

/// A transcript on its way into the index.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) position: i64,
    pub(super) line: u64,
    pub(super) record: String,
    pub(super) content: Digest,
    pub(super) extract: Extract,
}

/// How much of a run the index has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) started: String,
    /// The last position that was taken in.
    pub(super) last: i64,
    pub(super) count: u64,
}

/// What forgotten transcripts leave in the index's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trace {
    /// Words, until they are written anew one day.
    Words,
    /// Nothing, once [`Index::forget_words`] has been there.
    None,
}

impl Index {
    /// How much of each run the index has.
    pub(super) fn known(&self) -> Result<BTreeMap<String, Known>, IndexError> {
        let reader = self.reader();
        let mut statement = reader.prepare_cached("SELECT name, started, last, count FROM runs")?;
        let known = statement
            .query_map([], |row| {
                let known = Known {
                    started: row.get(1)?,
                    last: row.get(2)?,
                    count: row.get::<_, i64>(3)?.unsigned_abs(),
                };
                Ok((row.get(0)?, known))
            })?
            .collect::<Result<_, _>>()?;
        Ok(known)
    }

    /// Takes in what follows on `after` in a run, unless another process has; gives how far the run
    /// is taken in.
    pub(super) fn take_in(
        &self,
        run: &str,
        started: &str,
        after: i64,
        batch: &[Taken],
    ) -> Result<Known, IndexError> {
        let mut writer = self.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction
            .prepare_cached(
                "INSERT INTO runs (name, started) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING",
            )?
            .execute([run, started])?;
        let (id, last): (i64, i64) = transaction
            .prepare_cached("SELECT id, last FROM runs WHERE name = ?1")?
            .query_row([run], |row| Ok((row.get(0)?, row.get(1)?)))?;
        if last == after {
            put(&transaction, id, batch)?;
        }
        let known = transaction
            .prepare_cached("SELECT last, count FROM runs WHERE id = ?1")?
            .query_row([id], |row| {
                Ok(Known {
                    started: started.to_owned(),
                    last: row.get(0)?,
                    count: row.get::<_, i64>(1)?.unsigned_abs(),
                })
            })?;
        transaction.commit()?;
        Ok(known)
    }

    /// Forgets transcripts, and takes others in at their places.
    pub(super) fn replace(
        &self,
        run: &str,
        gone: &[i64],
        instead: &[Taken],
        trace: Trace,
    ) -> Result<(), IndexError> {
        let mut writer = self.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let id: Option<i64> = transaction
            .query_row("SELECT id FROM runs WHERE name = ?1", [run], |row| {
                row.get(0)
            })
            .optional()?;
        if let Some(id) = id {
            let reviewed = take_out(&transaction, gone)?;
            if trace == Trace::None {
                transaction.execute("UPDATE source SET residue = 1", [])?;
            }
            insert(&transaction, id, instead, &reviewed)?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// The positions of a run after one of them, in order: at most `limit`.
    pub(super) fn positions(
        &self,
        run: &str,
        after: i64,
        limit: usize,
    ) -> Result<Vec<i64>, IndexError> {
        let reader = self.reader();
        let positions = reader
            .prepare_cached(
                "SELECT position FROM items WHERE run = (SELECT id FROM runs WHERE name = ?1)
                 AND position > ?2 ORDER BY position LIMIT ?3",
            )?
            .query_map(
                params![run, after, i64::try_from(limit).unwrap_or(i64::MAX)],
                |row| row.get(0),
            )?
            .collect::<Result<_, _>>()?;
        Ok(positions)
    }

    /// Writes the file anew if it may hold words of forgotten transcripts: pages that were divided or
    /// tidied keep pieces of what once stood on them, and only that clears them away. Where it is prevented, or
    /// ends on its way, the next time does it.
    pub(super) fn forget_words(&self) -> Result<(), IndexError> {
        let writer = self.writer();
        let residue: Option<bool> = writer
            .query_row("SELECT residue FROM source", [], |row| row.get(0))
            .optional()?;
        if residue != Some(true) {
            return Ok(());
        }
        writer.execute_batch("INSERT INTO words (words) VALUES ('optimize')")?;
        // The copy that is made on the way may be larger than memory.
        writer.pragma_update(None, "temp_store", "FILE")?;
        writer.execute_batch("VACUUM")?;
        writer.pragma_update(None, "temp_store", "MEMORY")?;
        // The log, too, has them until it begins anew; somebody who reads just now may prevent that.
        let is_prevented: bool =
            writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if !is_prevented {
            writer.execute("UPDATE source SET residue = 0", [])?;
        }
        Ok(())
    }
}

fn put(connection: &Connection, run: i64, batch: &[Taken]) -> Result<(), IndexError> {
    insert(connection, run, batch, &BTreeSet::new())?;
    if let Some(last) = batch.last() {
        connection
            .prepare_cached("UPDATE runs SET last = ?2 WHERE id = ?1")?
            .execute(params![run, last.position])?;
    }
    Ok(())
}

fn insert(
    connection: &Connection,
    run: i64,
    batch: &[Taken],
    reviewed: &BTreeSet<i64>,
) -> Result<(), IndexError> {
    let mut names = Names::new(connection);
    let mut changes = Changes::default();
    let mut groups = BTreeMap::new();
    let mut items = connection.prepare_cached(
        "INSERT INTO items (position, run, grp, line, record, outcome, content, facts, excerpt)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    let mut words =
        connection.prepare_cached("INSERT INTO words (rowid, facets, body) VALUES (?1, ?2, ?3)")?;
    for taken in batch {
        let extract = &taken.extract;
        let digest = extract.constitution.as_ref().map(|mark| mark.digest);
        let group = if let Some(group) = groups.get(&digest) {
            *group
        } else {
            let group = group_id(connection, run, extract)?;
            groups.insert(digest, group);
            group
        };
        let mut kept = Kept::of(&extract.facts, &mut names)?;
        if reviewed.contains(&taken.position) {
            kept.mark_reviewed();
        }
        let facts =
            serde_json::to_string(&kept).map_err(|error| IndexError::Odd(error.to_string()))?;
        items.execute(params![
            taken.position,
            run,
            group,
            i64::try_from(taken.line).unwrap_or(i64::MAX),
            taken.record,
            outcome_code(extract.facts.outcome),
            taken.content.as_bytes(),
            facts,
            extract.excerpt,
        ])?;
        words.execute(params![
            taken.position,
            kept.facets(run, group),
            extract.text
        ])?;
        changes.add(group, &kept, 1);
    }
    changes.write(connection)?;
    count(
        connection,
        run,
        i64::try_from(batch.len()).unwrap_or(i64::MAX),
    )
}

/// Forgets transcripts; gives those of them that somebody has reviewed, which no transcript says.
fn take_out(connection: &Connection, gone: &[i64]) -> Result<BTreeSet<i64>, IndexError> {
    let mut changes = Changes::default();
    let mut reviewed = BTreeSet::new();
    for position in gone {
        let found: Option<(i64, i64, String)> = connection
            .prepare_cached("SELECT run, grp, facts FROM items WHERE position = ?1")?
            .query_row([position], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        let Some((run, group, facts)) = found else {
            continue;
        };
        let kept: Kept =
            serde_json::from_str(&facts).map_err(|error| IndexError::Odd(error.to_string()))?;
        if kept.facts().reviewed {
            reviewed.insert(*position);
        }
        changes.add(group, &kept, -1);
        connection
            .prepare_cached("DELETE FROM items WHERE position = ?1")?
            .execute([position])?;
        connection
            .prepare_cached("DELETE FROM words WHERE rowid = ?1")?
            .execute([position])?;
        count(connection, run, -1)?;
    }
    changes.write(connection)?;
    Ok(reviewed)
}

fn count(connection: &Connection, run: i64, more: i64) -> Result<(), IndexError> {
    connection
        .prepare_cached("UPDATE runs SET count = count + ?2 WHERE id = ?1")?
        .execute(params![run, more])?;
    Ok(())
}

fn group_id(connection: &Connection, run: i64, extract: &Extract) -> rusqlite::Result<i64> {
    let mark = extract.constitution.as_ref();
    let digest = mark.map(|mark| mark.digest.to_string()).unwrap_or_default();
    connection
        .prepare_cached(
            "INSERT INTO groups (run, digest, name, version) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (run, digest) DO NOTHING",
        )?
        .execute(params![
            run,
            digest,
            mark.map_or("", |mark| mark.name.as_str()),
            mark.map_or("", |mark| mark.version.as_str()),
        ])?;
    connection
        .prepare_cached("SELECT id FROM groups WHERE run = ?1 AND digest = ?2")?
        .query_row(params![run, digest], |row| row.get(0))
}

/// The number of an outcome in a column: its place, or −1 where there is none.
fn outcome_code(outcome: Option<Outcome>) -> i64 {
    let place = Outcome::ALL
        .iter()
        .position(|known| Some(*known) == outcome);
    place.map_or(-1, |place| i64::try_from(place).unwrap_or(-1))
}

pub(super) fn outcome_of(code: i64) -> Option<Outcome> {
    Outcome::ALL.get(usize::try_from(code).ok()?).copied()
}
