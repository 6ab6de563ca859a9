//! Writes tables of text, CSV and TSV: strings as they are, what is no string as JSON text, and null
//! as an empty cell.

use std::collections::HashMap;
use std::io::{self, Write};

use crate::dataset::json::{decode_text, is_text};
use crate::dataset::known_columns::KnownColumns;
use crate::dataset::row::parse_row;
use crate::dataset::row_writer::{NotAdded, RowWriter};
use crate::dataset::sink::{Packed, Sink};

/// Writes a table.
pub(super) struct TableWriter {
    packed: Packed,
    separator: u8,
    places: HashMap<String, usize>,
    columns: usize,
    record: Vec<u8>,
}

impl TableWriter {
    /// Begins a table with the names of its columns.
    ///
    /// # Errors
    ///
    /// When writing fails.
    pub(super) fn new(packed: Packed, separator: u8, columns: &KnownColumns) -> io::Result<Self> {
        let names: Vec<String> = columns.in_order().into_keys().collect();
        let mut table = Self {
            packed,
            separator,
            columns: names.len(),
            places: HashMap::new(),
            record: Vec::new(),
        };
        let cells: Vec<Option<&str>> = names.iter().map(|name| Some(name.as_str())).collect();
        if !cells.is_empty() {
            table.write_record(&cells)?;
        }
        table.places = names.into_iter().zip(0..).collect();
        Ok(table)
    }

    fn write_record(&mut self, cells: &[Option<&str>]) -> io::Result<()> {
        self.record.clear();
        for (number, cell) in cells.iter().enumerate() {
            if number > 0 {
                self.record.push(self.separator);
            }
            let text = cell.unwrap_or_default();
            let separator = self.separator;
            let is_odd = |byte: u8| matches!(byte, b'"' | b'\n' | b'\r') || byte == separator;
            // A record that is one empty cell would be an empty line, which is none.
            if text.bytes().any(is_odd) || (text.is_empty() && cells.len() == 1) {
                self.record.push(b'"');
                self.record
                    .extend_from_slice(text.replace('"', "\"\"").as_bytes());
                self.record.push(b'"');
            } else {
                self.record.extend_from_slice(text.as_bytes());
            }
        }
        self.record.push(b'\n');
        self.packed.write_all(&self.record)
    }
}

impl RowWriter for TableWriter {
    fn add(&mut self, row: &[u8]) -> Result<(), NotAdded> {
        let text = std::str::from_utf8(row).unwrap_or_default();
        let cells = parse_row(text).map_err(|error| NotAdded::Misfit {
            column: String::new(),
            what: error.to_string(),
        })?;
        let mut texts = vec![None; self.columns];
        for cell in &cells {
            let Some(&place) = self.places.get(&*cell.name) else {
                return Err(NotAdded::Misfit {
                    column: cell.name.to_string(),
                    what: "rows before have no such column".to_owned(),
                });
            };
            texts[place] = match cell.value {
                "null" => None,
                // What is half a character stays in its spelling.
                value if is_text(value) => {
                    Some(decode_text(value).unwrap_or_else(|_| value.into()))
                }
                value => Some(value.into()),
            };
        }
        let texts: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
        Ok(self.write_record(&texts)?)
    }

    fn finish(self: Box<Self>) -> Result<Sink, NotAdded> {
        Ok(self.packed.finish()?)
    }
}
