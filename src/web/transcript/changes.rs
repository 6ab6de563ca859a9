//! What one text changes of another, word by word.

use maud::{Markup, html};

use crate::audit::{Change, Part, near_changes, word_diff};
use crate::web::number::counted;
use crate::web::{fold, visible};

/// Longer texts are not compared: they are shown one after the other.
const COMPARED_BYTES: usize = 256 * 1024;
/// What stayed is folded when it is longer than this; so much of it is shown on either side.
const STAYED: usize = 1_600;
const STAYED_SHOWN: usize = 500;
/// So many words stand on each side of a change at a glance.
const WORDS_AROUND: usize = 10;

/// A text with what it took from and gave to the one before.
pub(super) fn whole(before: &str, after: &str) -> Markup {
    if before.len().max(after.len()) > COMPARED_BYTES {
        return html! {
            p.soft { "These texts are too long to compare; the new one:" }
            (fold::text(after))
        };
    }
    html! { @for part in &word_diff(before, after) { (show(part)) } }
}

/// The changes alone, each with a few words around it, and how many words they are.
pub(super) fn near(before: &str, after: &str) -> Markup {
    if before.len().max(after.len()) > COMPARED_BYTES {
        return html! { p { "The answer changed; it is too long to compare here." } };
    }
    let parts = word_diff(before, after);
    let words = |change: Change| -> u64 {
        parts
            .iter()
            .filter(|part| part.change == change)
            .map(|part| part.text.split_whitespace().count() as u64)
            .sum()
    };
    let (removed, added) = (words(Change::Removed), words(Change::Added));
    html! {
        div.text dir="auto" {
            @for part in &near_changes(parts, WORDS_AROUND) { (show(part)) }
        }
        p.soft { (counted(removed, "word")) " taken out, " (counted(added, "word")) " put in" }
    }
}

fn show(part: &Part) -> Markup {
    match part.change {
        Change::Same => stayed(&part.text),
        Change::Removed => html! { del { (fold::text(&part.text)) } },
        Change::Added => html! { ins { (fold::text(&part.text)) } },
    }
}

fn stayed(text: &str) -> Markup {
    let (head, rest) = fold::split(text, STAYED, STAYED_SHOWN);
    let end = rest
        .char_indices()
        .rev()
        .nth(STAYED_SHOWN)
        .map_or(0, |(place, _)| place);
    let (middle, tail) = rest.split_at(end);
    html! {
        (visible::text(head))
        @if !middle.is_empty() { (fold::folded(middle, false, &visible::text(middle))) }
        (visible::text(tail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_is_set_apart() {
        let page = whole("Write to <ann> now.", "Write to \u{202e}us now.").into_string();
        assert!(page.contains("<del>&lt;ann&gt;</del>"), "{page}");
        assert!(
            page.contains("<ins><span class=\"hidden-characters\">U+202E</span>us</ins>"),
            "{page}"
        );
    }

    #[test]
    fn what_stayed_is_folded_in_its_middle_and_whole() {
        let long = "w ".repeat(4000);
        let page = whole(&format!("{long}old"), &format!("{long}new")).into_string();
        assert_eq!(
            page.matches('w').count() - page.matches("new").count(),
            4000
        );
        assert!(page.contains("more characters"));
    }

    #[test]
    fn a_megabyte_in_one_line_is_shown_and_not_compared() {
        let long = "x".repeat(1 << 20);
        let page = whole(&long, &format!("{long}y")).into_string();
        assert!(page.contains("too long to compare"));
        assert!(page.matches('x').count() >= 1 << 20);
    }
}
