//! Words: whole words and phrases that must, or must not, occur, whatever their case.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::error::CheckError;
use super::hit::{self, Hit};
use super::script::joins;
use super::spec::{Must, WordsSpec};

/// The most words that an explanation names.
const NAMED: usize = 5;

/// A whole word is not glued to a letter or digit on either side. A "word" of symbols only, such
/// as `%`, counts wherever it stands, as does one in a script that is written without spaces.
#[derive(Clone, Debug)]
pub(super) struct Words {
    tree: Arc<Tree>,
    every: bool,
    must: Must,
}

impl Words {
    pub(super) fn compile(spec: &WordsSpec) -> Result<Self, CheckError> {
        let (list, words, every) = match (spec.any_of.is_empty(), spec.all_of.is_empty()) {
            (true, true) => return Err(CheckError::NoWords),
            (false, false) => return Err(CheckError::TwoWordLists),
            (false, true) => ("any_of", &spec.any_of, false),
            (true, false) => ("all_of", &spec.all_of, true),
        };
        if every && spec.must == Must::Absent {
            return Err(CheckError::AllOfAbsent);
        }
        if words.iter().any(|word| word.trim().is_empty()) {
            return Err(CheckError::BlankWord { list });
        }
        Ok(Self {
            tree: Arc::new(Tree::new(words)),
            every,
            must: spec.must,
        })
    }

    pub(super) fn must(&self) -> Must {
        self.must
    }

    pub(super) fn hits(&self, text: &str) -> Vec<Hit> {
        match self.must {
            Must::Absent => hit::list(&self.find(text), |(range, word)| {
                (range.clone(), named(&self.tree.phrases[*word].text))
            }),
            Must::Present => self.missing(text),
        }
    }

    /// Every occurrence with the number of its word, sorted and apart; the longest word wins.
    pub(super) fn find(&self, text: &str) -> Vec<(Range<usize>, usize)> {
        let mut found = Vec::new();
        let mut free_from = 0;
        self.tree.visit(text, |start, occurrences| {
            if start >= free_from
                && let Some(&(end, word)) = occurrences.last()
            {
                found.push((start..end, word));
                free_from = end;
            }
        });
        found
    }

    fn missing(&self, text: &str) -> Vec<Hit> {
        let mut seen = vec![false; self.tree.phrases.len()];
        self.tree.visit(text, |_, occurrences| {
            for &(_, word) in occurrences {
                seen[word] = true;
            }
        });
        let phrases = self.tree.phrases.iter().map(|phrase| phrase.text.as_str());
        let missing: Vec<&str> = phrases
            .zip(&seen)
            .filter_map(|(text, seen)| (!seen).then_some(text))
            .collect();
        if self.every || self.tree.phrases.len() == 1 {
            return hit::list_omissions(&missing, |word| format!("{} is missing", named(word)));
        }
        if seen.contains(&true) {
            return Vec::new();
        }
        let quoted: Vec<String> = missing
            .iter()
            .take(NAMED)
            .map(|word| format!("{word:?}"))
            .collect();
        let more = match missing.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        vec![Hit::omission(format!(
            "none of {}{more} occurs",
            quoted.join(", ")
        ))]
    }
}

fn named(word: &str) -> String {
    let kind = if word.contains(char::is_whitespace) {
        "phrase"
    } else {
        "word"
    };
    format!("the {kind} \"{word}\"")
}

#[derive(Debug)]
struct Phrase {
    text: String,
    /// Whether it must not be glued to a letter or digit.
    whole: bool,
}

/// The words as a tree of folded characters, so that a thousand cost no more than one.
#[derive(Debug)]
struct Tree {
    phrases: Vec<Phrase>,
    nodes: Vec<Node>,
    /// Whether some word may begin right after a letter.
    any_glued: bool,
    /// The ASCII characters that begin a word, for a quick look.
    begins: [bool; 128],
}

#[derive(Debug, Default)]
struct Node {
    next: HashMap<char, usize>,
    word: Option<usize>,
}

impl Tree {
    fn new(words: &[String]) -> Self {
        let mut tree = Self {
            phrases: Vec::with_capacity(words.len()),
            nodes: vec![Node::default()],
            any_glued: false,
            begins: [false; 128],
        };
        for word in words {
            tree.insert(word.trim());
        }
        for (place, begins) in (0_u8..).zip(&mut tree.begins) {
            *begins = tree.nodes[0].next.contains_key(&fold(char::from(place)));
        }
        tree
    }

    fn insert(&mut self, text: &str) {
        let whole = text.chars().any(joins);
        let mut at = 0;
        // Inside a phrase, white space of any kind and length is one blank.
        let folded = text.split_whitespace().flat_map(|part| [" ", part]);
        for character in folded.flat_map(str::chars).skip(1).map(fold) {
            let next = self.nodes.len();
            let entry = *self.nodes[at].next.entry(character).or_insert(next);
            if entry == next {
                self.nodes.push(Node::default());
            }
            at = entry;
        }
        if self.nodes[at].word.is_none() {
            self.nodes[at].word = Some(self.phrases.len());
            self.any_glued |= !whole;
            let text = text.to_owned();
            self.phrases.push(Phrase { text, whole });
        }
    }

    /// Calls back for each place where words occur, with their ends and numbers, shortest first.
    fn visit(&self, text: &str, mut each: impl FnMut(usize, &[(usize, usize)])) {
        let mut occurrences = Vec::new();
        let mut glued = false;
        for (start, character) in text.char_indices() {
            let was_glued = std::mem::replace(&mut glued, joins(character));
            if (was_glued && !self.any_glued) || !self.may_begin(character) {
                continue;
            }
            occurrences.clear();
            self.walk(text, start, was_glued, &mut occurrences);
            if !occurrences.is_empty() {
                each(start, &occurrences);
            }
        }
    }

    fn may_begin(&self, character: char) -> bool {
        self.begins.get(character as usize).copied().unwrap_or(true)
    }

    fn walk(&self, text: &str, start: usize, glued: bool, into: &mut Vec<(usize, usize)>) {
        let mut node = &self.nodes[0];
        let mut characters = text[start..].char_indices().peekable();
        while let Some((_, character)) = characters.next() {
            let blank = character.is_whitespace();
            let folded = if blank { ' ' } else { fold(character) };
            let Some(&next) = node.next.get(&folded) else {
                return;
            };
            node = &self.nodes[next];
            while blank
                && characters
                    .next_if(|(_, next)| next.is_whitespace())
                    .is_some()
            {}
            if let Some(word) = node.word {
                let following = characters.peek().copied();
                let whole = self.phrases[word].whole;
                if !whole || !(glued || following.is_some_and(|(_, next)| joins(next))) {
                    into.push((following.map_or(text.len(), |(at, _)| start + at), word));
                }
            }
        }
    }
}

/// The character without its case; typographic apostrophes and hyphens become plain ones.
fn fold(character: char) -> char {
    if character.is_ascii() {
        return character.to_ascii_lowercase();
    }
    match character {
        '\u{2019}' | '\u{2bc}' => '\'',
        '\u{2010}' | '\u{2011}' => '-',
        // By way of upper case, so that `ς` and `σ`, `ſ` and `s` are the same.
        _ => single(single(character, char::to_uppercase), char::to_lowercase),
    }
}

fn single<I: Iterator<Item = char>>(character: char, change: impl Fn(char) -> I) -> char {
    let mut changed = change(character);
    match (changed.next(), changed.next()) {
        (Some(only), None) => only,
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Check;
    use super::super::spec::CheckSpec;
    use super::*;

    fn words(any_of: &[&str], all_of: &[&str], must: Must) -> WordsSpec {
        let owned = |list: &[&str]| list.iter().map(|&word| word.to_owned()).collect();
        WordsSpec {
            any_of: owned(any_of),
            all_of: owned(all_of),
            must,
        }
    }

    fn banned<'t>(any_of: &[&str], text: &'t str) -> Vec<&'t str> {
        let words = Words::compile(&words(any_of, &[], Must::Absent)).unwrap();
        words
            .find(text)
            .into_iter()
            .map(|(range, _)| &text[range])
            .collect()
    }

    fn missing(spec: &WordsSpec, text: &str) -> Vec<String> {
        let words = Words::compile(spec).unwrap();
        words.hits(text).into_iter().map(|hit| hit.what).collect()
    }

    #[test]
    fn whole_words_are_found_whatever_their_case() {
        assert_eq!(
            banned(
                &["guarantee"],
                "Guarantee, guaranteed, GUARANTEE's (guarantee) _guarantee"
            ),
            ["Guarantee", "GUARANTEE", "guarantee"]
        );
        assert_eq!(
            banned(&["straße"], "STRAẞE Straße straßen"),
            ["STRAẞE", "Straße"]
        );
        assert_eq!(banned(&["λόγος"], "ΛΌΓΟΣ λόγοσ"), ["ΛΌΓΟΣ", "λόγοσ"]);
        assert_eq!(banned(&["cafe"], "cafe\u{301} cafe"), ["cafe"]);
    }

    #[test]
    fn words_may_begin_and_end_with_symbols() {
        assert_eq!(
            banned(&["100%"], "100%, 100% 2100% 100%ig"),
            ["100%", "100%"]
        );
        assert_eq!(
            banned(&["c++"], "C++. (c++) obj-c++ C++11 ac++"),
            ["C++", "c++", "c++"]
        );
        assert_eq!(banned(&[".net"], ".NET example.net"), [".NET"]);
        assert_eq!(banned(&["%"], "50% of%"), ["%", "%"]);
        assert_eq!(banned(&[":)"], "hello:)you"), [":)"]);
    }

    #[test]
    fn phrases_span_any_white_space() {
        assert_eq!(
            banned(
                &[" no  refund "],
                "No\u{a0}refund; no\n \trefund; norefund; no refunds"
            ),
            ["No\u{a0}refund", "no\n \trefund"]
        );
        assert_eq!(banned(&["can't"], "CAN’T can't"), ["CAN’T", "can't"]);
        assert_eq!(
            banned(&["non-binding"], "Non\u{2011}binding"),
            ["Non\u{2011}binding"]
        );
    }

    #[test]
    fn scripts_without_spaces_have_no_boundaries() {
        assert_eq!(banned(&["保证"], "我们保证退款"), ["保证"]);
        assert_eq!(banned(&["AI"], "このAIはAIR"), ["AI"]);
    }

    #[test]
    fn the_longest_word_that_fits_wins() {
        let list = ["no", "no refund", "no refund today"];
        assert_eq!(
            banned(&list, "no refund tod, no refund today"),
            ["no refund", "no refund today"]
        );
        assert_eq!(banned(&["c", "c++"], "c++x"), ["c"]);
    }

    #[test]
    fn required_words_are_missed() {
        let any = words(&["refund", "money back"], &[], Must::Present);
        assert!(missing(&any, "Your Money  Back.").is_empty());
        assert_eq!(
            missing(&any, "prefunded"),
            ["none of \"refund\", \"money back\" occurs"]
        );
        let all = words(&[], &["refund", "refund policy"], Must::Present);
        assert!(missing(&all, "our refund policy").is_empty());
        assert_eq!(
            missing(&all, "a refund"),
            ["the phrase \"refund policy\" is missing"]
        );
    }

    #[test]
    fn ill_formed_lists_are_refused() {
        use Must::{Absent, Present};
        let error = |any: &[&str], all: &[&str], must| {
            Words::compile(&words(any, all, must)).expect_err("should be refused")
        };
        assert!(matches!(error(&[], &[], Absent), CheckError::NoWords));
        assert!(matches!(
            error(&["a"], &["b"], Present),
            CheckError::TwoWordLists
        ));
        assert!(matches!(
            error(&[], &["b"], Absent),
            CheckError::AllOfAbsent
        ));
        assert_eq!(
            error(&["a", " \n"], &[], Absent).field(),
            ["words", "any_of"]
        );
        assert_eq!(error(&[], &[""], Present).field(), ["words", "all_of"]);
    }

    #[test]
    fn banned_words_are_rewritten_and_named() {
        let spec = CheckSpec {
            words: Some(words(&["guarantee", "no risk"], &[], Must::Absent)),
            rewrite: Some("promise".into()),
            ..CheckSpec::default()
        };
        let check = Check::compile(&spec).unwrap();
        let text = "We guarantee No Risk. Guaranteed.";
        assert_eq!(
            check.rewrite(text).as_deref(),
            Some("We promise promise. Guaranteed.")
        );
        let what: Vec<String> = check.hits(text).into_iter().map(|hit| hit.what).collect();
        assert_eq!(what, ["the word \"guarantee\"", "the phrase \"no risk\""]);
        let own = Check::compile(&CheckSpec {
            rewrite: Some("A Guarantee!".into()),
            ..spec
        });
        assert!(matches!(own, Err(CheckError::RewriteTrips { .. })));
    }
}
