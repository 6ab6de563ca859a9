//! The texts of an answer that are judged: each choice may have several, of several kinds.

use super::arguments;

/// One text of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Which of the choices it belongs to: the place in their list.
    pub(super) choice: usize,
    /// What kind of text it is.
    pub(super) kind: PartKind,
    /// Where it stands in the answer's JSON, as a JSON pointer.
    pub(super) place: String,
    /// The text.
    pub(super) text: String,
}

/// What kind of text a part of an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PartKind {
    /// The answer itself.
    Content,
    /// What the model thought before.
    Reasoning,
    /// The model's own refusal.
    Refusal,
    /// The arguments of a tool call.
    Arguments,
}

impl PartKind {
    /// The word for it in names and tags.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::Reasoning => "reasoning",
            Self::Refusal => "refusal",
            Self::Arguments => "arguments",
        }
    }
}

impl Part {
    /// A part; arguments without escapes that hide characters.
    pub(super) fn new(choice: usize, kind: PartKind, place: String, text: &str) -> Self {
        let text = match kind {
            PartKind::Arguments => arguments::plain(text).into_owned(),
            _ => text.to_owned(),
        };
        Self {
            choice,
            kind,
            place,
            text,
        }
    }
}
