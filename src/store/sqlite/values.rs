//! The few conversions between what redraft holds and what a column holds.

use std::fmt::Display;

use rusqlite::types::{FromSql, ToSqlOutput, ValueRef};
use rusqlite::{Row, ToSql};

use super::failure::{Failure, odd};
use crate::digest::Digest;

/// Bytes for a TEXT column. They are JSON, which a person with the `sqlite3` shell wants to see as
/// text; they come back byte for byte.
pub(super) struct Text<'a>(pub(super) &'a [u8]);

impl ToSql for Text<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.0)))
    }
}

/// A count as SQLite's signed integer. No count of ours comes near the limit, but a limit asked
/// for may be `u64::MAX`, which then means what it says.
pub(super) fn integer(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Reads the columns of one row, and names table, row and column of what does not fit.
pub(super) struct Columns<'r, 's> {
    row: &'r Row<'s>,
    table: &'static str,
    next: usize,
}

impl<'r, 's> Columns<'r, 's> {
    /// The columns of a row of `table`, from the first selected one on.
    pub(super) fn of(table: &'static str, row: &'r Row<'s>) -> Self {
        Self {
            row,
            table,
            next: 0,
        }
    }

    /// The next column.
    pub(super) fn take<T: FromSql>(&mut self) -> Result<T, Failure> {
        let column = self.next;
        self.next += 1;
        self.row
            .get(column)
            .map_err(|error| odd(self.place(column), &error))
    }

    /// The next column, a count.
    pub(super) fn count(&mut self) -> Result<u64, Failure> {
        let column = self.next;
        let value: i64 = self.take()?;
        u64::try_from(value).map_err(|_| odd(self.place(column), &format!("{value} is no count")))
    }

    /// The next column, a digest.
    pub(super) fn digest(&mut self) -> Result<Digest, Failure> {
        Ok(Digest::from_bytes(self.take()?))
    }

    /// The next column, bytes whether they are kept as text or not.
    pub(super) fn bytes(&mut self) -> Result<&'r [u8], Failure> {
        let column = self.next;
        self.next += 1;
        self.row
            .get_ref(column)
            .map_err(Failure::from)
            .and_then(|value| {
                value
                    .as_bytes()
                    .map_err(|error| odd(self.place(column), &error))
            })
    }

    /// The next column, read by a function of ours that says why it does not fit.
    pub(super) fn parsed<T, E: Display>(
        &mut self,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, Failure> {
        let column = self.next;
        let text: String = self.take()?;
        parse(&text).map_err(|error| odd(self.place(column), &error))
    }

    fn place(&self, column: usize) -> String {
        let name = self.row.as_ref().column_name(column).unwrap_or("?");
        // The first selected column names the row in every query of ours.
        let row = match self.row.get_ref(0) {
            Ok(ValueRef::Integer(number)) => number.to_string(),
            Ok(ValueRef::Text(text)) => String::from_utf8_lossy(text).into_owned(),
            _ => "?".to_owned(),
        };
        format!("{} {row}, column {name}", self.table)
    }
}
