//! Reads the rows of a Parquet file, batch by batch.

use std::io;

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::reader::ChunkReader;

use super::encode::{Cells, key, unreadable, write_object};
use crate::dataset::rows::{KEPT_BYTES, Rows, Taken};

/// How many rows are decoded at once; their texts are all in memory.
const BATCH_ROWS: usize = 256;

/// Reads a Parquet file.
pub(in crate::dataset) struct ParquetRows {
    batches: ParquetRecordBatchReader,
    columns: Vec<(String, Cells)>,
    rows: usize,
    next: usize,
    limit: usize,
}

/// The columns of a Parquet file.
///
/// # Errors
///
/// When it is no whole Parquet file.
pub(in crate::dataset) fn schema(file: impl ChunkReader + 'static) -> io::Result<SchemaRef> {
    Ok(builder(file)?.schema().clone())
}

impl ParquetRows {
    /// Reads `file` from its first row; rows above `limit` bytes are skipped.
    ///
    /// # Errors
    ///
    /// When it is no whole Parquet file, or has a column of a type that is not read.
    pub(in crate::dataset) fn new(
        file: impl ChunkReader + 'static,
        limit: usize,
    ) -> io::Result<Self> {
        let builder = builder(file)?;
        let mut fields = builder.schema().fields().iter();
        if let Some(what) = fields.find_map(|field| unreadable(field)) {
            let what = format!("its column {what}, which is not read; leave it out");
            return Err(io::Error::new(io::ErrorKind::Unsupported, what));
        }
        let batches = builder.with_batch_size(BATCH_ROWS).build();
        Ok(Self {
            batches: batches.map_err(|error| failure(&error))?,
            columns: Vec::new(),
            rows: 0,
            next: 0,
            limit,
        })
    }

    fn take_in(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let fields = batch.schema_ref().fields().iter();
        let columns = fields.zip(batch.columns());
        let columns = columns.map(|(field, column)| Ok((key(field.name()), Cells::of(column)?)));
        self.columns = columns.collect::<Result<_, ArrowError>>()?;
        (self.rows, self.next) = (batch.num_rows(), 0);
        Ok(())
    }
}

impl Rows for ParquetRows {
    fn next_row(&mut self, line: &mut Vec<u8>) -> io::Result<Option<Taken>> {
        line.clear();
        while self.next == self.rows {
            let Some(batch) = self.batches.next() else {
                return Ok(None);
            };
            batch
                .and_then(|batch| self.take_in(&batch))
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
        }
        write_object(&self.columns, self.next, line);
        self.next += 1;
        let length = line.len();
        if length > self.limit {
            line.truncate(KEPT_BYTES);
            return Ok(Some(Taken::TooLong(length as u64)));
        }
        Ok(Some(Taken::Whole))
    }
}

fn builder<R: ChunkReader + 'static>(file: R) -> io::Result<ParquetRecordBatchReaderBuilder<R>> {
    ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| failure(&error))
}

fn failure(error: &ParquetError) -> io::Error {
    let kind = match error {
        ParquetError::NYI(_) => io::ErrorKind::Unsupported,
        ParquetError::General(what) if what.contains("Disabled feature") => {
            io::ErrorKind::Unsupported
        }
        _ => io::ErrorKind::InvalidData,
    };
    io::Error::new(kind, error.to_string())
}
