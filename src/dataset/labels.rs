//! What a row says about itself beside its text: id, tags, and the columns that only travel along.

use serde_json::value::RawValue;

use crate::dataset::columns::{present, text_of, wrong_type};
use crate::dataset::json::{DEEPEST, is_list, is_text, is_too_deep, message_of};
use crate::dataset::options::ColumnNames;
use crate::dataset::reason::RejectReason;
use crate::dataset::row::Cell;
use crate::record::RecordId;

/// The longest id, in bytes.
const LONGEST_ID: usize = 512;

/// The column of the id.
pub(super) fn id_column(names: &ColumnNames) -> &str {
    names.id.as_deref().unwrap_or("id")
}

/// The column of the tags.
pub(super) fn tags_column(names: &ColumnNames) -> &str {
    names.tags.as_deref().unwrap_or("tags")
}

/// The id that the row gives, if it gives one.
pub(super) fn read_id(
    cells: &[Cell<'_>],
    names: &ColumnNames,
) -> Result<Option<RecordId>, RejectReason> {
    let Some(cell) = present(cells, id_column(names)) else {
        return Ok(None);
    };
    let is_integer = cell
        .value
        .bytes()
        .all(|byte| byte == b'-' || byte.is_ascii_digit());
    let id = if is_text(cell.value) {
        text_of(cell)?
    } else if is_integer {
        cell.value.to_owned()
    } else {
        return Err(wrong_type(cell, "text or a whole number"));
    };
    if id.trim().is_empty() {
        return Err(RejectReason::EmptyId);
    }
    if id.len() > LONGEST_ID {
        return Err(RejectReason::LongId {
            length: id.len(),
            limit: LONGEST_ID,
        });
    }
    if id.chars().any(char::is_control) {
        return Err(RejectReason::ControlInId);
    }
    Ok(Some(RecordId::new(id)))
}

/// The tags that the row gives: a list of strings, or one string; an empty one is none, since tables
/// give every row every column.
pub(super) fn read_tags(
    cells: &[Cell<'_>],
    names: &ColumnNames,
) -> Result<Vec<String>, RejectReason> {
    let Some(cell) = present(cells, tags_column(names)) else {
        return Ok(Vec::new());
    };
    if is_text(cell.value) {
        let tag = text_of(cell)?;
        return Ok(if tag.is_empty() {
            Vec::new()
        } else {
            vec![tag]
        });
    }
    let expected = "text or a list of texts";
    if !is_list(cell.value) {
        return Err(wrong_type(cell, expected));
    }
    serde_json::from_str(cell.value).map_err(|error| RejectReason::BadTags {
        what: message_of(&error),
    })
}

/// The columns that are not in `used`, as one JSON object; nothing when there are none.
pub(super) fn read_extra(
    cells: &[Cell<'_>],
    used: &[&str],
) -> Result<Option<Box<RawValue>>, RejectReason> {
    let others = || cells.iter().filter(|cell| !used.contains(&&*cell.name));
    let lengths = others().map(|cell| cell.key.len() + cell.value.len() + 2);
    // Exactly enough, so that the text is not copied once more to be boxed.
    let mut object = String::with_capacity(lengths.sum::<usize>() + 1);
    for cell in others() {
        if is_too_deep(cell.value) {
            return Err(RejectReason::TooDeep {
                column: cell.name.to_string(),
                limit: DEEPEST,
            });
        }
        object.push(if object.is_empty() { '{' } else { ',' });
        object.push_str(cell.key);
        object.push(':');
        object.push_str(cell.value);
    }
    if object.is_empty() {
        return Ok(None);
    }
    object.push('}');
    let raw = RawValue::from_string(object);
    Ok(Some(raw.expect("columns that were parsed make an object")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::row::parse_row;

    fn id(value: &str) -> Result<Option<String>, String> {
        let text = format!("{{\"id\":{value}}}");
        let id = read_id(&parse_row(&text).unwrap(), &ColumnNames::default());
        id.map(|id| id.map(|id| id.to_string()))
            .map_err(|reason| reason.to_string())
    }

    fn tags(value: &str) -> Result<Vec<String>, String> {
        let text = format!("{{\"tags\":{value}}}");
        read_tags(&parse_row(&text).unwrap(), &ColumnNames::default())
            .map_err(|reason| reason.to_string())
    }

    #[test]
    fn an_id_is_text_or_a_whole_number() {
        let some = |id: &str| Ok(Some(id.to_owned()));
        assert_eq!(id("\"row 7\""), some("row 7"));
        assert_eq!(id("18446744073709551617"), some("18446744073709551617"));
        assert_eq!(id("-3"), some("-3"));
        assert_eq!(id("null"), Ok(None));
        let fails = |reason: &str| Err(reason.to_owned());
        assert_eq!(id("\" \""), fails("the id is empty"));
        assert_eq!(id("\"a\\nb\""), fails("the id holds a control character"));
        let expected = "expected text or a whole number";
        assert_eq!(
            id("1.5"),
            fails(&format!("the column `id` is a number, {expected}"))
        );
        assert_eq!(
            id("true"),
            fails(&format!("the column `id` is a boolean, {expected}"))
        );
        let long = format!("\"{}\"", "x".repeat(513));
        assert_eq!(
            id(&long),
            fails("the id is 513 bytes long, at most 512 are allowed")
        );
    }

    #[test]
    fn tags_are_one_text_or_a_list_of_them() {
        assert_eq!(tags("\"billing\"").unwrap(), ["billing"]);
        assert_eq!(tags("[\"a\",\"b\"]").unwrap(), ["a", "b"]);
        assert!(tags("null").unwrap().is_empty());
        assert!(tags("[]").unwrap().is_empty());
        assert!(tags("\"\"").unwrap().is_empty());
        assert_eq!(
            tags("7").unwrap_err(),
            "the column `tags` is a number, expected text or a list of texts"
        );
        assert_eq!(
            tags("[\"a\",7]").unwrap_err(),
            "the column `tags` is not a list of texts: invalid type: integer `7`, expected a string"
        );
    }

    #[test]
    fn other_columns_travel_as_they_stand() {
        let text = r#"{"id":1,"prompt":"a","x": 1.50,"caf\u00e9":null,"tags":[],"answer":"b"}"#;
        let cells = parse_row(text).unwrap();
        let extra = read_extra(&cells, &["id", "tags", "prompt", "answer"])
            .unwrap()
            .unwrap();
        assert_eq!(extra.get(), r#"{"x":1.50,"caf\u00e9":null}"#);
        let cells = parse_row(r#"{"prompt":"a"}"#).unwrap();
        assert!(read_extra(&cells, &["prompt"]).unwrap().is_none());
        let deep = format!("{{\"x\":{}{}}}", "[".repeat(101), "]".repeat(101));
        let cells = parse_row(&deep).unwrap();
        assert_eq!(
            read_extra(&cells, &[]).unwrap_err().to_string(),
            "the column `x` is nested more than 100 levels deep"
        );
    }
}
