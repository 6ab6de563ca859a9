//! Checks before the work that later files of a dataset hold what its first rows were recognised by.
//!
//! Only files that name their columns at their start are asked: tables and Parquet. In lines of JSON
//! every row speaks for itself, and a bad one is rejected with its file and number.

use crate::dataset::format::Format;
use crate::dataset::part::Part;
use crate::dataset::row::parse_row;
use crate::dataset::source_error::{ShardDiffers, SourceError};

/// Any one of these columns makes a row readable, when none is named.
const QUESTIONS: [&str; 6] = [
    "messages",
    "conversations",
    "prompt",
    "instruction",
    "init_prompt",
    "chosen",
];
/// What may be missing, or of any type.
const OPTIONAL: [&str; 2] = ["id", "tags"];

/// A column of a file, and its type where the file says it.
struct Column {
    name: String,
    kind: Option<Kind>,
}

struct Kind {
    /// The type in words.
    told: String,
    /// Whether it can hold a text, a message or a list of them.
    holds_text: bool,
}

/// Checks the columns `used` of the first of `parts`, each with what it is, in those behind it.
/// `are_named` says that a person named them.
///
/// # Errors
///
/// When a file has none of them, or one of a type that holds no text; or cannot be read.
pub(super) fn check(
    parts: &[Part],
    used: &[(&'static str, String)],
    are_named: bool,
) -> Result<(), SourceError> {
    let Some((first, others)) = parts.split_first() else {
        return Ok(());
    };
    let used: Vec<_> = used
        .iter()
        .filter(|(what, _)| !OPTIONAL.contains(what))
        .collect();
    if used.is_empty() || others.iter().all(|part| !names_columns(part)) {
        return Ok(());
    }
    let known = columns_of(first)?.unwrap_or_default();
    let kind_in_first = |name: &str| {
        let column = known.iter().find(|column| column.name == name);
        column
            .and_then(|column| column.kind.as_ref())
            .map(|kind| kind.told.clone())
    };
    for part in others {
        let Some(columns) = columns_of(part)? else {
            continue;
        };
        let find = |name: &str| columns.iter().find(|column| column.name == name);
        for (what, name) in used.iter().copied() {
            let is_question = *what == "prompt" || *what == "messages";
            let has_other = !are_named && QUESTIONS.iter().any(|name| find(name).is_some());
            let found = match find(name).map(|column| &column.kind) {
                Some(Some(kind)) if !kind.holds_text => kind.told.clone(),
                None if is_question && !has_other => "missing".to_owned(),
                Some(_) | None => continue,
            };
            return Err(SourceError::from(Box::new(ShardDiffers {
                shard: part.name(),
                column: name.clone(),
                found,
                what,
                first: first.name(),
                expected: kind_in_first(name).unwrap_or_else(|| "text".to_owned()),
            })));
        }
    }
    Ok(())
}

fn names_columns(part: &Part) -> bool {
    matches!(
        part.format,
        Some(Format::Parquet | Format::Csv | Format::Tsv)
    )
}

/// The columns that a file names at its start; nothing where it names none.
fn columns_of(part: &Part) -> Result<Option<Vec<Column>>, SourceError> {
    let cannot = |error| SourceError::reading(&part.name(), part.unit(), 0, error);
    #[cfg(feature = "parquet")]
    if let Some(schema) = part.schema() {
        let schema = schema.map_err(cannot)?;
        let columns = schema.fields().iter().map(|field| Column {
            name: field.name().clone(),
            kind: Some(kind_of(field.data_type())),
        });
        return Ok(Some(columns.collect()));
    }
    if !names_columns(part) {
        return Ok(None);
    }
    let mut line = Vec::new();
    let mut rows = part.rows(1 << 20).map_err(cannot)?;
    rows.next_row(&mut line).map_err(cannot)?;
    let text = std::str::from_utf8(&line).unwrap_or_default();
    let cells = parse_row(text).ok();
    Ok(cells.map(|cells| {
        let columns = cells.iter().map(|cell| Column {
            name: cell.name.to_string(),
            kind: None,
        });
        columns.collect()
    }))
}

#[cfg(feature = "parquet")]
fn kind_of(found: &arrow_schema::DataType) -> Kind {
    use arrow_schema::DataType;

    let inner = match found {
        DataType::Dictionary(_, inner) => inner,
        found => found,
    };
    Kind {
        told: match inner {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "string".to_owned(),
            inner if inner.is_nested() => "nested".to_owned(),
            inner => inner.to_string().to_lowercase(),
        },
        // A column without any value says nothing.
        holds_text: inner.is_string() || inner.is_nested() || inner.is_null(),
    }
}
