//! Why a row did not become a record, in words that a person can act on.

use crate::dataset::excerpt::short_name;

/// Why a row was not read. Displays as a fragment that fits after "line 7: ".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RejectReason {
    /// The line is above the bound.
    #[error("the line is {length} bytes long, at most {limit} are read")]
    TooLong {
        /// Its length in bytes.
        length: u64,
        /// The bound.
        limit: usize,
    },
    /// The line is not text.
    #[error("not valid UTF-8 at byte {at}")]
    NotUtf8 {
        /// The first byte that does not fit, from 1.
        at: usize,
    },
    /// The line is not JSON.
    #[error("not JSON: {what} at column {column}")]
    NotJson {
        /// What the parser says.
        what: String,
        /// Where, in bytes from 1.
        column: usize,
    },
    /// The line is JSON, and no object.
    #[error("not a JSON object but {found}")]
    NotAnObject {
        /// What it is.
        found: &'static str,
    },
    /// A record of a table has another number of cells than its header.
    #[error(
        "has {cells} {} where the header has {columns} columns (line {line} of the file)",
        if *cells == 1 { "cell" } else { "cells" }
    )]
    Ragged {
        /// The cells that it has.
        cells: usize,
        /// The columns that the header names.
        columns: usize,
        /// Where it begins.
        line: u64,
    },
    /// A cell of a table is not text.
    #[error("the cell in the column `{}` is not valid UTF-8", short_name(column))]
    CellNotUtf8 {
        /// The column's name.
        column: String,
    },
    /// Any of the others, in one of several files.
    #[error("{reason} ({unit} {number} of {file})")]
    InFile {
        /// Why.
        reason: Box<RejectReason>,
        /// What the rows of that file are called.
        unit: &'static str,
        /// Which of them it is, from 1.
        number: u64,
        /// The file's name.
        file: String,
    },
    /// Two columns have one name.
    #[error("the column `{}` stands twice", short_name(column))]
    DoubledColumn {
        /// The name.
        column: String,
    },
    /// No column holds what was said.
    #[error(
        "no text: has none of messages, conversations, prompt, instruction, init_prompt, chosen"
    )]
    NoText,
    /// The column that was named for the answer is not there.
    #[error("has no column `{}` to take the answer from", short_name(column))]
    NoAnswerColumn {
        /// The name.
        column: String,
    },
    /// A column that was named for something else is not there.
    #[error("has no column `{}` to take the {what} from", short_name(column))]
    NoNamedColumn {
        /// The name.
        column: String,
        /// What it was to hold.
        what: &'static str,
    },
    /// A column holds another type than it should.
    #[error("the column `{}` is {found}, expected {expected}", short_name(column))]
    WrongType {
        /// The name.
        column: String,
        /// What is there.
        found: &'static str,
        /// What should be there.
        expected: &'static str,
    },
    /// A string cannot be decoded, as when it holds half a character.
    #[error(
        "the text in the column `{}` cannot be read: {what}",
        short_name(column)
    )]
    BadText {
        /// The column's name.
        column: String,
        /// What the parser says.
        what: String,
    },
    /// A list of messages has none.
    #[error(
        "the column `{}` is an empty list, expected messages",
        short_name(column)
    )]
    NoMessages {
        /// The column's name.
        column: String,
    },
    /// One turn of a list of messages is not what it should be.
    #[error("turn {turn} of the column `{}` {problem}", short_name(column))]
    Turn {
        /// The column's name.
        column: String,
        /// Which turn, from 1.
        turn: usize,
        /// What is wrong with it.
        problem: TurnProblem,
    },
    /// An answer that is a list of messages does not end in the assistant's turn.
    #[error(
        "the column `{}` is a list that does not end in a turn of the assistant",
        short_name(column)
    )]
    NoAnswerTurn {
        /// The column's name.
        column: String,
    },
    /// Nobody asked anything.
    #[error("no question: no turn of a user holds text")]
    NoQuestion,
    /// A string has none of the marks that separate the turns of a transcript.
    #[error(
        "the column `{}` is not a transcript: no turn begins with an empty line and `Human:` or `Assistant:`",
        short_name(column)
    )]
    NoTurns {
        /// The column's name.
        column: String,
    },
    /// A transcript begins with text that nobody says.
    #[error(
        "the transcript in the column `{}` begins with text that belongs to no turn",
        short_name(column)
    )]
    TextBeforeTurns {
        /// The column's name.
        column: String,
    },
    /// The id is an empty string.
    #[error("the id is empty")]
    EmptyId,
    /// The id is too long to be kept as a name.
    #[error("the id is {length} bytes long, at most {limit} are allowed")]
    LongId {
        /// Its length in bytes.
        length: usize,
        /// The bound.
        limit: usize,
    },
    /// The id holds characters that do not print.
    #[error("the id holds a control character")]
    ControlInId,
    /// The tags are a list, and not of texts.
    #[error("the column `tags` is not a list of texts: {what}")]
    BadTags {
        /// What the parser says.
        what: String,
    },
    /// A column is nested so deeply that other readers would give up on it.
    #[error(
        "the column `{}` is nested more than {limit} levels deep",
        short_name(column)
    )]
    TooDeep {
        /// The column's name.
        column: String,
        /// The bound.
        limit: usize,
    },
}

/// What is wrong with one turn; continues the sentence "turn 2 of the column `messages` …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TurnProblem {
    /// It is no object, or one of its fields is doubled or has the wrong type.
    #[error("is not a message: {what}")]
    NotAMessage {
        /// What the parser says.
        what: String,
    },
    /// It does not say who speaks.
    #[error("has no role")]
    NoRole,
    /// The role is not one that is read.
    #[error(
        "has the role `{}`, known are system, developer, user and assistant",
        short_name(role)
    )]
    UnknownRole {
        /// The role.
        role: String,
    },
    /// It names a speaker that is not known.
    #[error("is from `{}`, known are human, gpt and system", short_name(name))]
    UnknownSpeaker {
        /// The name.
        name: String,
    },
    /// It calls tools, or is what a tool gave back.
    #[error("belongs to the use of a tool, and only text is read")]
    Tool,
    /// The content is missing or null.
    #[error("has no content")]
    NoContent,
    /// The content is neither text nor a list.
    #[error("has a content that is {found}, expected text or a list of text parts")]
    WrongContent {
        /// What it is.
        found: &'static str,
    },
    /// A string in it cannot be decoded, as when it holds half a character.
    #[error("holds text that cannot be read: {what}")]
    BadText {
        /// What the parser says.
        what: String,
    },
    /// A part of the content is not text.
    #[error("holds a part of type `{}`, and only text is read", short_name(kind))]
    NotText {
        /// The part's type.
        kind: String,
    },
}
