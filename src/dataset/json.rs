//! Small readers of raw JSON, for what must be looked at without being taken apart.

use std::borrow::Cow;
use std::ops::Range;

/// The deepest nesting that passes through; `serde_json` itself gives up at 128.
pub(super) const DEEPEST: usize = 100;

/// What kind of value a raw JSON text is, with its article.
pub(super) fn kind_of(raw: &str) -> &'static str {
    match raw.as_bytes().first() {
        Some(b'"') => "text",
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}

/// Whether a raw JSON text is a string.
pub(super) fn is_text(raw: &str) -> bool {
    raw.starts_with('"')
}

/// Whether a raw JSON text is an array.
pub(super) fn is_list(raw: &str) -> bool {
    raw.starts_with('[')
}

/// The text of a raw JSON string, borrowed where nothing in it is escaped; the error is what the
/// parser says.
pub(super) fn decode_text(raw: &str) -> Result<Cow<'_, str>, String> {
    let inner = raw
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    match inner {
        Some(inner) if memchr::memchr(b'\\', inner.as_bytes()).is_none() => {
            Ok(Cow::Borrowed(inner))
        }
        _ => serde_json::from_str(raw)
            .map(Cow::Owned)
            .map_err(|error| message_of(&error)),
    }
}

/// What a parser says, without its line and column.
pub(super) fn message_of(error: &serde_json::Error) -> String {
    let mut message = error.to_string();
    if let Some(place) = message.rfind(" at line ") {
        message.truncate(place);
    }
    message
}

/// Where `part` lies in `whole`, of which it must be a slice.
pub(super) fn place_in(whole: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr() as usize - whole.as_ptr() as usize;
    start..start + part.len()
}

/// Whether brackets are nested more than [`DEEPEST`] levels in a raw JSON text.
pub(super) fn is_too_deep(raw: &str) -> bool {
    if !raw.starts_with(['[', '{']) {
        return false;
    }
    let mut depth = 0_usize;
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth -= 1,
            b'"' => skip_string(&mut bytes),
            _ => {}
        }
        if depth > DEEPEST {
            return true;
        }
    }
    false
}

fn skip_string(bytes: &mut std::str::Bytes<'_>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
}

/// Where the byte `decoded` of a string's text stands in its raw form, quotes and escapes included.
pub(super) fn raw_offset(raw: &str, decoded: usize) -> usize {
    let bytes = raw.as_bytes();
    let mut place = 1;
    let mut passed = 0;
    while passed < decoded {
        let plain = memchr::memchr(b'\\', &bytes[place..]).unwrap_or(bytes.len());
        if plain >= decoded - passed {
            return place + (decoded - passed);
        }
        let escape = &bytes[place + plain..];
        let (raw_length, decoded_length) = match escape.get(1) {
            Some(b'u') => unicode_escape(escape),
            _ => (2, 1),
        };
        place += plain + raw_length;
        passed += plain + decoded_length;
    }
    place
}

/// The raw length of the unicode escape at the start of `bytes`, or of the surrogate pair there,
/// and how many bytes of UTF-8 it stands for.
fn unicode_escape(bytes: &[u8]) -> (usize, usize) {
    let unit = bytes
        .get(2..6)
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .and_then(|digits| u16::from_str_radix(digits, 16).ok());
    match unit {
        Some(0..=0x7f) | None => (6, 1),
        Some(0x80..=0x7ff) => (6, 2),
        Some(0xd800..=0xdfff) => (12, 4),
        Some(_) => (6, 3),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;

    /// The same text with every character that is not ASCII escaped, as Python writes it.
    fn escape_all(text: &str) -> String {
        let mut raw = String::from('"');
        for unit in text.encode_utf16() {
            match unit {
                0x0a => raw.push_str("\\n"),
                0x22 => raw.push_str("\\\""),
                0x5c => raw.push_str("\\\\"),
                0x20..=0x7e => raw.push(char::from(u8::try_from(unit).unwrap())),
                _ => write!(raw, "\\u{unit:04x}").unwrap(),
            }
        }
        raw + "\""
    }

    #[test]
    fn depth_is_counted_outside_strings() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(!is_too_deep(&deep(DEEPEST)));
        assert!(is_too_deep(&deep(DEEPEST + 1)));
        assert!(!is_too_deep(&format!("[\"\\\"{}\"]", "[".repeat(500))));
    }

    #[test]
    fn half_a_character_is_no_text() {
        let error = decode_text(r#""a\ud800b""#).unwrap_err();
        assert!(!error.contains("line"), "{error}");
        assert_eq!(decode_text(r#""a\nb""#).unwrap(), "a\nb");
    }

    proptest! {
        #[test]
        fn every_character_is_found_in_the_raw_form(text in any::<String>()) {
            for raw in [escape_all(&text), serde_json::to_string(&text).unwrap()] {
                for (offset, _) in text.char_indices() {
                    let place = raw_offset(&raw, offset);
                    let rest = format!("\"{}", &raw[place..]);
                    prop_assert_eq!(decode_text(&rest).unwrap(), &text[offset..]);
                }
                prop_assert_eq!(raw_offset(&raw, text.len()), raw.len() - 1);
            }
        }
    }
}
