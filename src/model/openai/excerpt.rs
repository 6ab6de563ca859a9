//! Foreign text made fit for a message: one line, short, harmless on a terminal.

const LONGEST: usize = 300;

/// The beginning of `text` on one line: white space folded, control and direction characters
/// dropped, cut after about 300 characters.
pub(super) fn excerpt(text: &str) -> String {
    let mut line = String::new();
    let mut length = 0;
    let mut gap = false;
    for character in text.chars() {
        if character.is_whitespace() || character.is_control() {
            gap = !line.is_empty();
            continue;
        }
        if is_invisible(character) {
            continue;
        }
        if length >= LONGEST {
            line.push('…');
            break;
        }
        if std::mem::take(&mut gap) {
            line.push(' ');
            length += 1;
        }
        line.push(character);
        length += 1;
    }
    line
}

/// Characters that reorder or hide text on a terminal without being control characters.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_one_short_line_that_a_terminal_only_prints() {
        assert_eq!(excerpt("  two\r\n\tlines \n"), "two lines");
        assert_eq!(
            excerpt("\u{1b}[31mred\u{1b}[0m \u{202e}evil"),
            "[31mred [0m evil"
        );
        let long = excerpt(&"é ".repeat(10_000));
        assert!(
            long.ends_with('…') && long.chars().count() <= LONGEST + 2,
            "{long}"
        );
        assert_eq!(excerpt(""), "");
    }
}
