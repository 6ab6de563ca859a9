//! An answer that is there, written as the events of a stream.

use std::fmt::Write as _;
use std::io::Write as _;

use bytes::Bytes;
use serde_json::Value;

/// About how many bytes of a text one event carries.
const PIECE: usize = 240;

/// The events of a stream, one after the other.
#[derive(Debug, Default)]
pub(super) struct Frames(Vec<u8>);

impl Frames {
    /// One event without a name.
    pub(super) fn data(&mut self, data: &Value) {
        // Writing to memory does not fail.
        let _ = write!(self.0, "data: {data}\n\n");
    }

    /// One event without a name that says what every event of its stream does, and these choices.
    pub(super) fn chunk(&mut self, common: &Common, choices: &Value, note: Option<&Value>) {
        let _ = write!(self.0, "data: {}\"choices\":{choices}", common.0);
        if let Some(note) = note {
            let _ = write!(self.0, ",\"redraft\":{note}");
        }
        self.0.extend_from_slice(b"}\n\n");
    }

    /// One event with a name.
    pub(super) fn event(&mut self, name: &str, data: &Value) {
        let _ = write!(self.0, "event: {name}\ndata: {data}\n\n");
    }

    /// The end by which clients know that nothing is missing.
    pub(super) fn done(mut self) -> Bytes {
        self.0.extend_from_slice(b"data: [DONE]\n\n");
        self.bytes()
    }

    /// The events so far.
    pub(super) fn bytes(self) -> Bytes {
        self.0.into()
    }
}

/// A text in pieces of about the same length, none of which splits a character.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut end = PIECE.min(rest.len());
        while !rest.is_char_boundary(end) {
            end += 1;
        }
        let (piece, left) = rest.split_at(end);
        rest = left;
        Some(piece)
    })
}

/// What every event of a stream of completions says, written once: the answer's own fields, without
/// those that events have of their own.
#[derive(Debug)]
pub(super) struct Common(String);

impl Common {
    /// Of the events of that answer, which are called `object`; with this `usage`, where they have one.
    pub(super) fn new(answer: &Value, object: &str, usage: Option<&Value>) -> Self {
        let own = ["object", "choices", "usage", "redraft"];
        let mut written = format!("{{\"object\":{},", Value::from(object));
        for (name, value) in answer.as_object().into_iter().flatten() {
            if !own.contains(&name.as_str()) {
                let _ = write!(written, "{}:{value},", Value::from(name.as_str()));
            }
        }
        if let Some(usage) = usage {
            let _ = write!(written, "\"usage\":{usage},");
        }
        Self(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_make_up_the_text_and_split_no_character() {
        for text in ["", "short", &"ä€😀 ".repeat(200)] {
            let found: Vec<&str> = pieces(text).collect();
            assert_eq!(found.concat(), text);
            assert!(found.iter().all(|piece| piece.len() < PIECE + 4));
        }
    }
}
