//! What every form says in its own way: a prompt, a first answer, and what became of it.

use serde_json::{Map, Value};

use crate::message::Message;

/// A row cannot be imported.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// It is not a JSON object.
    #[error("not a JSON object")]
    NotAnObject,
    /// It has none of the forms that are known.
    #[error("none of the forms that can be imported: it has no columns of theirs")]
    NoForm,
    /// A column is missing, or holds something else.
    #[error("{column} is not {expected}")]
    Column {
        /// The column, or the path to the value in it.
        column: String,
        /// What should be there.
        expected: &'static str,
    },
    /// Nothing was asked.
    #[error("{column} holds no turn of a person")]
    NoPrompt {
        /// The column.
        column: &'static str,
    },
    /// The final answer is none of the texts.
    #[error("the final answer is neither the first answer nor a revision")]
    StrayAnswer,
}

/// A trace of critiques and revisions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Trace {
    pub(super) conversation: Vec<Message>,
    pub(super) draft: String,
    pub(super) steps: Vec<Step>,
    /// The final answer, where the trace names it.
    pub(super) output: Option<String>,
}

/// One critique and the revision that followed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Step {
    /// The principles' names, where the trace has some.
    pub(super) principles: Vec<String>,
    pub(super) critique_request: Option<String>,
    pub(super) critique: Option<String>,
    pub(super) revision_request: Option<String>,
    pub(super) revision: Option<String>,
}

/// The error for a value that is not what it should be.
pub(super) fn wrong(column: impl Into<String>, expected: &'static str) -> ImportError {
    ImportError::Column {
        column: column.into(),
        expected,
    }
}

/// A column that holds text.
pub(super) fn text(row: &Map<String, Value>, column: &str) -> Result<String, ImportError> {
    let found = row.get(column).and_then(text_of);
    found.ok_or_else(|| wrong(column, "a text"))
}

/// A column that holds text, or nothing.
pub(super) fn optional(
    row: &Map<String, Value>,
    column: &str,
) -> Result<Option<String>, ImportError> {
    match row.get(column) {
        None | Some(Value::Null) => Ok(None),
        Some(_) => text(row, column).map(Some),
    }
}

/// A text, or the text of a turn that stands in its place.
pub(super) fn text_of(value: &Value) -> Option<String> {
    let text = value.as_str().or_else(|| value.get("content")?.as_str());
    text.map(str::to_owned)
}
