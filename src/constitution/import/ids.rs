//! Ids for principles: from the names that they have, or from the words that they are about.

use std::collections::HashSet;

use super::haul::Entry;
use crate::digest::Digest;

/// The longest id, in characters.
const LONGEST: usize = 48;
/// So many words of a text make an id.
const WORDS: usize = 5;
/// Words that say what to do with an answer, or nothing at all, and not what the principle is about.
const EMPTY_WORDS: &str = "a about all also an and any are as assistant assistant's be been best but by can \
    carefully choose compare consider content could critique degree discuss do does each either especially \
    explain find following for from furthermore give has have how human human's i identify if in include \
    including is it it's its last less like make may more most much must no not note of on or other out \
    pay paying please point possible preceding provide read reply response responses revise rewrite said \
    say says should so some specific such than that that's the their them these they this those to two \
    was way ways we were what when where whether which who why will with without would write you your";

/// Gives ids out, each once.
#[derive(Debug, Default)]
pub(super) struct Ids(HashSet<String>);

impl Ids {
    /// The id itself, or with the first number from 2 that makes it one of its own.
    pub(super) fn give(&mut self, wanted: &str, is_foreign: impl Fn(&str) -> bool) -> String {
        let numbered = (2_u32..).map(|number| format!("{wanted}-{number}"));
        let mut candidates = std::iter::once(wanted.to_owned()).chain(numbered);
        let free = candidates.find(|id| !self.0.contains(id) && !is_foreign(id));
        let id = free.unwrap_or_else(|| wanted.to_owned());
        self.0.insert(id.clone());
        id
    }
}

/// The id that an entry asks for by its name, or by what it says.
pub(super) fn wanted(entry: &Entry) -> String {
    let parts = [
        &entry.text,
        &entry.critique,
        &entry.revision,
        &entry.preference,
    ];
    let spoken: Vec<&str> = parts.into_iter().filter_map(Option::as_deref).collect();
    let named = entry.name.as_deref().map(kebab).filter(|id| !id.is_empty());
    let described = || {
        spoken
            .first()
            .map(|text| described(text))
            .filter(|id| !id.is_empty())
    };
    let numbered = || match spoken.first() {
        Some(text) => format!("principle-{}", Digest::of(text.as_bytes()).short()),
        None => "as-in-the-examples".to_owned(),
    };
    named.or_else(described).unwrap_or_else(numbered)
}

/// A text in lower case, with hyphens between its words, cut at one.
pub(super) fn kebab(text: &str) -> String {
    // A word's apostrophe parts nothing: `don't` is one word.
    let text = text.replace(['\'', '’'], "");
    let words = text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase);
    let mut id = String::new();
    for word in words {
        if !id.is_empty() && id.len() + 1 + word.len() > LONGEST {
            break;
        }
        if !id.is_empty() {
            id.push('-');
        }
        id.extend(word.chars().take(LONGEST));
    }
    id
}

/// The first words of a text that say what it is about.
fn described(text: &str) -> String {
    let empty: HashSet<&str> = EMPTY_WORDS.split_whitespace().collect();
    let mut telling: Vec<&str> = Vec::new();
    for word in text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '\'' | '’' | '-'))) {
        let plain = word.to_lowercase().replace('’', "'");
        let is_new = !telling.iter().any(|known| known.eq_ignore_ascii_case(word));
        if !word.is_empty() && is_new && !empty.contains(plain.as_str()) {
            telling.push(word);
        }
    }
    telling.truncate(WORDS);
    let id = kebab(&telling.join(" "));
    if id.is_empty() { kebab(text) } else { id }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: Option<&str>, critique: &str) -> Entry {
        Entry {
            name: name.map(str::to_owned),
            critique: Some(critique.to_owned()),
            ..Entry::default()
        }
    }

    #[test]
    fn a_name_is_the_id_and_otherwise_what_it_is_about() {
        assert_eq!(wanted(&entry(Some("Kind & Brief"), "x")), "kind-brief");
        assert_eq!(
            wanted(&entry(
                None,
                "Discuss whether the assistant's last response is curt, or doesn't listen."
            )),
            "curt-doesnt-listen"
        );
        let chinese = wanted(&entry(Some("善意"), "回答应该友善。"));
        assert!(
            chinese.starts_with("principle-") && chinese.len() == 18,
            "{chinese}"
        );
        assert_eq!(wanted(&entry(None, "Which is it?")), "which-is-it");
    }

    #[test]
    fn no_id_is_given_twice() {
        let mut ids = Ids::default();
        let nobody = |_: &str| false;
        assert_eq!(ids.give("kind", nobody), "kind");
        assert_eq!(ids.give("kind", nobody), "kind-2");
        assert_eq!(ids.give("kind", |id| id == "kind-3"), "kind-4");
    }

    #[test]
    fn an_id_is_cut_at_a_word() {
        let id = kebab("one two three four five six seven eight nine ten eleven twelve");
        assert!(id.len() <= LONGEST && id.ends_with("-ten"), "{id}");
    }
}
