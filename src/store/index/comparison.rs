//! Two runs side by side, record by record.

use std::collections::BTreeMap;

use rusqlite::params;

use super::take_in::outcome_of;
use super::{Index, IndexError};
use crate::transcript::Outcome;

/// A record that two runs have, and how it ended in each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sides {
    /// The record's name.
    pub record: String,
    /// How it ended in the first run.
    pub first: Option<Outcome>,
    /// How it ended in the second run.
    pub second: Option<Outcome>,
}

/// How a record ended in two runs; absent where its transcript cannot be read.
pub type Ends = (Option<Outcome>, Option<Outcome>);

const PAIRS: &str = "FROM items a JOIN items b ON b.run = (SELECT id FROM runs WHERE name = ?2)
     AND b.record = a.record WHERE a.run = (SELECT id FROM runs WHERE name = ?1)";

impl Index {
    /// How many records that both runs have ended how in the one and how in the other.
    ///
    /// # Errors
    ///
    /// When the index cannot be read.
    pub fn outcomes_of_both(
        &self,
        first: &str,
        second: &str,
    ) -> Result<BTreeMap<Ends, u64>, IndexError> {
        let sql = format!("SELECT a.outcome, b.outcome, count(*) {PAIRS} GROUP BY 1, 2");
        let reader = self.reader();
        let mut statement = reader.prepare_cached(&sql)?;
        let mut rows = statement.query(params![first, second])?;
        let mut counts = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let key = (outcome_of(row.get(0)?), outcome_of(row.get(1)?));
            counts.insert(key, row.get::<_, i64>(2)?.unsigned_abs());
        }
        Ok(counts)
    }

    /// Records that ended otherwise in the second run than in the first, by name, after one of them:
    /// at most `limit`.
    ///
    /// # Errors
    ///
    /// When the index cannot be read.
    pub fn changed_sides(
        &self,
        first: &str,
        second: &str,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Sides>, IndexError> {
        let sql = format!(
            "SELECT a.record, a.outcome, b.outcome {PAIRS} AND a.record > ?3
             AND a.outcome <> b.outcome ORDER BY a.record LIMIT ?4"
        );
        let reader = self.reader();
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sides = reader
            .prepare_cached(&sql)?
            .query_map(params![first, second, after, limit], |row| {
                Ok(Sides {
                    record: row.get(0)?,
                    first: outcome_of(row.get(1)?),
                    second: outcome_of(row.get(2)?),
                })
            })?
            .collect::<Result<_, _>>()?;
        Ok(sides)
    }
}
