//! Recognises which columns of a row hold the conversation and the answer.
//!
//! Named columns come first, then `messages`, `conversations`, `prompt`, `instruction`,
//! `init_prompt` and `chosen`; a column that is null counts as absent, because tables give every row
//! every column.

use crate::dataset::chat::{self, read_chat, read_message};
use crate::dataset::hh_rlhf;
use crate::dataset::json::{decode_text, is_list, is_text, kind_of, place_in, raw_offset};
use crate::dataset::options::ReadOptions;
use crate::dataset::place::{Form, Place};
use crate::dataset::reason::RejectReason;
use crate::dataset::row::Cell;
use crate::message::{Message, Role};

/// Columns that hold the answer to a `prompt`; the first that is there is taken.
const ANSWERS: [&str; 4] = ["answer", "response", "completion", "output"];

/// Columns that hold the answer to an `instruction`, likewise.
const ANSWERS_TO_INSTRUCTION: [&str; 4] = ["output", "answer", "response", "completion"];

/// The column that holds the answer to an `init_prompt`.
const ANSWERS_TO_INIT: [&str; 1] = ["init_response"];

/// What a row says, and where.
#[derive(Debug)]
pub(super) struct Said<'a> {
    /// The turns before the answer.
    pub(super) turns: Vec<Message>,
    /// The answer and its place.
    pub(super) answer: Answer,
    /// The columns that the turns and the answer come from, and what each is.
    pub(super) used: Vec<(&'static str, &'a str)>,
}

/// The answer of a row, and where it stands or belongs.
#[derive(Debug)]
pub(super) struct Answer {
    /// The answer, if there is one.
    pub(super) text: Option<String>,
    /// Where it stands, or where one would be written.
    pub(super) place: Place,
}

/// Finds the conversation and the answer among the columns of the line `text`.
pub(super) fn recognise<'a>(
    text: &str,
    cells: &'a [Cell<'_>],
    options: &ReadOptions,
) -> Result<Said<'a>, RejectReason> {
    let mut said = conversation(text, cells, options)?;
    lead_with_system(&mut said, cells, options)?;
    let asks = |turn: &Message| turn.role == Role::User && !turn.content.trim().is_empty();
    if said.turns.iter().any(asks) {
        Ok(said)
    } else {
        Err(RejectReason::NoQuestion)
    }
}

fn conversation<'a>(
    text: &str,
    cells: &'a [Cell<'_>],
    options: &ReadOptions,
) -> Result<Said<'a>, RejectReason> {
    let names = &options.columns;
    if let Some(name) = &names.messages {
        let cell = present(cells, name).ok_or_else(|| not_there(name, "messages"))?;
        return if is_text(cell.value) {
            from_transcript(text, cell)
        } else {
            from_messages(text, cells, cell, options)
        };
    }
    if let Some(name) = &names.prompt {
        let cell = present(cells, name).ok_or_else(|| not_there(name, "prompt"))?;
        return from_prompt(text, cells, cell, &ANSWERS, options);
    }
    if let Some(cell) = present(cells, "messages").or_else(|| present(cells, "conversations")) {
        from_messages(text, cells, cell, options)
    } else if let Some(cell) = present(cells, "prompt") {
        from_prompt(text, cells, cell, &ANSWERS, options)
    } else if let Some(cell) = present(cells, "instruction") {
        let mut said = from_prompt(text, cells, cell, &ANSWERS_TO_INSTRUCTION, options)?;
        add_input(&mut said, cells)?;
        Ok(said)
    } else if let Some(cell) = present(cells, "init_prompt") {
        from_prompt(text, cells, cell, &ANSWERS_TO_INIT, options)
    } else {
        from_whole(text, cells, options)
    }
}

/// Puts the instructions of a column of their own first, unless the conversation has its own.
fn lead_with_system<'a>(
    said: &mut Said<'a>,
    cells: &'a [Cell<'_>],
    options: &ReadOptions,
) -> Result<(), RejectReason> {
    let named = options.columns.system.as_deref();
    let Some(cell) = present(cells, named.unwrap_or("system")) else {
        return Ok(());
    };
    if !is_text(cell.value) {
        return match named {
            Some(_) => Err(wrong_type(cell, "text")),
            None => Ok(()),
        };
    }
    let system = text_of(cell)?;
    let has_own = said.turns.iter().any(|turn| turn.role == Role::System);
    if !system.is_empty() && !has_own {
        said.turns.insert(0, Message::system(system));
        said.used.push(("system", &cell.name));
    }
    Ok(())
}

/// Adds what an instruction is to be applied to.
fn add_input<'a>(said: &mut Said<'a>, cells: &'a [Cell<'_>]) -> Result<(), RejectReason> {
    let input = present(cells, "input").filter(|cell| is_text(cell.value));
    if let Some((cell, turn)) = input.zip(said.turns.last_mut()) {
        let input = text_of(cell)?;
        if !input.is_empty() {
            turn.content.push_str("\n\n");
            turn.content.push_str(&input);
        }
        said.used.push(("input", &cell.name));
    }
    Ok(())
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
    let mut said = from_chat(text, cell)?;
    if options
        .answer_column
        .as_deref()
        .is_some_and(|column| column != cell.name)
    {
        said.answer = read_answer(text, cells, &ANSWERS, options, &mut said.used)?;
    }
    Ok(said)
}

fn from_prompt<'a>(
    text: &str,
    cells: &'a [Cell<'_>],
    cell: &'a Cell<'_>,
    answers: &[&str],
    options: &ReadOptions,
) -> Result<Said<'a>, RejectReason> {
    let has_answer = answers.iter().any(|name| present(cells, name).is_some());
    let pair = present(cells, "chosen").filter(|_| options.answer_column.is_none() && !has_answer);
    if let Some(chosen) = pair.filter(|chosen| holds_the_prompt(chosen)) {
        return from_pair(text, chosen);
    }
    let turns = if is_text(cell.value) {
        vec![Message::user(text_of(cell)?)]
    } else if is_list(cell.value) {
        let turns = read_chat(&cell.name, cell.value)?;
        turns.into_iter().map(|turn| turn.message).collect()
    } else {
        let turn = read_message(cell.value).ok_or_else(|| wrong_type(cell, "text"))?;
        vec![turn.message]
    };
    let mut used = vec![("prompt", &*cell.name)];
    let answer = match pair {
        Some(chosen) => {
            used.push(("answer", &*chosen.name));
            answer_in(text, chosen)?
        }
        None => read_answer(text, cells, answers, options, &mut used)?,
    };
    Ok(Said {
        turns,
        answer,
        used,
    })
}

/// Whether the better side of a pair is a whole conversation, and not the answer alone.
fn holds_the_prompt(chosen: &Cell<'_>) -> bool {
    if is_list(chosen.value) {
        let turns = read_chat(&chosen.name, chosen.value);
        return turns.is_ok_and(|turns| turns.len() > 1);
    }
    let text = is_text(chosen.value).then(|| text_of(chosen));
    text.and_then(Result::ok)
        .is_some_and(|text| hh_rlhf::split(&text).turns.len() > 1)
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
    match present(cells, name) {
        Some(cell) => from_pair(text, cell),
        None if present(cells, "chosen").is_some() => Err(no_answer_column(name)),
        None => Err(RejectReason::NoText),
    }
}

fn from_pair<'a>(text: &str, cell: &'a Cell<'_>) -> Result<Said<'a>, RejectReason> {
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
    let answer = if let Some(turn) = last {
        answer_turn(text, turn)
    } else {
        let end = place_in(text, cell.value).end - 1;
        let says_from = turns.first().is_some_and(|turn| turn.says_from);
        let form = if says_from {
            Form::FromValue
        } else {
            Form::Message
        };
        Answer {
            text: None,
            place: over(end..end, form),
        }
    };
    Ok(Said {
        turns: turns.into_iter().map(|turn| turn.message).collect(),
        answer,
        used: vec![("messages", &cell.name)],
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
        },
        used: vec![("messages", &cell.name)],
    })
}

/// The answer in a column of its own: the one that was named, or the first of `names`.
fn read_answer<'a>(
    text: &str,
    cells: &'a [Cell<'_>],
    names: &[&str],
    options: &ReadOptions,
    used: &mut Vec<(&'static str, &'a str)>,
) -> Result<Answer, RejectReason> {
    let wish = options.answer_column.as_deref();
    let names = match &wish {
        Some(_) => wish.as_slice(),
        None => names,
    };
    if let Some(cell) = names.iter().find_map(|name| present(cells, name)) {
        used.push(("answer", &cell.name));
        return answer_in(text, cell);
    }
    if let Some(cell) = names.iter().find_map(|name| find(cells, name)) {
        used.push(("answer", &cell.name));
        return Ok(Answer {
            text: None,
            place: over(place_in(text, cell.value), Form::Text),
        });
    }
    // A name that fits no column is more likely a slip than a wish for new answers.
    if wish.is_some() && !options.ignore_answers {
        return Err(no_answer_column(names[0]));
    }
    Ok(Answer {
        text: None,
        place: Place::NewColumn(names[0].to_owned()),
    })
}

fn answer_in(text: &str, cell: &Cell<'_>) -> Result<Answer, RejectReason> {
    if is_text(cell.value) {
        return Ok(Answer {
            text: Some(text_of(cell)?),
            place: over(place_in(text, cell.value), Form::Text),
        });
    }
    if !is_list(cell.value) {
        let turn = read_message(cell.value).ok_or_else(|| wrong_type(cell, "text"))?;
        return Ok(answer_turn(text, turn));
    }
    let last = read_chat(&cell.name, cell.value)?.pop();
    match last.filter(|turn| turn.message.role == Role::Assistant) {
        Some(turn) => Ok(answer_turn(text, turn)),
        None => Err(RejectReason::NoAnswerTurn {
            column: cell.name.to_string(),
        }),
    }
}

fn answer_turn(text: &str, turn: chat::Turn<'_>) -> Answer {
    let form = if is_list(turn.content) {
        Form::Parts
    } else {
        Form::Text
    };
    Answer {
        text: Some(turn.message.content),
        place: over(place_in(text, turn.content), form),
    }
}

fn over(span: std::ops::Range<usize>, form: Form) -> Place {
    Place::Over { span, form }
}

fn no_answer_column(name: &str) -> RejectReason {
    let column = name.to_owned();
    RejectReason::NoAnswerColumn { column }
}

fn not_there(name: &str, what: &'static str) -> RejectReason {
    let column = name.to_owned();
    RejectReason::NoNamedColumn { column, what }
}
