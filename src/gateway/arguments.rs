//! Arguments of tool calls are JSON in a string, whose escapes could hide characters from checks:
//! they are judged, and given to the client, without those.

use std::borrow::Cow;

/// The same JSON with its characters written out: `\u0040` becomes `@`. Escapes that JSON needs stay,
/// and so does every text that is not JSON.
pub(super) fn plain(json: &str) -> Cow<'_, str> {
    if !json.contains("\\u") && !json.contains("\\/") {
        return Cow::Borrowed(json);
    }
    if !is_json(json) {
        return Cow::Borrowed(json);
    }
    let mut plain = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        plain.push_str(before);
        let (written, length) = written_out(escape);
        match written {
            Some(character) => plain.push(character),
            None => plain.push_str(&escape[..length]),
        }
        rest = &escape[length..];
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// Whether a text is JSON.
pub(super) fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// The character for which an escape at the beginning stands, if it needs no escape, and the escape's
/// length.
fn written_out(escape: &str) -> (Option<char>, usize) {
    let unit = |from: usize| u16::from_str_radix(escape.get(from..from + 4)?, 16).ok();
    match escape.as_bytes().get(1) {
        Some(b'/') => (Some('/'), 2),
        Some(b'u') => {
            let Some(first) = unit(2) else {
                return (None, 2);
            };
            if let Some(character) = char::from_u32(u32::from(first)) {
                let is_needed = character.is_control() || matches!(character, '"' | '\\');
                return ((!is_needed).then_some(character), 6);
            }
            let second = escape
                .get(6..8)
                .filter(|next| *next == "\\u")
                .and_then(|_| unit(8));
            let pair = second.and_then(|second| {
                char::decode_utf16([first, second])
                    .next()
                    .and_then(Result::ok)
            });
            match pair {
                Some(character) => (Some(character), 12),
                None => (None, 6),
            }
        }
        _ => (None, 2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_written_out_and_needed_escapes_stay() {
        for (given, expected) in [
            (
                r#"{"to":"ann\u0040example.com"}"#,
                r#"{"to":"ann@example.com"}"#,
            ),
            (
                r#"{"a":"\u0022 \u005c \u000a \n \\u0040 \/"}"#,
                r#"{"a":"\u0022 \u005c \u000a \n \\u0040 /"}"#,
            ),
            (r#""\ud83d\ude00""#, "\"😀\""),
            (r#"{"broken":"\u0040"#, r#"{"broken":"\u0040"#),
            (r#"{"plain":"@"}"#, r#"{"plain":"@"}"#),
        ] {
            let plain = plain(given);
            assert_eq!(plain, expected);
            if is_json(given) {
                let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
                assert_eq!(read(&plain), read(given));
            }
        }
    }
}
