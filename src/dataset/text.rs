//! A file of lines that are no rows: opened, and unpacked where its name or its bytes say that it is packed.

use std::io::{BufRead, BufReader};
use std::path::Path;

use crate::dataset::gather::Found;
use crate::dataset::part::Part;
use crate::dataset::source_error::SourceError;
use crate::dataset::unpack::unpack;

/// Opens a file of text, plain, gzip or zstd.
///
/// # Errors
///
/// When it cannot be opened, or is not what its name says.
pub fn open_text(path: &Path) -> Result<Box<dyn BufRead + Send>, SourceError> {
    let part = Part::find(Found::Local(path.to_path_buf()))?;
    let cannot = |source| SourceError::opening(path, source);
    let stream = part.stream().map_err(cannot)?;
    let text = unpack(stream, part.compression).map_err(cannot)?;
    Ok(Box::new(BufReader::new(text)))
}
