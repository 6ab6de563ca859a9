//! Why a transcript, or a row of it, is not exported.

use std::fmt;

/// Why a transcript, or a row of it, is not exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeftOut {
    /// Its record is not among those that were named.
    NotNamed,
    /// People rejected every text of it.
    Rejected,
    /// Another decision of people was asked for.
    OtherDecision,
    /// Its record waits for a person.
    Held,
    /// Its record was not brought to its end.
    Failed,
    /// Something in it could not be assessed.
    Error,
    /// Another outcome was asked for.
    OtherOutcome,
    /// Changed answers were asked for.
    Unchanged,
    /// Compliant answers were asked for.
    NotCompliant,
    /// Another principle was asked for.
    OtherPrinciple,
    /// Graver violations were asked for.
    Milder,
    /// There is no answer, or it is empty.
    NoAnswer,
    /// Nothing was said before the answer.
    NoPrompt,
    /// There is no second text to set beside the first.
    NoChange,
    /// The later text was assessed, and violates as much as the earlier one.
    NotBetter,
    /// No principle was assessed in both texts.
    NotComparable,
    /// No verdict says whether the texts are good.
    NotJudged,
    /// The same row is there already.
    Duplicate,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotNamed => "not among the records that were named",
            Self::Rejected => "rejected by people (--decision rejected)",
            Self::OtherDecision => "with another decision of people, or none",
            Self::Held => "held (--include held)",
            Self::Failed => "failed (--include failed)",
            Self::Error => "with an error verdict (--include error)",
            Self::OtherOutcome => "with another outcome",
            Self::Unchanged => "not changed",
            Self::NotCompliant => "not compliant",
            Self::OtherPrinciple => "about other principles",
            Self::Milder => "without a violation so severe",
            Self::NoAnswer => "without an answer",
            Self::NoPrompt => "without a prompt",
            Self::NoChange => "without a revision that changes the text",
            Self::NotBetter => "whose later text violates as much as the earlier one",
            Self::NotComparable => "without a principle assessed in both texts",
            Self::NotJudged => "without a verdict on the texts",
            Self::Duplicate => "there already, as the same row",
        })
    }
}
