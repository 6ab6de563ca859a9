//! Taking matches out of a text until none is left.

use std::borrow::Cow;
use std::ops::Range;

/// How often a text is gone over: a replacement and its neighbours can make a new match.
const PASSES: usize = 8;

/// Replaces every match; `find` gives them sorted and apart. The rest stays byte for byte.
pub(super) fn replace<'t>(
    text: &'t str,
    with: &str,
    find: impl Fn(&str) -> Vec<Range<usize>>,
) -> Cow<'t, str> {
    let found = find(text);
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut current = splice(text, with, &found);
    // Replacements that keep feeding each other must not grow the text without end.
    let limit = current.len().saturating_mul(2) + 1024;
    for _ in 1..PASSES {
        let found = find(&current);
        if found.is_empty() || current.len() > limit {
            break;
        }
        current = splice(&current, with, &found);
    }
    Cow::Owned(current)
}

fn splice(text: &str, with: &str, found: &[Range<usize>]) -> String {
    let mut result = String::with_capacity(text.len());
    let mut copied = 0;
    for range in found {
        result.push_str(&text[copied..range.start]);
        result.push_str(with);
        copied = range.end;
    }
    result.push_str(&text[copied..]);
    result
}

/// What may stand around a rewrite text.
const NEIGHBOURS: [&str; 8] = ["", " ", "\n", "a", "0", ".", "-", "\""];

/// Where a rewrite text trips the check all by itself, whatever stands around it.
pub(super) fn trips(with: &str, find: impl Fn(&str) -> Vec<Range<usize>>) -> Option<String> {
    NEIGHBOURS.iter().find_map(|neighbour| {
        let text = format!("{neighbour}{with}{neighbour}");
        let inside = neighbour.len()..neighbour.len() + with.len();
        find(&text)
            .into_iter()
            .find(|range| inside.start <= range.start && range.end <= inside.end)
            .map(|range| text[range].to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(needle: &'static str) -> impl Fn(&str) -> Vec<Range<usize>> {
        move |text| {
            text.match_indices(needle)
                .map(|(at, found)| at..at + found.len())
                .collect()
        }
    }

    #[test]
    fn every_match_goes_and_the_rest_stays() {
        assert_eq!(replace("a-b-c", "+", find("-")), "a+b+c");
        assert!(matches!(
            replace("abc", "+", find("-")),
            Cow::Borrowed("abc")
        ));
    }

    #[test]
    fn a_match_made_by_a_replacement_goes_too() {
        assert_eq!(replace("aabb", "", find("ab")), "");
    }

    #[test]
    fn a_replacement_that_feeds_itself_ends() {
        let text = format!("{}{}", "a".repeat(200), "b".repeat(200));
        assert!(replace(&text, "bba", find("ab")).len() < 5000);
    }

    #[test]
    fn a_replacement_that_is_a_match_is_found_out() {
        assert_eq!(trips("x-y", find("-")).as_deref(), Some("-"));
        assert_eq!(trips("xy", find("-")), None);
    }
}
