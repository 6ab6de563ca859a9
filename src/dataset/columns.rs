//! Recognises which columns of a row hold the conversation and the answer.
//!
//! `messages` comes first, then `prompt`, then `chosen`; a column that is null counts as absent,
//! because tables give every row every column.

use crate::dataset::chat::{self, read_chat};
use crate::dataset::hh_rlhf;
use crate::dataset::json::{decode_text, is_list, is_text, kind_of, place_in, raw_offset};
use crate::dataset::options::ReadOptions;
use crate::dataset::place::{Form, Place};
use crate::dataset::reason::RejectReason;
use crate::dataset::row::Cell;
use crate::message::{Message, Role};

/// Columns that hold the answer to a `prompt`; the first that is there is taken.
const ANSWERS: [&str; 3] = ["answer", "response", "completion"];

/// What a row says, and where.
#[derive(Debug)]
pub(super) struct Said<'a> {
    /// The turns before the answer.
    pub(super) turns: Vec<Message>,
    /// The answer and its place.
    pub(super) answer: Answer<'a>,
    /// The column of the turns.
    pub(super) column: &'a str,
}

/// The answer of a row, and where it stands or belongs.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    /// The answer, if there is one.
    pub(super) text: Option<String>,
    /// Where it stands, or where one would be written.
    pub(super) place: Place,
    /// Its column, if the row has it.
    pub(super) column: Option<&'a str>,
}

/// Finds the conversation and the answer among the columns of the line `text`.
pub(super) fn recognise<'a>(
    text: &str,
    cells: &'a [Cell<'_>],
    options: &ReadOptions,
) -> Result<Said<'a>, RejectReason> {
    let said = if let Some(cell) = present(cells, "messages") {
        from_messages(text, cells, cell, options)?
    } else if let Some(cell) = present(cells, "prompt") {
        from_prompt(text, cells, cell, options)?
    } else {
        from_whole(text, cells, options)?
    };
    let asks = |turn: &Message| turn.role == Role::User && !turn.content.trim().is_empty();
    if said.turns.iter().any(asks) {
        Ok(said)
    } else {
        Err(RejectReason::NoQuestion)
    }
}

/// The column of that name.
pub(super) fn find<'a, 'b>(cells: &'a [Cell<'b>], name: &str) -> Option<&'a Cell<'b>> {
    cells.iter().find(|cell| cell.name == name)
}

/// The column of that name, unless it is null.
pub(super) fn present<'a, 'b>(cells: &'a [Cell<'b>], name: &str) -> Option<&'a Cell<'b>> {
    find(cells, name).filter(|cell| cell.value != "null")
}

/// A column of another type than it should have.
pub(super) fn wrong_type(cell: &Cell<'_>, expected: &'static str) -> RejectReason {
    RejectReason::WrongType {
        column: cell.name.to_string(),
        found: kind_of(cell.value),
        expected,
    }
}

/// The text of a column that is a string.
pub(super) fn text_of(cell: &Cell<'_>) -> Result<String, RejectReason> {
    decode_text(cell.value).map(Into::into).map_err(|what| {
        let column = cell.name.to_string();
        RejectReason::BadText { column, what }
    })
}

fn from_messages<'a>(
    text: &str,
    cells: &'a [Cell<'_>],
    cell: &'a Cell<'_>,
    options: &ReadOptions,
) -> Result<Said<'a>, RejectReason> {
    if !is_list(cell.value) {
        return Err(wrong_type(cell, "a list of messages"));
    }
    let said = from_chat(text, cell)?;
    match options.answer_column.as_deref() {
        Some(column) if column != cell.name => Ok(Said {
            answer: read_answer(text, cells, options)?,
            ..said
        }),
        _ => Ok(said),
    }
}

fn from_prompt<'a>(
    text: &str,
    cells: &'a [Cell<'_>],
    cell: &'a Cell<'_>,
    options: &ReadOptions,
) -> Result<Said<'a>, RejectReason> {
    let turns = if is_text(cell.value) {
        vec![Message::user(text_of(cell)?)]
    } else if is_list(cell.value) {
        let turns = read_chat(&cell.name, cell.value)?;
        turns.into_iter().map(|turn| turn.message).collect()
    } else {
        return Err(wrong_type(cell, "text"));
    };
    Ok(Said {
        turns,
        answer: read_answer(text, cells, options)?,
        column: &cell.name,
    })
}

/// A column that holds the whole of what was said, the answer included.
fn from_whole<'a>(
    text: &str,
    cells: &'a [Cell<'_>],
    options: &ReadOptions,
) -> Result<Said<'a>, RejectReason> {
    let is_pair = || ["a", "b"].iter().all(|name| present(cells, name).is_some());
    let name = match options.answer_column.as_deref() {
        Some(name) => name,
        None if present(cells, "chosen").is_none() && is_pair() => "a",
        None => "chosen",
    };
    let Some(cell) = present(cells, name) else {
        return Err(match present(cells, "chosen") {
            Some(_) => no_answer_column(name),
            None => RejectReason::NoText,
        });
    };
    if is_text(cell.value) {
        from_transcript(text, cell)
    } else if is_list(cell.value) {
        from_chat(text, cell)
    } else {
        Err(wrong_type(cell, "a transcript"))
    }
}

/// A list of messages; a last turn of the assistant is the answer.
fn from_chat<'a>(text: &str, cell: &'a Cell<'_>) -> Result<Said<'a>, RejectReason> {
    let mut turns = read_chat(&cell.name, cell.value)?;
    let last = turns.pop_if(|turn| turn.message.role == Role::Assistant);
    let answer = last.map_or_else(
        || {
            let end = place_in(text, cell.value).end - 1;
            Answer {
                text: None,
                place: over(end..end, Form::Message),
                column: None,
            }
        },
        |turn| answer_turn(text, &cell.name, turn),
    );
    Ok(Said {
        turns: turns.into_iter().map(|turn| turn.message).collect(),
        answer,
        column: &cell.name,
    })
}

/// A transcript in one string; a last turn of the assistant is the answer, even an empty one.
fn from_transcript<'a>(text: &str, cell: &'a Cell<'_>) -> Result<Said<'a>, RejectReason> {
    let column = || cell.name.to_string();
    let transcript = text_of(cell)?;
    let hh_rlhf::Split { lead, mut turns } = hh_rlhf::split(&transcript);
    if turns.is_empty() {
        return Err(RejectReason::NoTurns { column: column() });
    }
    if !lead.trim().is_empty() {
        return Err(RejectReason::TextBeforeTurns { column: column() });
    }
    let raw = place_in(text, cell.value);
    let end = raw.end - 1;
    let last = turns.pop_if(|turn| turn.role == Role::Assistant);
    let (start, lead) = match last {
        None => (end, hh_rlhf::NEW_TURN),
        Some(turn) => {
            let before = transcript.len() - turn.text.len();
            // An empty turn may lack even the space that separates name and text.
            let bare = turn.text.is_empty() && turn.separator.is_empty();
            let lead = if bare { " " } else { "" };
            (raw.start + raw_offset(cell.value, before), lead)
        }
    };
    Ok(Said {
        turns: turns.iter().map(hh_rlhf::Turn::message).collect(),
        answer: Answer {
            text: last.map(|turn| turn.text.to_owned()),
            place: over(start..end, Form::Turn(lead)),
            column: None,
        },
        column: &cell.name,
    })
}

/// The answer in a column of its own: the one that was named, or the first of [`ANSWERS`].
fn read_answer<'a>(
    text: &str,
    cells: &'a [Cell<'_>],
    options: &ReadOptions,
) -> Result<Answer<'a>, RejectReason> {
    let wish = options.answer_column.as_deref();
    let names = match &wish {
        Some(_) => wish.as_slice(),
        None => &ANSWERS,
    };
    if let Some(cell) = names.iter().find_map(|name| present(cells, name)) {
        return answer_in(text, cell);
    }
    if let Some(cell) = names.iter().find_map(|name| find(cells, name)) {
        return Ok(Answer {
            text: None,
            place: over(place_in(text, cell.value), Form::Text),
            column: Some(&cell.name),
        });
    }
    // A name that fits no column is more likely a slip than a wish for new answers.
    if wish.is_some() && !options.ignore_answers {
        return Err(no_answer_column(names[0]));
    }
    Ok(Answer {
        text: None,
        place: Place::NewColumn(names[0].to_owned()),
        column: None,
    })
}

fn answer_in<'a>(text: &str, cell: &'a Cell<'_>) -> Result<Answer<'a>, RejectReason> {
    if is_text(cell.value) {
        return Ok(Answer {
            text: Some(text_of(cell)?),
            place: over(place_in(text, cell.value), Form::Text),
            column: Some(&cell.name),
        });
    }
    if !is_list(cell.value) {
        return Err(wrong_type(cell, "text"));
    }
    let last = read_chat(&cell.name, cell.value)?.pop();
    match last.filter(|turn| turn.message.role == Role::Assistant) {
        Some(turn) => Ok(answer_turn(text, &cell.name, turn)),
        None => Err(RejectReason::NoAnswerTurn {
            column: cell.name.to_string(),
        }),
    }
}

fn answer_turn<'a>(text: &str, column: &'a str, turn: chat::Turn<'_>) -> Answer<'a> {
    let form = if is_list(turn.content) {
        Form::Parts
    } else {
        Form::Text
    };
    Answer {
        text: Some(turn.message.content),
        place: over(place_in(text, turn.content), form),
        column: Some(column),
    }
}

fn over(span: std::ops::Range<usize>, form: Form) -> Place {
    Place::Over { span, form }
}

fn no_answer_column(name: &str) -> RejectReason {
    let column = name.to_owned();
    RejectReason::NoAnswerColumn { column }
}
