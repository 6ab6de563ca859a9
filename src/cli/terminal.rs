//! Text for terminals: styles that vanish where nobody sees them, and strangers' text made harmless.

use std::borrow::Cow;
use std::time::Duration;

use console::{Style, StyledObject, Term};

use crate::audit::{Change, Part, near_changes, word_diff};

/// The width beyond which lines are hard to read.
const MOST_COLUMNS: usize = 100;
/// So many words stand on each side of a change where the rest is left out.
const WORDS_AROUND: usize = 8;
/// The width where there is no terminal to ask.
const DEFAULT_COLUMNS: usize = 80;

/// The width to write in, in columns.
pub(super) fn width() -> usize {
    let columns = Term::stderr()
        .size_checked()
        .map_or(DEFAULT_COLUMNS, |(_, columns)| columns.into());
    columns.clamp(40, MOST_COLUMNS)
}

/// Text from outside with every control character spelled out, line ends and tabs apart: a terminal
/// must not obey it. Marks that reorder text are spelled out, too.
pub(super) fn safe(text: &str) -> Cow<'_, str> {
    let odd = |c: char| (c.is_control() && c != '\n' && c != '\t') || is_reordering(c);
    if !text.contains(odd) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if odd(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

fn is_reordering(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text from outside in one line of at most `columns` characters.
pub(super) fn one_line(text: &str, columns: usize) -> String {
    let folded: Vec<&str> = text.split_whitespace().collect();
    let line = safe(&folded.join(" ")).into_owned();
    console::truncate_str(&line, columns, "…").into_owned()
}

/// Styles for one output stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    to_stderr: bool,
}

impl Paint {
    pub(super) const STDOUT: Self = Self { to_stderr: false };
    pub(super) const STDERR: Self = Self { to_stderr: true };

    fn style(self) -> Style {
        if self.to_stderr {
            Style::new().for_stderr()
        } else {
            Style::new().for_stdout()
        }
    }

    pub(super) fn bold<T>(self, text: T) -> StyledObject<T> {
        self.style().bold().apply_to(text)
    }

    pub(super) fn dim<T>(self, text: T) -> StyledObject<T> {
        self.style().dim().apply_to(text)
    }

    pub(super) fn good<T>(self, text: T) -> StyledObject<T> {
        self.style().green().apply_to(text)
    }

    pub(super) fn bad<T>(self, text: T) -> StyledObject<T> {
        self.style().red().apply_to(text)
    }

    pub(super) fn notable<T>(self, text: T) -> StyledObject<T> {
        self.style().yellow().apply_to(text)
    }

    fn colours(self) -> bool {
        if self.to_stderr {
            console::colors_enabled_stderr()
        } else {
            console::colors_enabled()
        }
    }

    /// The difference of two texts, word by word: coloured, or marked `[-gone-]` and `{+new+}`
    /// where there is no colour.
    pub(super) fn word_diff(self, before: &str, after: &str) -> String {
        word_diff(before, after)
            .iter()
            .map(|part| self.part(part))
            .collect()
    }

    /// The same with no more than a few words around each change.
    pub(super) fn changed_words(self, before: &str, after: &str) -> String {
        near_changes(word_diff(before, after), WORDS_AROUND)
            .iter()
            .map(|part| self.part(part))
            .collect()
    }

    fn part(self, part: &Part) -> String {
        let text = safe(&part.text);
        match (part.change, self.colours()) {
            (Change::Same, _) => text.into_owned(),
            (Change::Removed, true) => self
                .style()
                .red()
                .strikethrough()
                .apply_to(text)
                .to_string(),
            (Change::Added, true) => self.style().green().apply_to(text).to_string(),
            (Change::Removed, false) => format!("[-{text}-]"),
            (Change::Added, false) => format!("{{+{text}+}}"),
        }
    }
}

/// Every line of a text behind a margin.
pub(super) fn indent(text: &str, margin: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("{margin}{line}")).collect();
    lines.join("\n")
}

/// A count with its noun: `1 row`, `2 rows`.
pub(super) fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(count))
}

/// A duration in at most two units.
pub(super) fn brief_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!(
            "{} d {} h",
            thousands(seconds / 86_400),
            seconds % 86_400 / 3600
        ),
    }
}

/// An amount of money: small ones with more places.
pub(super) fn money(amount: f64) -> String {
    if amount > 0.0 && amount < 10.0 {
        format!("{amount:.4}")
    } else {
        format!("{amount:.2}")
    }
}

/// A number with its thousands apart.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_are_shown_and_not_obeyed() {
        assert_eq!(safe("a\u{1b}[31mred\u{7}"), "a\\u{1b}[31mred\\u{7}");
        assert_eq!(safe("line\n\ttab"), "line\n\ttab");
        assert_eq!(safe("a\u{202e}b"), "a\\u{202e}b");
        assert_eq!(safe("über"), "über");
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(thousands(12), "12");
        assert_eq!(counted(1, "row"), "1 row");
        assert_eq!(counted(2000, "row"), "2,000 rows");
    }

    #[test]
    fn durations_and_amounts_are_short() {
        let brief = |seconds| brief_duration(Duration::from_secs(seconds));
        assert_eq!(brief(5), "5 s");
        assert_eq!(brief(125), "2 min 5 s");
        assert_eq!(brief(7260), "2 h 1 min");
        assert_eq!(brief(90_000), "1 d 1 h");
        assert_eq!(
            (money(0.0), money(1.5), money(25.0)),
            ("0.00".into(), "1.5000".into(), "25.00".into())
        );
    }

    #[test]
    fn a_line_is_folded_and_cut() {
        assert_eq!(one_line("a\n  b\u{1b}c", 80), "a b\\u{1b}c");
        assert_eq!(one_line("abcdefgh", 4), "abc…");
    }
}
