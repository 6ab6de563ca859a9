//! Where in a row its answer stands, and in what form, so that another can take its place.

use std::ops::Range;

/// Where a new answer goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Over a piece of the row's text, inside the value of a column.
    Over {
        /// What is replaced; empty where something is added.
        span: Range<usize>,
        /// How the answer is written there.
        form: Form,
    },
    /// Into a column that the row does not have yet.
    NewColumn(String),
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As a string.
    Text,
    /// As a list of one text part.
    Parts,
    /// As one more message behind those of a list.
    Message,
    /// As one more turn behind those of a list whose turns say `from` and `value`.
    FromValue,
    /// As a piece of the string that holds a transcript, behind the given text.
    Turn(&'static str),
}

impl Default for Place {
    fn default() -> Self {
        Self::NewColumn("answer".to_owned())
    }
}
