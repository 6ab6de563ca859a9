//! Parquet: rows out of its columns, and columns out of rows.
//!
//! `read` gives the rows of a file batch by batch, `encode` puts values as JSON, `build` takes them
//! back into columns, and `write` fills a file with those.

mod build;
mod encode;
mod read;
mod write;

pub(super) use read::{ParquetRows, schema};
pub(super) use write::ParquetWriter;
