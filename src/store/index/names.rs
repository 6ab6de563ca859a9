//! Principles and tags by number: the same name has the same number in all of an index.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

/// The names that a writer has met in its transaction.
pub(super) struct Names<'c> {
    connection: &'c Connection,
    known: HashMap<(&'static str, String), i64>,
}

impl<'c> Names<'c> {
    pub(super) fn new(connection: &'c Connection) -> Self {
        Self {
            connection,
            known: HashMap::new(),
        }
    }

    /// The number of a name, given to it now if it has none.
    pub(super) fn id(&mut self, kind: &'static str, name: &str) -> rusqlite::Result<i64> {
        let key = (kind, name.to_owned());
        if let Some(id) = self.known.get(&key) {
            return Ok(*id);
        }
        let id = match find(self.connection, kind, name)? {
            Some(id) => id,
            None => self
                .connection
                .prepare_cached("INSERT INTO names (kind, name) VALUES (?1, ?2)")?
                .insert(params![kind, name])?,
        };
        self.known.insert(key, id);
        Ok(id)
    }
}

/// The number of a name, if it has one.
pub(super) fn find(
    connection: &Connection,
    kind: &str,
    name: &str,
) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT id FROM names WHERE kind = ?1 AND name = ?2")?
        .query_row(params![kind, name], |row| row.get(0))
        .optional()
}

/// The name of a number; a number that nobody gave has none.
pub(super) fn name(connection: &Connection, id: i64) -> rusqlite::Result<String> {
    let found = connection
        .prepare_cached("SELECT name FROM names WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    Ok(found.unwrap_or_default())
}
