//! One row: its columns in order, each with its exact bytes.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::dataset::json::{decode_text, kind_of, message_of, place_in};
use crate::dataset::place::Place;
use crate::dataset::reason::RejectReason;

/// A row whose columns keep the bytes they came with: numbers of any size and spelling, escapes,
/// white space inside values.
#[derive(Clone, Debug)]
pub struct Row {
    text: Box<str>,
    columns: Box<[Column]>,
    place: Place,
    spaced: bool,
}

#[derive(Clone, Debug)]
struct Column {
    /// The name, where it is not simply what stands between the quotes.
    decoded: Option<Box<str>>,
    key: Range<usize>,
    value: Range<usize>,
}

/// One column of a row that is being read.
#[derive(Debug)]
pub(super) struct Cell<'a> {
    /// Its name.
    pub(super) name: Cow<'a, str>,
    /// Its name as it stands, with quotes and escapes.
    pub(super) key: &'a str,
    /// Its value as it stands.
    pub(super) value: &'a str,
}

impl Row {
    /// Keeps the columns of `text`, and the place where an answer goes.
    pub(super) fn new(text: &str, cells: Vec<Cell<'_>>, place: Place) -> Self {
        let spaced = cells.first().is_some_and(|cell| is_spaced(text, cell));
        let columns = cells.into_iter().map(|cell| Column {
            key: place_in(text, cell.key),
            value: place_in(text, cell.value),
            decoded: match cell.name {
                Cow::Borrowed(_) => None,
                Cow::Owned(name) => Some(name.into_boxed_str()),
            },
        });
        Self {
            columns: columns.collect(),
            text: text.into(),
            place,
            spaced,
        }
    }

    /// The columns in order: name and raw JSON.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &str)> {
        self.columns.iter().map(|column| {
            let key = column.key.start + 1..column.key.end - 1;
            let name = column.decoded.as_deref().unwrap_or(&self.text[key]);
            (name, &self.text[column.value.clone()])
        })
    }

    /// The raw JSON of a column.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&str> {
        self.columns()
            .find(|(name, _)| *name == column)
            .map(|(_, value)| value)
    }

    /// The row as it was read.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where an answer goes.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Whether the row is written with a space behind colons and commas.
    pub(super) fn spaced(&self) -> bool {
        self.spaced
    }

    /// Where keys and values stand in [`Row::text`], in the order of [`Row::columns`].
    pub(super) fn places(&self) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
        self.columns
            .iter()
            .map(|column| (column.key.clone(), column.value.clone()))
    }
}

fn is_spaced(text: &str, cell: &Cell<'_>) -> bool {
    text[..place_in(text, cell.value).start].ends_with(' ')
}

/// Takes a line apart into its columns.
pub(super) fn parse_row(text: &str) -> Result<Vec<Cell<'_>>, RejectReason> {
    if !text.trim_ascii_start().starts_with('{') {
        return Err(not_an_object(text));
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let parsed = (&mut deserializer).deserialize_map(Cells);
    let pairs = parsed
        .and_then(|pairs| deserializer.end().map(|()| pairs))
        .map_err(|error| not_json(text, &error))?;

    let mut names = HashSet::with_capacity(pairs.len());
    let mut cells = Vec::with_capacity(pairs.len());
    for (key, value) in &pairs {
        let name = decode_text(key).map_err(|what| RejectReason::BadText {
            column: (*key).to_owned(),
            what,
        })?;
        cells.push(Cell { name, key, value });
    }
    for cell in &cells {
        if !names.insert(&*cell.name) {
            let column = cell.name.to_string();
            return Err(RejectReason::DoubledColumn { column });
        }
    }
    Ok(cells)
}

fn not_json(text: &str, error: &serde_json::Error) -> RejectReason {
    let column = error.column();
    let rest = text.get(column.saturating_sub(1)..).unwrap_or_default();
    // Python writes these as if they were JSON.
    let number = ["NaN", "Infinity"]
        .into_iter()
        .find(|word| rest.starts_with(word));
    let what = match (number, message_of(error)) {
        (Some(word), _) => format!("{word} is not a JSON value"),
        (None, what) if what == "expected ident" => "expected value".to_owned(),
        (None, what) => what.replace("EOF while parsing", "the line ends inside"),
    };
    RejectReason::NotJson { what, column }
}

fn not_an_object(text: &str) -> RejectReason {
    match serde_json::from_str::<&RawValue>(text) {
        Ok(value) => RejectReason::NotAnObject {
            found: kind_of(value.get()),
        },
        Err(error) => not_json(text, &error),
    }
}

/// Reads an object as pairs of raw name and raw value.
struct Cells;

impl<'de> Visitor<'de> for Cells {
    type Value = Vec<(&'de str, &'de str)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::with_capacity(8);
        while let Some(key) = map.next_key::<&RawValue>()? {
            let value = map.next_value::<&RawValue>()?;
            pairs.push((key.get(), value.get()));
        }
        Ok(pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(text: &str) -> Row {
        Row::new(text, parse_row(text).unwrap(), Place::default())
    }

    fn reason(text: &str) -> String {
        parse_row(text).unwrap_err().to_string()
    }

    #[test]
    fn columns_keep_their_order_and_their_bytes() {
        let text =
            r#" {"n": 123456789012345678901234567890.50e+003, "caf\u00e9":[ 1,2 ],"":"\u0041"} "#;
        let row = row(text);
        let columns: Vec<_> = row.columns().collect();
        assert_eq!(
            columns,
            [
                ("n", "123456789012345678901234567890.50e+003"),
                ("café", "[ 1,2 ]"),
                ("", r#""\u0041""#),
            ]
        );
        assert_eq!(row.get("café"), Some("[ 1,2 ]"));
        assert!(row.spaced());
        assert!(parse_row("{}").unwrap().is_empty());
    }

    #[test]
    fn what_is_no_row_says_why() {
        assert_eq!(reason("{\"a\": }"), "not JSON: expected value at column 7");
        assert_eq!(reason("hello"), "not JSON: expected value at column 1");
        assert_eq!(
            reason("{\"a\":NaN}"),
            "not JSON: NaN is not a JSON value at column 6"
        );
        assert_eq!(
            reason("{\"a\":-Infinity}"),
            "not JSON: Infinity is not a JSON value at column 7"
        );
        assert_eq!(reason(" [1]"), "not a JSON object but a list");
        assert_eq!(reason("\"a\""), "not a JSON object but text");
        assert_eq!(reason("null"), "not a JSON object but null");
        assert_eq!(
            reason("{\"a\":1} x"),
            "not JSON: trailing characters at column 9"
        );
        assert_eq!(
            reason("{\"a\":\"b"),
            "not JSON: the line ends inside a string at column 7"
        );
        assert_eq!(
            reason(r#"{"a":1,"\u0061":2}"#),
            "the column `a` stands twice"
        );
        assert_eq!(
            reason("{\"a\":1,\"x\u{1b}[2J\":2,\"x\u{1b}[2J\":3}"),
            "not JSON: control character (\\u0000-\\u001F) found while parsing a string at column 9"
        );
        assert_eq!(
            reason(r#"{"x\u001b[2J":2,"x\u001b[2J":3}"#),
            "the column `x\\u{1b}[2J` stands twice"
        );
    }
}
