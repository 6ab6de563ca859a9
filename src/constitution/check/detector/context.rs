//! The words just before a place, and what they say a number is.

use super::super::script::is_spaceless;

/// How far back words are looked for, in bytes.
const REACH: usize = 64;

/// Words whose full stop ends no sentence.
const ABBREVIATIONS: [&str; 14] = [
    "tel", "ph", "mob", "cell", "fax", "no", "nr", "num", "ref", "ver", "sec", "art", "fig", "acct",
];

/// Words that stand between a number and the noun that says what it is.
const FILLERS: [&str; 22] = [
    "number", "numbers", "no", "nos", "nr", "num", "nummer", "id", "ids", "is", "was", "are",
    "the", "code", "of", "der", "ist", "est", "es", "numéro", "número", "#",
];

/// Fillers that make a number of whatever they follow.
const NUMBERING: [&str; 9] = ["no", "nos", "nr", "num", "id", "ids", "code", "#", "nummer"];

/// The words before a place in the same sentence, the nearest first; `#` counts as a word.
pub(super) fn words_before(text: &str, at: usize) -> Vec<&str> {
    let mut start = at.saturating_sub(REACH);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    let window = &text[start..at];
    let mut words = Vec::new();
    let mut characters = window.char_indices().peekable();
    while let Some((begin, character)) = characters.next() {
        if character == '#' {
            words.push(&window[begin..=begin]);
        } else if character.is_alphanumeric() {
            let mut last = character;
            while let Some((_, next)) = characters.next_if(|&(_, next)| continues(last, next)) {
                last = next;
            }
            let end = characters.peek().map_or(window.len(), |&(end, _)| end);
            // What the window cuts in two is not a word.
            if begin > 0 || start == 0 {
                words.push(&window[begin..end]);
            }
        } else {
            let next = characters.peek().map(|&(_, next)| next);
            if ends_sentence(character, next, words.last().copied()) {
                words.clear();
            }
        }
    }
    words.reverse();
    words
}

/// Whether a word goes on; `phoneNumber` is two words.
fn continues(last: char, next: char) -> bool {
    next.is_alphanumeric()
        && is_spaceless(last) == is_spaceless(next)
        && !(last.is_lowercase() && next.is_uppercase())
}

fn ends_sentence(mark: char, next: Option<char>, word: Option<&str>) -> bool {
    match mark {
        '\n' => next == Some('\n'),
        '!' | '?' | '.' if next.is_some_and(char::is_whitespace) => {
            mark != '.' || !word.is_some_and(|word| is_one_of(word, &ABBREVIATIONS))
        }
        '。' | '；' => true,
        _ => false,
    }
}

pub(super) fn is_one_of(word: &str, list: &[&str]) -> bool {
    if word.is_ascii() {
        return list.iter().any(|known| known.eq_ignore_ascii_case(word));
    }
    list.contains(&word.to_lowercase().as_str())
}

/// What the words before a number say it is.
#[derive(Debug)]
pub(super) struct Label<'t> {
    /// The noun, as in `order no. 7`.
    pub(super) noun: Option<&'t str>,
    /// Whether something like `no.` or `#` stands before the number.
    pub(super) numbered: bool,
}

impl Label<'_> {
    pub(super) fn is_one_of(&self, list: &[&str]) -> bool {
        self.noun.is_some_and(|noun| is_one_of(noun, list))
    }
}

/// Reads the label off the words before a number, the nearest first.
pub(super) fn label<'t>(words: &[&'t str]) -> Label<'t> {
    let fillers = words
        .iter()
        .take_while(|word| is_one_of(word, &FILLERS))
        .count();
    Label {
        noun: words.get(fillers).copied(),
        numbered: words[..fillers]
            .iter()
            .any(|word| is_one_of(word, &NUMBERING)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_nearest_first_within_the_sentence() {
        let before = |text: &'static str| words_before(text, text.len());
        assert_eq!(before("Call me. Order No. "), ["No", "Order"]);
        assert_eq!(before("Tel.: "), ["Tel"]);
        assert_eq!(before(r#"{"phoneNumber": ""#), ["Number", "phone"]);
        assert_eq!(before("电话"), ["电话"]);
        assert_eq!(before("call\n\nx_y #"), ["#", "y", "x"]);
        let long = format!("{}é piano ", "é".repeat(40));
        assert_eq!(words_before(&long, long.len()), ["piano"]);
    }

    #[test]
    fn labels_look_past_fillers() {
        let label = |text| label(&words_before(text, text.len()));
        assert_eq!(label("the order number is ").noun, Some("order"));
        assert!(!label("the order number is ").numbered);
        assert!(label("Ticket #").numbered);
        assert_eq!(label("").noun, None);
    }
}
