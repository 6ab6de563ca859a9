//! Writes rows, given as lines of JSON text, in a format.

use std::io::{self, Write};

use crate::dataset::format::Format;
use crate::dataset::known_columns::KnownColumns;
#[cfg(feature = "parquet")]
use crate::dataset::parquet::ParquetWriter;
use crate::dataset::sink::{Packed, Sink};
use crate::dataset::table_writer::TableWriter;

/// Writes the rows of one file.
pub(super) trait RowWriter: Send {
    /// Adds a row.
    ///
    /// # Errors
    ///
    /// When it does not fit the columns that are known, or writing fails. The writer is of no more
    /// use then.
    fn add(&mut self, row: &[u8]) -> Result<(), NotAdded>;

    /// Ends the file, and gives back what it was written to.
    ///
    /// # Errors
    ///
    /// When a row that was added last does not fit, or writing fails.
    fn finish(self: Box<Self>) -> Result<Sink, NotAdded>;
}

/// Why a row could not be added.
#[derive(Debug)]
pub(super) enum NotAdded {
    /// A column is not known, or holds something else than is known.
    Misfit {
        /// The column.
        column: String,
        /// What does not fit.
        what: String,
    },
    /// The file could not be written.
    Write(io::Error),
}

impl From<io::Error> for NotAdded {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

/// Begins to write a file.
///
/// # Errors
///
/// When writing fails.
pub(super) fn row_writer(
    format: Format,
    packed: Packed,
    columns: &KnownColumns,
) -> io::Result<Box<dyn RowWriter>> {
    Ok(match format {
        Format::JsonLines => Box::new(LinesWriter { packed }),
        Format::Json => Box::new(ArrayWriter { packed, rows: 0 }),
        Format::Csv => Box::new(TableWriter::new(packed, b',', columns)?),
        Format::Tsv => Box::new(TableWriter::new(packed, b'\t', columns)?),
        #[cfg(feature = "parquet")]
        Format::Parquet => {
            let shapes = columns.in_order();
            Box::new(ParquetWriter::new(packed, &columns.kept, &shapes)?)
        }
        #[cfg(not(feature = "parquet"))]
        Format::Parquet => return Err(io::ErrorKind::Unsupported.into()),
    })
}

/// One object in each line.
struct LinesWriter {
    packed: Packed,
}

impl RowWriter for LinesWriter {
    fn add(&mut self, row: &[u8]) -> Result<(), NotAdded> {
        self.packed.write_all(row)?;
        Ok(self.packed.write_all(b"\n")?)
    }

    fn finish(self: Box<Self>) -> Result<Sink, NotAdded> {
        Ok(self.packed.finish()?)
    }
}

/// One array, an element in each line.
struct ArrayWriter {
    packed: Packed,
    rows: u64,
}

impl RowWriter for ArrayWriter {
    fn add(&mut self, row: &[u8]) -> Result<(), NotAdded> {
        let lead = if self.rows == 0 { "[\n" } else { ",\n" };
        self.rows += 1;
        self.packed.write_all(lead.as_bytes())?;
        Ok(self.packed.write_all(row)?)
    }

    fn finish(mut self: Box<Self>) -> Result<Sink, NotAdded> {
        let end = if self.rows == 0 { "[]\n" } else { "\n]\n" };
        self.packed.write_all(end.as_bytes())?;
        Ok(self.packed.finish()?)
    }
}
