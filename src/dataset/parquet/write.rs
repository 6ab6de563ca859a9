//! Writes rows as a Parquet file.

use std::io;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, FieldRef, Schema};
use indexmap::IndexMap;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::build::{Column, field, type_of};
use crate::dataset::row::{Cell, parse_row};
use crate::dataset::row_writer::{NotAdded, RowWriter};
use crate::dataset::shape::Shape;
use crate::dataset::sink::{Packed, Sink};

/// How much text goes into columns at once.
const BATCH_BYTES: usize = 4 << 20;
/// How many rows go into columns at once.
const BATCH_ROWS: usize = 4096;
/// How large a row group grows, which the writer holds in memory.
const GROUP_BYTES: usize = 64 << 20;

/// Writes a Parquet file.
pub(in crate::dataset) struct ParquetWriter {
    writer: ArrowWriter<Packed>,
    schema: Arc<Schema>,
    columns: IndexMap<String, Column>,
    rows: usize,
    bytes: usize,
}

impl ParquetWriter {
    /// Begins a file with the columns of `kept` in their types, and behind them those of `shapes`.
    ///
    /// # Errors
    ///
    /// When the columns make no Parquet schema, or writing fails.
    pub(in crate::dataset) fn new(
        packed: Packed,
        kept: &[FieldRef],
        shapes: &IndexMap<String, Shape>,
    ) -> io::Result<Self> {
        let of_kept = kept
            .iter()
            .map(|kept| (nullable(kept), Column::of_type(kept.data_type())));
        let of_shapes = shapes
            .iter()
            .map(|(name, shape)| (field(name, type_of(shape)), Column::of_shape(shape)));
        let (fields, columns): (Vec<_>, Vec<_>) = of_kept.chain(of_shapes).unzip();
        let names = fields.iter().map(|field| field.name().clone());
        let columns = names.zip(columns).collect();
        let schema = Arc::new(Schema::new(fields));
        let level = ZstdLevel::try_new(1).map_err(failure)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_max_row_group_bytes(Some(GROUP_BYTES))
            .set_created_by(format!("redraft {}", env!("CARGO_PKG_VERSION")))
            .build();
        let writer = ArrowWriter::try_new(packed, Arc::clone(&schema), Some(properties));
        Ok(Self {
            writer: writer.map_err(failure)?,
            schema,
            columns,
            rows: 0,
            bytes: 0,
        })
    }

    fn add_cells(&mut self, cells: &[Cell<'_>]) -> Result<(), NotAdded> {
        let mut given = 0;
        for (place, (name, column)) in self.columns.iter_mut().enumerate() {
            // Mostly columns come in their order.
            let cell = cells.get(place).filter(|cell| cell.name == *name);
            let cell = cell.or_else(|| cells.iter().find(|cell| cell.name == *name));
            let Some(cell) = cell else {
                column.append_null();
                continue;
            };
            given += 1;
            self.bytes += cell.value.len();
            column
                .append(cell.value)
                .map_err(|error| NotAdded::Misfit {
                    column: name.clone(),
                    what: error.to_string(),
                })?;
        }
        if given < cells.len() {
            let unknown = cells
                .iter()
                .find(|cell| !self.columns.contains_key(&*cell.name));
            return Err(NotAdded::Misfit {
                column: unknown.map_or_else(String::new, |cell| cell.name.to_string()),
                what: "rows before have no such column".to_owned(),
            });
        }
        Ok(())
    }

    fn write_batch(&mut self) -> Result<(), NotAdded> {
        if self.rows == 0 {
            return Ok(());
        }
        let columns = self.columns.iter_mut().zip(self.schema.fields());
        let arrays = columns.map(|((name, column), field)| {
            column
                .finish(field.data_type())
                .map_err(|error| NotAdded::Misfit {
                    column: name.clone(),
                    what: error.to_string(),
                })
        });
        let arrays = arrays.collect::<Result<Vec<_>, _>>()?;
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays);
        let batch = batch.map_err(|error| NotAdded::Write(io::Error::other(error.to_string())))?;
        (self.rows, self.bytes) = (0, 0);
        self.writer
            .write(&batch)
            .map_err(|error| NotAdded::Write(failure(error)))
    }
}

impl RowWriter for ParquetWriter {
    fn add(&mut self, row: &[u8]) -> Result<(), NotAdded> {
        let text = std::str::from_utf8(row).unwrap_or_default();
        let cells = parse_row(text).map_err(|error| NotAdded::Misfit {
            column: String::new(),
            what: error.to_string(),
        })?;
        self.add_cells(&cells)?;
        self.rows += 1;
        if self.rows >= BATCH_ROWS || self.bytes >= BATCH_BYTES {
            self.write_batch()?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Sink, NotAdded> {
        self.write_batch()?;
        let packed = self.writer.into_inner().map_err(failure)?;
        Ok(packed.finish()?)
    }
}

/// The same column, which may be null in rows that lack it.
fn nullable(kept: &FieldRef) -> FieldRef {
    let data_type = match kept.data_type() {
        DataType::Map(..) => kept.data_type().clone(),
        other => inner_nullable(other),
    };
    field(kept.name(), data_type)
}

/// The same type with fields that may be null: an answer that is added to a list of messages need
/// not have all that the others have.
fn inner_nullable(data_type: &DataType) -> DataType {
    match data_type {
        DataType::List(item) => DataType::List(nullable(item)),
        DataType::LargeList(item) => DataType::LargeList(nullable(item)),
        DataType::FixedSizeList(item, length) => DataType::FixedSizeList(nullable(item), *length),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(nullable).collect()),
        other => other.clone(),
    }
}

/// The input or output failure behind an error, if that is what it is.
fn failure(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other.to_string()),
    }
}
