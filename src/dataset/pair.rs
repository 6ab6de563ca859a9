//! Pairs of answers inside a row: two columns, each an answer by itself or a whole conversation that
//! ends in one.

use crate::dataset::chat::read_chat;
use crate::dataset::excerpt::short_name;
use crate::dataset::hh_rlhf;
use crate::dataset::json::{decode_text, is_list, is_text, kind_of};
use crate::dataset::reader::ReadRow;
use crate::dataset::reason::RejectReason;
use crate::dataset::row::Row;
use crate::message::{Conversation, Message, Role};

/// The two columns that hold pairs, where nobody names others; the first two that are there are
/// taken.
const COLUMNS: [[&str; 2]; 2] = [["chosen", "rejected"], ["a", "b"]];

/// Two answers in one conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// What was said before them.
    pub conversation: Conversation,
    /// The answer in the first column.
    pub a: String,
    /// The answer in the second column.
    pub b: String,
    /// The columns' names.
    pub columns: [String; 2],
}

/// Why a row has no pair that can be compared. Displays as a fragment that fits after "line 7: ".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PairProblem {
    /// The columns are not there.
    #[error(
        "has no pair of answers: neither `chosen` and `rejected` nor `a` and `b`, or those that were named"
    )]
    NoPair,
    /// A column cannot be read.
    #[error(transparent)]
    Unreadable(#[from] RejectReason),
    /// A conversation does not end in an answer.
    #[error(
        "the column `{}` does not end in a turn of the assistant",
        short_name(column)
    )]
    NoAnswer {
        /// The column's name.
        column: String,
    },
    /// The answers do not follow the same turns.
    #[error("the two answers stand in different conversations: their turn {turn} differs")]
    OtherConversation {
        /// The first turn that differs, from 1.
        turn: usize,
    },
    /// There is nothing to choose.
    #[error("both answers are the same")]
    SameAnswer,
}

impl PairProblem {
    /// Whether the row holds no pair at all; otherwise it holds one that cannot be compared.
    #[must_use]
    pub fn is_no_pair(&self) -> bool {
        matches!(self, Self::NoPair | Self::Unreadable(_))
    }
}

/// The columns of a row that hold its pair: those that are wished for, or those that are recognised.
#[must_use]
pub fn pair_columns(row: &Row, wished: Option<&[String; 2]>) -> Option<[String; 2]> {
    let is_there = |name: &str| row.get(name).is_some_and(|value| value != "null");
    if let Some(wished) = wished {
        return wished
            .iter()
            .all(|name| is_there(name))
            .then(|| wished.clone());
    }
    let known = COLUMNS
        .iter()
        .find(|names| names.iter().all(|name| is_there(name)));
    known.map(|names| names.map(str::to_owned))
}

/// The pair of a row that was read, in the columns that are wished for or recognised.
///
/// # Errors
///
/// With the reason why there is none, or none that can be compared.
pub fn read_pair(read: &ReadRow, wished: Option<&[String; 2]>) -> Result<Pair, PairProblem> {
    let ReadRow { row, record } = read;
    let columns = pair_columns(row, wished).ok_or(PairProblem::NoPair)?;
    let before = has_question(row).then(|| record.conversation().messages());
    let raw = [&columns[0], &columns[1]].map(|name| row.get(name).unwrap_or("null"));
    let splits = before.is_none() || raw.iter().all(|value| begins_with_a_turn(value));
    let [a, b] = [0, 1].map(|side| read_side(&columns[side], raw[side], splits));
    let (a, b) = (a?, b?);
    let turns = |own: &Side| match (&own.before, before) {
        (Some(own), _) => own.clone(),
        (None, before) => before.unwrap_or_default().to_vec(),
    };
    let conversation = same(turns(&a), &turns(&b))?;
    if a.answer == b.answer {
        return Err(PairProblem::SameAnswer);
    }
    Ok(Pair {
        conversation: conversation.into(),
        a: a.answer,
        b: b.answer,
        columns,
    })
}

/// Whether the question stands in a column of its own.
fn has_question(row: &Row) -> bool {
    ["messages", "prompt"]
        .iter()
        .any(|name| row.get(name).is_some_and(|value| value != "null"))
}

/// One answer, and the turns before it where its column holds them.
struct Side {
    before: Option<Vec<Message>>,
    answer: String,
}

fn read_side(column: &str, raw: &str, splits: bool) -> Result<Side, PairProblem> {
    if is_list(raw) {
        let turns = read_chat(column, raw)?;
        return side(column, turns.into_iter().map(|turn| turn.message).collect());
    }
    if !is_text(raw) {
        return Err(RejectReason::WrongType {
            column: column.to_owned(),
            found: kind_of(raw),
            expected: "an answer",
        }
        .into());
    }
    let text = decoded(column, raw)?;
    if !splits {
        return Ok(Side {
            before: None,
            answer: text,
        });
    }
    let hh_rlhf::Split { lead, turns } = hh_rlhf::split(&text);
    let column_name = column.to_owned();
    if turns.is_empty() {
        return Err(RejectReason::NoTurns {
            column: column_name,
        }
        .into());
    }
    if !lead.trim().is_empty() {
        return Err(RejectReason::TextBeforeTurns {
            column: column_name,
        }
        .into());
    }
    side(column, turns.iter().map(hh_rlhf::Turn::message).collect())
}

fn side(column: &str, mut turns: Vec<Message>) -> Result<Side, PairProblem> {
    let last = turns.pop_if(|turn| turn.role == Role::Assistant);
    let last = last.ok_or_else(|| PairProblem::NoAnswer {
        column: column.to_owned(),
    })?;
    Ok(Side {
        before: Some(turns).filter(|turns| !turns.is_empty()),
        answer: last.content,
    })
}

/// Whether a text is a transcript rather than an answer: beside a question of its own, only what
/// begins with the mark of a turn is.
fn begins_with_a_turn(raw: &str) -> bool {
    if !is_text(raw) {
        return true;
    }
    decode_text(raw).is_ok_and(|text| {
        let hh_rlhf::Split { lead, turns } = hh_rlhf::split(&text);
        !turns.is_empty() && lead.trim().is_empty()
    })
}

fn decoded(column: &str, raw: &str) -> Result<String, RejectReason> {
    decode_text(raw)
        .map(Into::into)
        .map_err(|what| RejectReason::BadText {
            column: column.to_owned(),
            what,
        })
}

/// The turns, if both sides have the same.
fn same(a: Vec<Message>, b: &[Message]) -> Result<Vec<Message>, PairProblem> {
    if a == b {
        return Ok(a);
    }
    let equal = a.iter().zip(b).take_while(|(one, other)| one == other);
    let turn = equal.count() + 1;
    Err(PairProblem::OtherConversation { turn })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{ReadOptions, read_row};

    fn pair(line: &str) -> Result<Pair, PairProblem> {
        let read = read_row(line.as_bytes(), &ReadOptions::default())?;
        read_pair(&read, None)
    }

    fn why(line: &str) -> String {
        pair(line).unwrap_err().to_string()
    }

    #[test]
    fn transcripts_share_what_came_before_their_last_turn() {
        let line = r#"{"chosen":"\n\nHuman: q\n\nHuman: Human: r\n\nAssistant: a","rejected":"\n\nHuman: q\n\nHuman: Human: r\n\nAssistant: "}"#;
        let pair = pair(line).unwrap();
        assert_eq!(
            pair.conversation.messages(),
            [Message::user("q"), Message::user("Human: r")]
        );
        assert_eq!((pair.a.as_str(), pair.b.as_str()), ("a", ""));
        assert_eq!(pair.columns, ["chosen", "rejected"]);
    }

    #[test]
    fn the_shapes_of_pairs() {
        let q = r#"{"role":"user","content":"q"}"#;
        let said = |text: &str| format!(r#"{{"role":"assistant","content":"{text}"}}"#);
        let (a, b) = (said("x"), said("y"));
        for line in [
            // As TRL has it: the question apart, only the answers in the two columns.
            format!(r#"{{"prompt":[{q}],"chosen":[{a}],"rejected":[{b}]}}"#),
            // The whole chat twice, beside the question as text.
            format!(r#"{{"prompt":"q","chosen":[{q},{a}],"rejected":[{q},{b}]}}"#),
            format!(r#"{{"chosen":[{q},{a}],"rejected":[{q},{b}]}}"#),
            format!(r#"{{"a":[{q},{a}],"b":[{q},{b}]}}"#),
            r#"{"prompt":"q","a":"x","b":"y"}"#.to_owned(),
            format!(r#"{{"messages":[{q}],"a":"x","b":"y"}}"#),
            r#"{"a":"\n\nHuman: q\n\nAssistant: x","b":"\n\nHuman: q\n\nAssistant: y"}"#.to_owned(),
            r#"{"prompt":"-","a":"\n\nHuman: q\n\nAssistant: x","b":"\n\nHuman: q\n\nAssistant: y"}"#.to_owned(),
        ] {
            let pair = pair(&line).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(pair.conversation.messages(), [Message::user("q")], "{line}");
            assert_eq!((pair.a.as_str(), pair.b.as_str()), ("x", "y"), "{line}");
        }
    }

    #[test]
    fn marks_inside_an_answer_beside_a_question_are_text() {
        let line = r#"{"prompt":"q","a":"x\n\nHuman: y","b":"\n\nAssistant: z"}"#;
        let pair = pair(line).unwrap();
        assert_eq!(pair.a, "x\n\nHuman: y");
        assert_eq!(pair.b, "\n\nAssistant: z");
    }

    #[test]
    fn named_columns_hold_the_pair() {
        let line = r#"{"prompt":"q","one":"x","two":"y","chosen":"c","rejected":"d"}"#;
        let read = read_row(line.as_bytes(), &ReadOptions::default()).unwrap();
        let named = ["two".to_owned(), "one".to_owned()];
        let pair = read_pair(&read, Some(&named)).unwrap();
        assert_eq!((pair.a.as_str(), pair.b.as_str()), ("y", "x"));
        let missing = ["two".to_owned(), "three".to_owned()];
        assert_eq!(read_pair(&read, Some(&missing)), Err(PairProblem::NoPair));
    }

    #[test]
    fn what_cannot_be_compared_says_why() {
        for (line, says) in [
            (
                r#"{"chosen":"\n\nHuman: q\n\nAssistant: a","rejected":"\n\nHuman: r\n\nAssistant: b"}"#,
                "the two answers stand in different conversations: their turn 1 differs",
            ),
            (
                r#"{"chosen":"\n\nHuman: q\n\nAssistant: a","rejected":"\n\nHuman: q\n\nAssistant: c\n\nHuman: d\n\nAssistant: b"}"#,
                "the two answers stand in different conversations: their turn 2 differs",
            ),
            (
                r#"{"prompt":"q","a":"x","b":"x"}"#,
                "both answers are the same",
            ),
            (
                r#"{"chosen":"\n\nHuman: q\n\nAssistant: a","rejected":"\n\nHuman: q"}"#,
                "the column `rejected` does not end in a turn of the assistant",
            ),
        ] {
            assert_eq!(why(line), says);
            assert!(!pair(line).unwrap_err().is_no_pair());
        }
        for (line, says) in [
            (r#"{"prompt":"q","a":"x"}"#, "has no pair of answers"),
            (
                r#"{"prompt":"q","a":"x","b":null}"#,
                "has no pair of answers",
            ),
            (
                r#"{"prompt":"q","a":"x","b":7}"#,
                "the column `b` is a number, expected an answer",
            ),
            (
                r#"{"chosen":"\n\nHuman: q\n\nAssistant: a","rejected":"b"}"#,
                "`rejected` is not a transcript",
            ),
        ] {
            let found = why(line);
            assert!(found.contains(says), "{found}");
            assert!(pair(line).unwrap_err().is_no_pair());
        }
    }
}
