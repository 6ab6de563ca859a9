//! One page of transcripts: found by words, in an order, from a cursor, in either direction.

use rusqlite::{Connection, Row, params};

use super::facts::Kept;
use super::names;
use super::{Cursor, Facts, Filter, Index, IndexError, Sort};
use crate::digest::Digest;

/// How far matches are counted; beyond, a page says that there are more.
const MOST_COUNTED: i64 = 10_000;

/// A transcript as a list shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Its place in the store.
    pub position: i64,
    /// The run's name.
    pub run: String,
    /// The record's name.
    pub record: String,
    /// The line of the dataset that it came from.
    pub line: u64,
    /// The digest of the record's content when it was taken in.
    pub content: Digest,
    /// Its facts.
    pub facts: Facts,
    /// How the conversation begins.
    pub excerpt: String,
}

/// A page of transcripts.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The transcripts, in the order that was asked for.
    pub items: Vec<Item>,
    /// Whether there are more in the direction that was asked for.
    pub more: bool,
}

impl Index {
    /// The transcripts that fit, at most `limit` of them, after a cursor or, `backward`, before it.
    ///
    /// # Errors
    ///
    /// When the index cannot be read.
    pub fn page(
        &self,
        filter: &Filter,
        sort: Sort,
        from: Option<Cursor>,
        backward: bool,
        limit: usize,
    ) -> Result<Found, IndexError> {
        let reader = self.reader();
        let Some(query) = filter.query(&reader)? else {
            return Ok(Found::default());
        };
        let mut items = Vec::new();
        for step in steps(sort, from, backward) {
            let wanted = limit + 1 - items.len();
            let word = sort.steps().map(|(letter, _)| format!("{letter}{step}"));
            let query = match word {
                Some(word) => format!("facets:{word} AND {query}"),
                None => query.clone(),
            };
            let edge = from
                .filter(|from| from.step == step || sort.steps().is_none())
                .map(|from| from.position);
            let descending = (sort != Sort::Oldest) != backward;
            items.extend(matches(&reader, &query, edge, descending, wanted)?);
            if items.len() > limit {
                break;
            }
        }
        let more = items.len() > limit;
        items.truncate(limit);
        if backward {
            items.reverse();
        }
        Ok(Found { items, more })
    }

    /// How many transcripts fit, and whether there are more than were counted.
    ///
    /// # Errors
    ///
    /// When the index cannot be read.
    pub fn count(&self, filter: &Filter) -> Result<(u64, bool), IndexError> {
        let reader = self.reader();
        let Some(query) = filter.query(&reader)? else {
            return Ok((0, false));
        };
        let count: i64 = reader
            .prepare_cached(
                "SELECT count(*) FROM (SELECT rowid FROM words WHERE words MATCH ?1 LIMIT ?2)",
            )?
            .query_row(params![query, MOST_COUNTED + 1], |row| row.get(0))?;
        Ok((count.min(MOST_COUNTED).unsigned_abs(), count > MOST_COUNTED))
    }

    /// The transcript of a record in a run, as a list shows it.
    ///
    /// # Errors
    ///
    /// When the index cannot be read.
    pub fn item(&self, run: &str, record: &str) -> Result<Option<Item>, IndexError> {
        let reader = self.reader();
        let sql = format!("{SELECT} WHERE r.name = ?1 AND i.record = ?2");
        let mut statement = reader.prepare_cached(&sql)?;
        let mut rows = statement.query(params![run, record])?;
        match rows.next()? {
            Some(row) => read(&reader, row).map(Some),
            None => Ok(None),
        }
    }
}

/// The steps to go through, the one of the cursor first.
fn steps(sort: Sort, from: Option<Cursor>, backward: bool) -> Vec<u8> {
    let Some((_, highest)) = sort.steps() else {
        return vec![0];
    };
    match (from, backward) {
        (None, false) => (0..=highest).rev().collect(),
        (None, true) => (0..=highest).collect(),
        (Some(from), false) => (0..=from.step.min(highest)).rev().collect(),
        (Some(from), true) => (from.step.min(highest)..=highest).collect(),
    }
}

const SELECT: &str = "SELECT i.position, r.name, i.record, i.line, i.content, i.facts, i.excerpt
     FROM items i JOIN runs r ON r.id = i.run";

fn matches(
    connection: &Connection,
    query: &str,
    edge: Option<i64>,
    descending: bool,
    limit: usize,
) -> Result<Vec<Item>, IndexError> {
    let (comparison, order, far) = if descending {
        ("<", "DESC", i64::MAX)
    } else {
        (">", "ASC", i64::MIN)
    };
    let positions: Vec<i64> = connection
        .prepare_cached(&format!(
            "SELECT rowid FROM words WHERE words MATCH ?1 AND rowid {comparison} ?2
             ORDER BY rowid {order} LIMIT ?3"
        ))?
        .query_map(
            params![
                query,
                edge.unwrap_or(far),
                i64::try_from(limit).unwrap_or(i64::MAX)
            ],
            |row| row.get(0),
        )?
        .collect::<Result<_, _>>()?;
    let mut statement = connection.prepare_cached(&format!("{SELECT} WHERE i.position = ?1"))?;
    let mut items = Vec::with_capacity(positions.len());
    for position in positions {
        let mut rows = statement.query([position])?;
        if let Some(row) = rows.next()? {
            items.push(read(connection, row)?);
        }
    }
    Ok(items)
}

fn read(connection: &Connection, row: &Row<'_>) -> Result<Item, IndexError> {
    let facts = row.get_ref(5)?.as_str().map_err(odd)?;
    let kept: Kept = serde_json::from_str(facts).map_err(odd)?;
    let mut known = std::collections::HashMap::new();
    let numbers = kept.spoken.iter().map(|(id, _, _)| *id);
    for id in numbers.chain(kept.tags.iter().copied()) {
        known.insert(id, names::name(connection, id)?);
    }
    Ok(Item {
        position: row.get(0)?,
        run: row.get(1)?,
        record: row.get(2)?,
        line: row.get::<_, i64>(3)?.unsigned_abs(),
        content: Digest::from_bytes(row.get(4)?),
        facts: kept.open(|id| known.get(&id).cloned().unwrap_or_default()),
        excerpt: row.get(6)?,
    })
}

fn odd(error: impl std::fmt::Display) -> IndexError {
    IndexError::Odd(error.to_string())
}
