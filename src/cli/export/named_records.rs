//! The records that a file names.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use anyhow::{Context as _, anyhow};
use serde::Deserialize;
use serde_json::Value;

use crate::record::RecordId;

#[derive(Deserialize)]
struct Named {
    record: Option<Value>,
    id: Option<Value>,
}

/// The records that the rows of a file name, as `redraft prefer --best-sample` writes them.
///
/// # Errors
///
/// When it cannot be read, or a row names none.
pub(super) fn named_records(path: &Path) -> anyhow::Result<HashSet<RecordId>> {
    let file = File::open(path)
        .with_context(|| format!("cannot read the records' names in {}", path.display()))?;
    let mut records = HashSet::new();
    for (line, number) in BufReader::new(file).lines().zip(1..) {
        let place = || format!("{}, line {number}", path.display());
        let line = line.with_context(place)?;
        if line.trim().is_empty() {
            continue;
        }
        let row: Named = serde_json::from_str(&line).with_context(place)?;
        let name = row.record.or(row.id).and_then(text);
        let name = name.ok_or_else(|| anyhow!("no column `record` or `id` names a record"));
        records.insert(RecordId::new(name.with_context(place)?));
    }
    Ok(records)
}

fn text(name: Value) -> Option<String> {
    match name {
        Value::String(name) => Some(name),
        Value::Number(name) => Some(name.to_string()),
        _ => None,
    }
}
