//! The beginning of untrusted bytes, in a form that fits on one line of a terminal.

use std::fmt::Write as _;

/// The longest excerpt, in characters.
pub const EXCERPT_CHARS: usize = 120;

/// The beginning of `bytes`: at most [`EXCERPT_CHARS`] characters, with everything escaped that
/// would break the line or speak to the terminal.
#[must_use]
pub fn excerpt(bytes: &[u8]) -> String {
    shorten(bytes, EXCERPT_CHARS)
}

/// The same for a name that stands inside a message.
pub(super) fn short_name(name: &str) -> String {
    shorten(name.as_bytes(), 40)
}

fn shorten(bytes: &[u8], limit: usize) -> String {
    // No character takes more than four bytes, so this cut loses nothing that could be shown.
    let window = &bytes[..bytes.len().min(limit * 4 + 4)];
    let text = String::from_utf8_lossy(window);
    let mut shown = String::with_capacity(limit);
    let mut count = 0;
    // How long the text was when there was still room for the sign that something is left out.
    let mut fits = 0;
    for character in text.trim_ascii_end().chars() {
        count += push_escaped(&mut shown, character);
        if count > limit {
            shown.truncate(fits);
            shown.push('…');
            break;
        }
        if count < limit {
            fits = shown.len();
        }
    }
    shown
}

/// Adds a character as it is, or escaped; returns how many characters that took.
fn push_escaped(shown: &mut String, character: char) -> usize {
    if !needs_escape(character) {
        shown.push(character);
        return 1;
    }
    let before = shown.len();
    match character {
        '\n' => shown.push_str("\\n"),
        '\r' => shown.push_str("\\r"),
        '\t' => shown.push_str("\\t"),
        other => {
            write!(shown, "\\u{{{:x}}}", u32::from(other)).expect("a string takes every character");
        }
    }
    shown.len() - before
}

/// Control characters, line separators, and marks that reorder or hide what stands beside them.
fn needs_escape(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{61c}'
                | '\u{feff}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_excerpt_cannot_speak_to_the_terminal() {
        assert_eq!(
            excerpt(b"a\x1b[2J\x07\r\nb\xff\xe2\x80\xae"),
            "a\\u{1b}[2J\\u{7}\\r\\nb\u{fffd}\\u{202e}"
        );
        assert_eq!(excerpt(b"{\"a\": 1}\n"), "{\"a\": 1}");
    }

    #[test]
    fn an_excerpt_of_much_ends_in_a_sign() {
        let exact = "é".repeat(EXCERPT_CHARS);
        assert_eq!(excerpt(exact.as_bytes()), exact);
        let more = excerpt("é".repeat(EXCERPT_CHARS + 1).as_bytes());
        assert_eq!(more, format!("{}…", "é".repeat(EXCERPT_CHARS - 1)));
    }

    proptest! {
        #[test]
        fn an_excerpt_is_one_short_printable_line(bytes in proptest::collection::vec(any::<u8>(), 0..900)) {
            let shown = excerpt(&bytes);
            prop_assert!(shown.chars().count() <= EXCERPT_CHARS);
            prop_assert!(!shown.chars().any(needs_escape));
        }
    }
}
