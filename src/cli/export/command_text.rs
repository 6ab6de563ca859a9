//! A command as somebody would type it.

use std::ffi::OsString;

/// The arguments of a process as a line for a POSIX shell, its program called `redraft`.
pub(super) fn command_text(arguments: impl Iterator<Item = OsString>) -> String {
    let mut words = vec!["redraft".to_owned()];
    words.extend(
        arguments
            .skip(1)
            .map(|word| quoted(&word.to_string_lossy())),
    );
    words.join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./,=@:+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_words_are_quoted() {
        let words = [
            "/bin/x",
            "export",
            "my run",
            "it's",
            "--split",
            "a=0.5,b=0.5",
            "",
        ];
        let text = command_text(words.map(OsString::from).into_iter());
        assert_eq!(
            text,
            r"redraft export 'my run' 'it'\''s' --split a=0.5,b=0.5 ''"
        );
    }
}
