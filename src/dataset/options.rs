//! What a person may ask of the reader of rows.

use serde::Serialize;

/// The longest line that is read, unless told otherwise.
pub const DEFAULT_LINE_LIMIT: usize = 16 << 20;

/// Columns that a person named, instead of those that would be recognised.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ColumnNames {
    /// The one with the question: text, or a list of messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// The one with the whole conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<String>,
    /// The one with the record's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The one with the tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<String>,
    /// The one with instructions that stand before the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
}

impl ColumnNames {
    /// Whether none is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self == &Self::default()
    }

    /// What each named column is to be, and its name.
    pub(super) fn named(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("prompt", &self.prompt),
            ("messages", &self.messages),
            ("id", &self.id),
            ("tags", &self.tags),
            ("system", &self.system),
        ]
        .into_iter()
        .filter_map(|(what, name)| Some((what, name.as_deref()?)))
    }
}

/// How rows are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadOptions {
    /// The column that holds the answer, instead of the one that would be recognised.
    pub answer_column: Option<String>,
    /// The other columns that were named.
    pub columns: ColumnNames,
    /// Read no answers, so that new ones are written; where they stand is remembered all the same.
    pub ignore_answers: bool,
    /// The longest line in bytes that is read; longer ones are rejected and never held whole.
    pub line_limit: usize,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            answer_column: None,
            columns: ColumnNames::default(),
            ignore_answers: false,
            line_limit: DEFAULT_LINE_LIMIT,
        }
    }
}
