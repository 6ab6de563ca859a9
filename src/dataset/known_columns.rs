//! The columns of an output whose format must know them before its first row.

use indexmap::IndexMap;

use crate::dataset::answer::REDRAFT_COLUMN;
use crate::dataset::format::Format;
use crate::dataset::row::{Cell, parse_row};
use crate::dataset::shape::Shape;
use crate::dataset::source::Source;
use crate::dataset::source_error::SourceError;

/// The most columns: a table with more has data in its names.
const MOST_COLUMNS: usize = 2000;

/// What is known of the columns, from the input's own schema or from rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KnownColumns {
    /// Columns whose types were given, and stay.
    #[cfg(feature = "parquet")]
    pub(super) kept: Vec<arrow_schema::FieldRef>,
    /// The others in the order in which they came.
    shapes: IndexMap<String, Shape>,
    /// Whether types matter, or names alone.
    typed: bool,
}

impl KnownColumns {
    /// Knows nothing yet.
    pub(super) fn new(format: Format) -> Self {
        Self {
            #[cfg(feature = "parquet")]
            kept: Vec::new(),
            shapes: IndexMap::new(),
            typed: format == Format::Parquet,
        }
    }

    /// Keeps the types of a source that is Parquet of one schema.
    ///
    /// # Errors
    ///
    /// When one of its files is damaged.
    #[cfg(feature = "parquet")]
    pub(super) fn keep_types_of(&mut self, source: &Source) -> Result<(), SourceError> {
        let mut common = None;
        for part in source.parts() {
            let Some(schema) = part.schema() else {
                return Ok(());
            };
            let schema = schema
                .map_err(|error| SourceError::reading(&part.name(), part.unit(), 0, error))?;
            match &common {
                None => common = Some(schema),
                Some(known) if known.fields() == schema.fields() => {}
                Some(_) => return Ok(()),
            }
        }
        if let Some(schema) = common {
            let fields = schema.fields().iter();
            let fields = fields.filter(|field| field.name() != REDRAFT_COLUMN);
            self.kept = fields.cloned().collect();
        }
        Ok(())
    }

    #[cfg(not(feature = "parquet"))]
    pub(super) fn keep_types_of(&mut self, _: &Source) -> Result<(), SourceError> {
        Ok(())
    }

    /// Whether the type of a column was given.
    #[cfg(feature = "parquet")]
    pub(super) fn is_kept(&self, name: &str) -> bool {
        self.kept.iter().any(|field| field.name() == name)
    }

    #[cfg(not(feature = "parquet"))]
    #[expect(clippy::unused_self, reason = "the types of columns are Parquet's")]
    pub(super) fn is_kept(&self, _: &str) -> bool {
        false
    }

    /// Takes in the columns of one more row.
    pub(super) fn learn(&mut self, row: &[u8]) {
        let text = std::str::from_utf8(row).unwrap_or_default();
        if let Ok(cells) = parse_row(text) {
            self.learn_cells(&cells);
        }
    }

    fn learn_cells(&mut self, cells: &[Cell<'_>]) {
        for cell in cells {
            if self.is_kept(&cell.name) {
                continue;
            }
            let is_known = self.shapes.contains_key(&*cell.name);
            if !is_known && self.shapes.len() < MOST_COLUMNS {
                self.shapes.insert(cell.name.to_string(), Shape::default());
            }
            if let Some(shape) = self.shapes.get_mut(&*cell.name).filter(|_| self.typed) {
                shape.widen(cell.value);
            }
        }
    }

    /// The columns whose types were not given, what was done to the row last.
    pub(super) fn in_order(&self) -> IndexMap<String, Shape> {
        let mut shapes = self.shapes.clone();
        if let Some(redraft) = shapes.shift_remove(REDRAFT_COLUMN) {
            shapes.insert(REDRAFT_COLUMN.to_owned(), redraft);
        }
        shapes
    }
}
