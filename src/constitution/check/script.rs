//! Which characters join up to words, in scripts with and without spaces.

/// Whether the script is written without spaces, or glues its particles to foreign words, so that
/// a neighbouring character says nothing about where a word ends.
pub(super) fn is_spaceless(character: char) -> bool {
    matches!(character,
        '\u{0e00}'..='\u{0fff}'       // Thai, Lao, Tibetan
        | '\u{1000}'..='\u{109f}'     // Burmese
        | '\u{1100}'..='\u{11ff}'     // Hangul
        | '\u{1780}'..='\u{17ff}'     // Khmer
        | '\u{2e80}'..='\u{9fff}'     // Kana, Bopomofo, Han
        | '\u{a960}'..='\u{a97f}'     // Hangul
        | '\u{ac00}'..='\u{d7ff}'     // Hangul
        | '\u{f900}'..='\u{faff}'     // Han
        | '\u{ff66}'..='\u{ffdc}'     // half-width Kana and Hangul
        | '\u{1b000}'..='\u{1b16f}'   // Kana
        | '\u{20000}'..='\u{3ffff}' // Han
    )
}

/// Whether the character makes one word with a neighbour that does so too.
pub(super) fn joins(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_alphanumeric() || character == '_';
    }
    (character.is_alphanumeric() || is_mark(character)) && !is_spaceless(character)
}

/// Combining marks of the alphabets that use them freely.
fn is_mark(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5c7}'
        | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{900}'..='\u{903}'
        | '\u{93a}'..='\u{94f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_join_but_not_in_scripts_without_spaces() {
        for character in "aZ9_éжא\u{301}".chars() {
            assert!(joins(character), "{character:?}");
        }
        for character in " -.保は한ไ🙂".chars() {
            assert!(!joins(character), "{character:?}");
        }
    }
}
