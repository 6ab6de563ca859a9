//! Long texts: shown in part, the rest folded away and never left out.

use maud::{Markup, html};

use super::number::thousands;
use super::visible;

/// A text longer than this is folded.
const LONGEST: usize = 6_000;
/// So much of a folded text is shown before the fold.
const SHOWN: usize = 2_500;

/// A text, its rest folded away where it is long.
pub(super) fn text(whole: &str) -> Markup {
    let (shown, rest) = split(whole, LONGEST, SHOWN);
    html! {
        (visible::text(shown))
        @if !rest.is_empty() { (folded(rest, false, &visible::text(rest))) }
    }
}

/// What is folded away of a text, under a word on how much it is.
pub(super) fn folded(rest: &str, open: bool, shown: &Markup) -> Markup {
    html! {
        details.fold open[open] {
            summary { (thousands(rest.chars().count() as u64)) " more characters" }
            (shown)
        }
    }
}

/// A text that is not folded, and nothing; or as many characters of it as are shown, and the rest.
pub(super) fn split(whole: &str, longest: usize, shown: usize) -> (&str, &str) {
    // There are at most as many characters as bytes.
    if whole.len() <= longest || whole.chars().nth(longest).is_none() {
        return (whole, "");
    }
    let end = whole.char_indices().nth(shown).map_or(0, |(end, _)| end);
    // Not within a line that could be whole, if there is a near one.
    let end = whole[..end]
        .rfind('\n')
        .filter(|line| end - line < 400)
        .map_or(end, |line| line + 1);
    whole.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_folded_and_whole() {
        let long = "ü".repeat(LONGEST + 1);
        let (shown, rest) = split(&long, LONGEST, SHOWN);
        assert_eq!(shown.chars().count(), SHOWN);
        assert_eq!(format!("{shown}{rest}"), long);
        let page = text(&long).into_string();
        assert!(page.contains("3,501 more characters"), "{page}");
        assert_eq!(page.matches('ü').count(), LONGEST + 1);
        assert!(!text(&long[..2 * LONGEST]).into_string().contains("details"));
    }

    #[test]
    fn a_fold_begins_with_a_line() {
        let lines = "a line of some words\n".repeat(1000);
        let (shown, _) = split(&lines, LONGEST, SHOWN);
        assert!(shown.ends_with('\n'));
    }
}
