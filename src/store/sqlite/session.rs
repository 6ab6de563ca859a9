//! What a write sees of the transaction that it is part of.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use super::failure::Failure;
use super::values::Text;
use crate::digest::Digest;
use crate::store::StoreError;

/// How many heads the writer remembers; a run has a few for each principle.
const HEADS: usize = 4096;

/// What the writer remembers between transactions.
#[derive(Default)]
pub(super) struct Known {
    runs: HashMap<String, i64>,
    heads: HashMap<Digest, i64>,
    /// Seals of this transaction that the rows in `runs` do not count yet.
    uncounted: BTreeMap<i64, i64>,
}

impl Known {
    /// Forgets everything, because the transaction that it came from did not happen.
    pub(super) fn forget(&mut self) {
        self.runs.clear();
        self.heads.clear();
        self.uncounted.clear();
    }
}

/// An open transaction.
pub(super) struct Session<'t> {
    connection: &'t Connection,
    known: &'t mut Known,
}

impl<'t> Session<'t> {
    /// A view on the transaction that is open on `connection`.
    pub(super) fn new(connection: &'t Connection, known: &'t mut Known) -> Self {
        Self { connection, known }
    }

    /// The connection, for reading what the transaction sees.
    pub(super) fn connection(&self) -> &'t Connection {
        self.connection
    }

    /// A statement, prepared once in the life of the store.
    pub(super) fn prepare(&self, sql: &str) -> rusqlite::Result<CachedStatement<'t>> {
        self.connection.prepare_cached(sql)
    }

    /// The number under which rows refer to a run. It never changes, so it is looked up once.
    pub(super) fn run_id(&mut self, run: &str) -> Result<i64, Failure> {
        if let Some(id) = self.known.runs.get(run) {
            return Ok(*id);
        }
        let id = self
            .prepare("SELECT id FROM runs WHERE name = ?1")?
            .query_row([run], |row| row.get(0))
            .optional()?
            .ok_or_else(|| StoreError::UnknownRun {
                run: run.to_owned(),
            })?;
        self.known.runs.insert(run.to_owned(), id);
        Ok(id)
    }

    /// The number under which calls refer to the text that their requests begin with, which is
    /// kept once.
    pub(super) fn head_id(&mut self, digest: Digest, text: &[u8]) -> Result<i64, Failure> {
        if let Some(id) = self.known.heads.get(&digest) {
            return Ok(*id);
        }
        let found = self
            .prepare("SELECT id FROM heads WHERE digest = ?1")?
            .query_row([digest.as_bytes()], |row| row.get(0))
            .optional()?;
        let id = match found {
            Some(id) => id,
            None => self
                .prepare("INSERT INTO heads (digest, text) VALUES (?1, ?2)")?
                .insert(params![digest.as_bytes(), Text(text)])?,
        };
        if self.known.heads.len() == HEADS {
            self.known.heads.clear();
        }
        self.known.heads.insert(digest, id);
        Ok(id)
    }

    /// Counts one more seal of a run. The row in `runs` is written once per transaction.
    pub(super) fn count_seal(&mut self, run: i64) {
        *self.known.uncounted.entry(run).or_default() += 1;
    }

    /// Writes what the transaction has so far only counted.
    pub(super) fn settle(&mut self) -> rusqlite::Result<()> {
        while let Some((run, seals)) = self.known.uncounted.pop_first() {
            self.prepare("UPDATE runs SET sealed = sealed + ?2 WHERE id = ?1")?
                .execute(params![run, seals])?;
        }
        Ok(())
    }

    /// Does several statements or none of them, whatever becomes of the rest of the transaction.
    pub(super) fn atomically<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.prepare("SAVEPOINT work")?.execute([])?;
        let result = work(self);
        if result.is_err() && !self.connection.is_autocommit() {
            self.prepare("ROLLBACK TO work")?.execute([])?;
        }
        if !self.connection.is_autocommit() {
            self.prepare("RELEASE work")?.execute([])?;
        }
        result
    }
}
