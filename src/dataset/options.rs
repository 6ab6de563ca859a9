//! What a person may ask of the reader of rows.

/// The longest line that is read, unless told otherwise.
pub const DEFAULT_LINE_LIMIT: usize = 16 << 20;

/// How rows are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadOptions {
    /// The column that holds the answer, instead of the one that would be recognised.
    pub answer_column: Option<String>,
    /// Read no answers, so that new ones are written; where they stand is remembered all the same.
    pub ignore_answers: bool,
    /// The longest line in bytes that is read; longer ones are rejected and never held whole.
    pub line_limit: usize,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            answer_column: None,
            ignore_answers: false,
            line_limit: DEFAULT_LINE_LIMIT,
        }
    }
}
