//! Transcripts as hh-rlhf writes them: one string, whose turns begin with an empty line and a name.
//!
//! Only those marks separate turns; "Human:" inside a text is text.

use crate::message::{Message, Role};

/// What stands before a person's turn.
const HUMAN: &str = "\n\nHuman:";

/// What stands before the model's turn.
const ASSISTANT: &str = "\n\nAssistant:";

/// What is written to add a turn of the model.
pub(super) const NEW_TURN: &str = "\n\nAssistant: ";

/// A transcript taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Split<'a> {
    /// What stands before the first turn.
    pub(super) lead: &'a str,
    /// The turns in order.
    pub(super) turns: Vec<Turn<'a>>,
}

/// One turn of a transcript. Mark, separator and text together are its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn<'a> {
    /// Who speaks.
    pub(super) role: Role,
    /// The name that begins the turn, with what separates it from the turn before.
    pub(super) mark: &'a str,
    /// The one space between name and text; empty where there is none.
    pub(super) separator: &'a str,
    /// What is said, with all white space but that one space.
    pub(super) text: &'a str,
}

impl Turn<'_> {
    /// The turn as a message.
    pub(super) fn message(&self) -> Message {
        Message::new(self.role, self.text)
    }
}

/// What stands before the first turn of a transcript, and its turns.
#[must_use]
pub fn transcript_turns(transcript: &str) -> (&str, Vec<Message>) {
    let Split { lead, turns } = split(transcript);
    (lead, turns.iter().map(Turn::message).collect())
}

/// Takes a transcript apart. The pieces, put together again, are the transcript.
///
/// A transcript whose outer white space was trimmed begins with a name; that is its first mark.
pub(super) fn split(transcript: &str) -> Split<'_> {
    let mut marks = Vec::new();
    marks.extend(trimmed_mark(transcript).map(|(role, length)| (role, 0, length)));
    for start in memchr::memchr_iter(b'\n', transcript.as_bytes()) {
        let mark = mark_at(&transcript[start..]);
        marks.extend(mark.map(|(role, length)| (role, start, start + length)));
    }

    let lead = marks
        .first()
        .map_or(transcript.len(), |(_, start, _)| *start);
    let ends = marks.iter().skip(1).map(|(_, start, _)| *start);
    let ends = ends.chain([transcript.len()]);
    let turns = marks.iter().zip(ends).map(|(&(role, start, text), end)| {
        let said = &transcript[text..end];
        let bare = said.strip_prefix(' ').unwrap_or(said);
        Turn {
            role,
            mark: &transcript[start..text],
            separator: &said[..said.len() - bare.len()],
            text: bare,
        }
    });
    Split {
        lead: &transcript[..lead],
        turns: turns.collect(),
    }
}

fn mark_at(rest: &str) -> Option<(Role, usize)> {
    [(Role::User, HUMAN), (Role::Assistant, ASSISTANT)]
        .into_iter()
        .find(|(_, mark)| rest.starts_with(mark))
        .map(|(role, mark)| (role, mark.len()))
}

fn trimmed_mark(transcript: &str) -> Option<(Role, usize)> {
    [(Role::User, HUMAN), (Role::Assistant, ASSISTANT)]
        .into_iter()
        .map(|(role, mark)| (role, mark.trim_start()))
        .find(|(_, mark)| transcript.starts_with(mark))
        .map(|(role, mark)| (role, mark.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn join(split: &Split<'_>) -> String {
        let turns = split.turns.iter();
        let turns = turns.flat_map(|turn| [turn.mark, turn.separator, turn.text]);
        [split.lead].into_iter().chain(turns).collect()
    }

    fn said(transcript: &str) -> Vec<(&'static str, &str)> {
        let split = split(transcript);
        assert_eq!(join(&split), transcript);
        split
            .turns
            .iter()
            .map(|turn| (turn.role.as_str(), turn.text))
            .collect()
    }

    #[test]
    fn only_the_marks_separate_turns() {
        assert_eq!(
            said(
                "\n\nHuman: He said\nHuman: no.\n\nHumans: \n\nAssistant:  two\n\n\n\nAssistant: more\n\nAssistant:"
            ),
            [
                ("user", "He said\nHuman: no.\n\nHumans: "),
                ("assistant", " two\n\n"),
                ("assistant", "more"),
                ("assistant", ""),
            ]
        );
        assert_eq!(said("\n\n\nHuman: a")[0], ("user", "a"));
        assert_eq!(said("Human: a\n\nAssistant: b").len(), 2);
        assert!(said("no marks").is_empty());
        assert_eq!(split("lead\n\nHuman: a").lead, "lead");
    }

    proptest! {
        #[test]
        fn the_pieces_are_the_whole(
            pieces in proptest::collection::vec(prop_oneof![
                Just("\n".to_owned()), Just(" ".to_owned()), Just("Human:".to_owned()),
                Just("\n\nHuman:".to_owned()), Just("\n\nAssistant:".to_owned()), any::<String>(),
            ], 0..20),
        ) {
            let transcript = pieces.concat();
            let split = split(&transcript);
            prop_assert_eq!(&join(&split), &transcript);
            for turn in &split.turns {
                prop_assert!(!turn.text.contains(HUMAN) && !turn.text.contains(ASSISTANT));
            }
        }
    }

    #[test]
    fn the_pieces_of_real_transcripts_are_the_whole() {
        let Some(file) = crate::dataset::real_data::harmless() else {
            return;
        };
        let mut turns = 0;
        let mut empty = 0;
        for line in file.lines() {
            let row: std::collections::BTreeMap<String, String> =
                serde_json::from_str(line).unwrap();
            for transcript in row.values() {
                let split = split(transcript);
                assert_eq!(&join(&split), transcript);
                assert!(split.lead.is_empty());
                turns += split.turns.len();
                empty += usize::from(split.turns.last().unwrap().text.is_empty());
            }
        }
        assert_eq!((turns, empty), (23_037, 4));
    }
}
