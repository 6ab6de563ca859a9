//! Finding a quote in the text that it is quoted from.

use std::ops::Range;

/// Where `quote` occurs in `text`, runs of white space counting as one space; absent when it does
/// not occur, or is nothing but white space.
#[must_use]
pub fn locate_quote(text: &str, quote: &str) -> Option<Range<usize>> {
    let quote = quote.trim();
    if quote.is_empty() {
        return None;
    }
    if let Some(start) = text.find(quote) {
        return Some(start..start + quote.len());
    }
    let (folded, origins) = fold(text);
    let (wanted, _) = fold(quote);
    let start = folded.find(&wanted)?;
    let last = start + wanted.len() - 1;
    let end = origins[last]
        + text[origins[last]..]
            .chars()
            .next()
            .map_or(0, char::len_utf8);
    Some(origins[start]..end)
}

/// The text with runs of white space folded to one space, and for each of its bytes the place of
/// the character in `text` that it came from.
fn fold(text: &str) -> (String, Vec<usize>) {
    let mut folded = String::with_capacity(text.len());
    let mut origins = Vec::with_capacity(text.len());
    let mut in_space = false;
    for (place, character) in text.char_indices() {
        let space = character.is_whitespace();
        if space && in_space {
            continue;
        }
        in_space = space;
        folded.push(if space { ' ' } else { character });
        origins.resize(folded.len(), place);
    }
    (folded, origins)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted<'t>(text: &'t str, quote: &str) -> Option<&'t str> {
        locate_quote(text, quote).map(|range| &text[range])
    }

    #[test]
    fn a_quote_is_found_as_it_stands() {
        assert_eq!(
            quoted("Call me on 555-0134, please.", "555-0134"),
            Some("555-0134")
        );
    }

    #[test]
    fn white_space_is_folded_and_the_original_given_back() {
        let text = "Straße —\n   über\u{a0}alles";
        assert_eq!(quoted(text, "— über alles"), Some("—\n   über\u{a0}alles"));
        assert_eq!(quoted(text, "  Straße  "), Some("Straße"));
    }

    #[test]
    fn what_was_not_said_is_not_found() {
        assert_eq!(quoted("It is cheap.", "It is free."), None);
        assert_eq!(quoted("It is cheap.", "   "), None);
    }

    proptest::proptest! {
        #[test]
        fn every_part_of_a_text_is_found_in_it(text in "\\PC{0,40}", a in 0_usize..41, b in 0_usize..41) {
            let chars: Vec<char> = text.chars().collect();
            let (a, b) = (a.min(b).min(chars.len()), a.max(b).min(chars.len()));
            let part: String = chars[a..b].iter().collect();
            let spaced = part.replace(' ', " \n ");
            let found = locate_quote(&text, &spaced);
            proptest::prop_assert_eq!(found.is_some(), !part.trim().is_empty());
        }
    }
}
