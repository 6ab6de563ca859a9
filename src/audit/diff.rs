//! The difference between two texts, word by word.

use serde::Serialize;
use similar::{ChangeTag, TextDiff};

/// Texts longer than this are compared line by line: words would take seconds.
const WORDWISE_BYTES: usize = 64 * 1024;

/// What happened to a part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It stayed.
    Same,
    /// It went.
    Removed,
    /// It came.
    Added,
}

/// A run of text with one fate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What happened to it.
    pub change: Change,
    /// The text.
    pub text: String,
}

/// The parts that make `before` into `after`: without the added ones they are `before`, without the
/// removed ones `after`.
#[must_use]
pub fn word_diff(before: &str, after: &str) -> Vec<Part> {
    let diff = if before.len().max(after.len()) > WORDWISE_BYTES {
        TextDiff::from_lines(before, after)
    } else {
        TextDiff::from_words(before, after)
    };
    let mut parts: Vec<Part> = Vec::new();
    for change in diff.iter_all_changes() {
        let fate = match change.tag() {
            ChangeTag::Equal => Change::Same,
            ChangeTag::Delete => Change::Removed,
            ChangeTag::Insert => Change::Added,
        };
        push(&mut parts, fate, change.value());
    }
    join_over_space(parts)
}

/// The parts with so many words around each change; what is left out in between is `…`. Long changes
/// are shortened in their middle.
#[must_use]
pub fn near_changes(parts: Vec<Part>, words: usize) -> Vec<Part> {
    let last = parts.len().saturating_sub(1);
    let shorten = |(place, part): (usize, Part)| {
        let (begin, end) = match part.change {
            Change::Same => (
                if place == 0 { 0 } else { words },
                if place == last { 0 } else { words },
            ),
            Change::Removed | Change::Added => (4 * words, words),
        };
        Part {
            text: without_middle(&part.text, begin, end),
            ..part
        }
    };
    parts.into_iter().enumerate().map(shorten).collect()
}

/// A text's first and last words; the whole of it where that would leave out one word or none.
fn without_middle(text: &str, begin: usize, end: usize) -> String {
    let words = words(text);
    if words.len() <= begin + end + 1 {
        return text.to_owned();
    }
    let first = words[..begin].concat();
    let last = words[words.len() - end..].concat();
    match (begin, end) {
        (0, _) => format!("… {last}"),
        (_, 0) => format!("{} …", first.trim_end()),
        _ => format!("{} … {last}", first.trim_end()),
    }
}

/// The words of a text, each with the space after it.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for piece in text.split_inclusive(char::is_whitespace) {
        match words.last_mut() {
            Some(last) if piece.trim().is_empty() => last.push_str(piece),
            _ => words.push(piece.to_owned()),
        }
    }
    words
}

fn push(parts: &mut Vec<Part>, change: Change, text: &str) {
    match parts.last_mut() {
        Some(last) if last.change == change => last.text.push_str(text),
        _ => parts.push(Part {
            change,
            text: text.to_owned(),
        }),
    }
}

/// Joins changes that only white space keeps apart: a phrase that was replaced reads as one change,
/// not as one a word.
fn join_over_space(parts: Vec<Part>) -> Vec<Part> {
    let mut joined: Vec<Part> = Vec::new();
    let (mut removed, mut added) = (String::new(), String::new());
    let mut parts = parts.into_iter().peekable();
    while let Some(part) = parts.next() {
        let between = part.change == Change::Same
            && part.text.trim().is_empty()
            && !part.text.contains('\n')
            && !(removed.is_empty() && added.is_empty())
            && parts.peek().is_some();
        if part.change != Change::Added && (part.change == Change::Removed || between) {
            removed.push_str(&part.text);
        }
        if part.change != Change::Removed && (part.change == Change::Added || between) {
            added.push_str(&part.text);
        }
        if part.change == Change::Same && !between {
            push_change(&mut joined, &mut removed, &mut added);
            joined.push(part);
        }
    }
    push_change(&mut joined, &mut removed, &mut added);
    joined
}

/// Puts down a removal and the addition in its place.
fn push_change(parts: &mut Vec<Part>, removed: &mut String, added: &mut String) {
    for (change, text) in [(Change::Removed, removed), (Change::Added, added)] {
        if !text.is_empty() {
            push(parts, change, &std::mem::take(text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_neighbourhood_of_a_change_is_left() {
        let before = "one two three four five six kind seven eight nine ten eleven";
        let after = before.replace("kind", "gentle");
        let near = near_changes(word_diff(before, &after), 2);
        let told: Vec<&str> = near.iter().map(|part| part.text.as_str()).collect();
        assert_eq!(told, ["… five six ", "kind", "gentle", " seven …"]);
        let same = near_changes(word_diff(before, before), 2);
        assert_eq!(same[0].text.trim(), "…");
        let far = word_diff("a b c d e f g h", "x b c d e f g y");
        assert_eq!(near_changes(far, 2)[2].text, " b … f g ");
        let spaced = word_diff("a  b  c  d  e  f", "a  b  c  d  e  g");
        assert_eq!(near_changes(spaced, 2)[0].text, "… d  e  ");
    }

    fn joined(parts: &[Part], without: Change) -> String {
        parts
            .iter()
            .filter(|part| part.change != without)
            .map(|part| part.text.as_str())
            .collect()
    }

    #[test]
    fn one_word_differs() {
        let parts = word_diff(
            "Write to ann@example.com today.",
            "Write to [address] today.",
        );
        let removed: Vec<_> = parts
            .iter()
            .filter(|part| part.change == Change::Removed)
            .collect();
        assert_eq!(removed.len(), 1);
        assert_eq!(removed[0].text, "ann@example.com");
    }

    proptest::proptest! {
        #[test]
        fn the_parts_make_both_texts(before in "[a-c \\n]{0,60}", after in "[a-c \\n]{0,60}") {
            let parts = word_diff(&before, &after);
            proptest::prop_assert_eq!(joined(&parts, Change::Added), before);
            proptest::prop_assert_eq!(joined(&parts, Change::Removed), after);
        }
    }
}
