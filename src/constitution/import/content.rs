//! What a principle says, whatever it is called.

use super::haul::Entry;
use crate::constitution::Principle;

/// The parts of a principle that say something, in a form in which equal content is equal text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Content([Option<String>; 4]);

/// What the parts are called, in their order.
const PARTS: [&str; 4] = ["text", "critique", "revision", "preference"];

impl Content {
    /// What an entry says; a text that was made of its requests is none of it.
    pub(super) fn of_entry(entry: &Entry) -> Self {
        Self::of([
            &entry.text,
            &entry.critique,
            &entry.revision,
            &entry.preference,
        ])
    }

    /// What a principle says.
    pub(super) fn of_principle(principle: &Principle) -> Self {
        let text = Some(principle.text.clone());
        Self::of([
            &text,
            &principle.critique,
            &principle.revision,
            &principle.preference,
        ])
    }

    fn of(parts: [&Option<String>; 4]) -> Self {
        Self(parts.map(|part| part.as_deref().map(canonical)))
    }

    /// The parts that are there, with their names.
    pub(super) fn parts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let parts = PARTS.into_iter().zip(&self.0);
        parts.filter_map(|(name, part)| Some((name, part.as_deref()?)))
    }

    /// The part of that name.
    pub(super) fn part(&self, name: &str) -> Option<&str> {
        self.parts()
            .find(|(known, _)| *known == name)
            .map(|(_, part)| part)
    }
}

/// Whether two texts say the same: case, white space, the shape of quotation marks and the sign at
/// the end aside.
pub(super) fn same(a: &str, b: &str) -> bool {
    canonical(a) == canonical(b)
}

fn canonical(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ").to_lowercase();
    let text = text.replace(['‘', '’'], "'").replace(['“', '”'], "\"");
    text.trim_end_matches(['.', '!', '?', ' ']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_look_of_a_text_is_not_what_it_says() {
        assert!(same("Don’t  promise\nanything.", "don't promise anything"));
        assert!(!same("Promise nothing.", "Promise everything."));
    }
}
