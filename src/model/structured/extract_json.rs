//! Finding the JSON object in a reply that wraps it in words or in a Markdown fence.

use memchr::{memchr, memchr_iter};
use serde::de::IgnoredAny;

/// The first JSON object in `text`, if a whole one is there. An empty object counts only when no
/// other is found: prose likes to mention `{}`.
///
/// The object may be all of the text, stand in a fence, or between other words. Of an object that
/// breaks off no part is given: it would be mistaken for the whole. The text is read once, however
/// many braces it holds.
///
/// # Examples
///
/// ```
/// use redraft::model::structured::extract_json;
///
/// assert_eq!(extract_json("Sure!\n```json\n{\"a\": \"}\"}\n```"), Some("{\"a\": \"}\"}"));
/// assert_eq!(extract_json("{\"a\": [{\"b\": 1}, "), None);
/// ```
#[must_use]
pub fn extract_json(text: &str) -> Option<&str> {
    let mut empty = None;
    let mut from = 0;
    while let Some(offset) = memchr(b'{', &text.as_bytes()[from..]) {
        let start = from + offset;
        match object_at(&text[start..]) {
            Found::Whole(object) if object[1..object.len() - 1].trim().is_empty() => {
                empty = empty.or(Some(object));
                from = start + object.len();
            }
            Found::Whole(object) => return Some(object),
            Found::BrokenOff => break,
            // What was read so far is no object, and no part of it is one on its own.
            Found::NotJson { after } => from = start + after,
        }
    }
    empty
}

enum Found<'a> {
    Whole(&'a str),
    BrokenOff,
    NotJson { after: usize },
}

/// The JSON object at the beginning of `text`, which begins with a brace.
fn object_at(text: &str) -> Found<'_> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    match values.next() {
        Some(Ok(_)) => Found::Whole(&text[..values.byte_offset()]),
        Some(Err(error)) if !error.is_eof() => Found::NotJson {
            after: offset_of(&error, text),
        },
        _ => Found::BrokenOff,
    }
}

/// The byte of `text` at which reading failed; at least 1.
fn offset_of(error: &serde_json::Error, text: &str) -> usize {
    let line_start = match error.line() {
        0 | 1 => 0,
        line => memchr_iter(b'\n', text.as_bytes())
            .nth(line - 2)
            .map_or(0, |newline| newline + 1),
    };
    // Columns count from 1, and an error may be told of one column before or after its byte.
    (line_start + error.column().saturating_sub(1)).clamp(1, text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_found_however_it_is_wrapped() {
        let object = r#"{"a": "} \" {", "b": [{"c": {}}]}"#;
        for text in [
            object.to_owned(),
            format!("\n {object} \n"),
            format!("```json\n{object}\n```"),
            format!("```\n{object}\n```\nAnything else?"),
            format!("Here it is: {object}. I hope {{this}} helps."),
            format!("Set {{a, b}} and {{}} first: {object}"),
            format!("{object}{object}"),
        ] {
            assert_eq!(extract_json(&text), Some(object), "{text}");
        }
        assert_eq!(extract_json("all fine: { }"), Some("{ }"));
    }

    #[test]
    fn what_holds_no_whole_object_gives_none() {
        for text in [
            "",
            "I cannot help with that.",
            "[1, 2]",
            "{a: 1}",
            r#"{"violations": [{"principle": "x"}, {"princ"#,
            r#"{"a": "never closed"#,
        ] {
            assert_eq!(extract_json(text), None, "{text}");
        }
    }

    #[test]
    fn after_what_is_no_object_the_search_goes_on_behind_it() {
        let object = r#"{"a":1}"#;
        for before in [
            "{".repeat(1_000),
            "{x} ".repeat(1_000),
            r#"{"a":"#.repeat(1_000) + "x",
            "fn main() {\n    let é = {\n\n 1 };\n}\n".to_owned(),
            r#"{"set"} "#.to_owned(),
            "{\"two\nlines\": 1} ".to_owned(),
        ] {
            assert_eq!(
                extract_json(&(before.clone() + object)),
                Some(object),
                "{before}"
            );
        }
        let comma_too_many = r#"{"violations": [{"principle": "x"}],}"#;
        assert_eq!(extract_json(comma_too_many), None, "no part for the whole");
    }

    #[test]
    fn hostile_text_is_read_once() {
        let deep = r#"{"a":"#.repeat(300_000) + "x";
        assert_eq!(extract_json(&deep), None);
        let false_starts = r#"{"a":"--------" x"#.repeat(100_000);
        assert_eq!(extract_json(&false_starts), None);
    }
}
