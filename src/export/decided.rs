//! What people decided about a transcript, as far as exports want to know.

/// What people decided about a transcript.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Decided {
    /// Nothing yet, or they differ.
    #[default]
    Not,
    /// One of its texts is good.
    Approved,
    /// The answer is one that a person wrote.
    Edited,
    /// None of its texts is good.
    Rejected,
}
