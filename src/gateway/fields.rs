//! A request's body as the list of its fields, each value as it was written: what is not exchanged
//! is sent on byte for byte.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use memchr::memchr2;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::Failure;

/// How deep a body may be nested: as deep as most JSON readers go, and deeper than any request.
const DEEPEST: usize = 128;

/// The fields of a JSON object in their order.
#[derive(Debug)]
pub(super) struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Fields<'a> {
    /// Reads a body.
    ///
    /// # Errors
    ///
    /// When it is not UTF-8, not one JSON object, nested too deep, or has a field twice: two
    /// readers may take different ones.
    pub(super) fn read(body: &'a [u8]) -> Result<Self, Failure> {
        let text = std::str::from_utf8(body).map_err(|error| {
            let place = error.valid_up_to();
            Failure::bad_request(format!(
                "The request's body is not UTF-8 (at byte {place})."
            ))
        })?;
        if is_too_deep(text) {
            let message = format!("The request's body is nested deeper than {DEEPEST} levels.");
            return Err(Failure::bad_request(message));
        }
        let fields: Self = serde_json::from_str(text).map_err(|error| {
            Failure::bad_request(format!("The request's body is not a JSON object: {error}."))
        })?;
        for (place, (name, _)) in fields.0.iter().enumerate() {
            if fields.0[..place].iter().any(|(earlier, _)| earlier == name) {
                let message = format!("The field `{name}` stands twice in the request's body.");
                return Err(Failure::bad_field(name.clone(), message));
            }
        }
        Ok(fields)
    }

    /// A field's value as it was written; absent when it is null, too.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        let (_, value) = self.0.iter().find(|(known, _)| known == name)?;
        Some(value.get()).filter(|raw| *raw != "null")
    }

    /// A field's value, read.
    ///
    /// # Errors
    ///
    /// When it is there and is not of that kind.
    pub(super) fn read_as<T: Deserialize<'a>>(
        &self,
        name: &str,
        kind: &str,
    ) -> Result<Option<T>, Failure> {
        let Some(raw) = self.get(name) else {
            return Ok(None);
        };
        let read = serde_json::from_str(raw);
        read.map(Some)
            .map_err(|_| Failure::bad_field(name, format!("`{name}` must be {kind}.")))
    }

    /// The body again, with another model and without these fields.
    pub(super) fn rewritten(&self, model: &str, left_out: &[&str]) -> Bytes {
        let length: usize = self
            .0
            .iter()
            .map(|(name, raw)| name.len() + raw.get().len() + 8)
            .sum();
        let mut body = Vec::with_capacity(length + model.len());
        body.push(b'{');
        for (name, raw) in &self.0 {
            if left_out.contains(&name.as_ref()) {
                continue;
            }
            if body.len() > 1 {
                body.push(b',');
            }
            write_text(&mut body, name);
            body.push(b':');
            if name == "model" {
                write_text(&mut body, model);
            } else {
                body.extend_from_slice(raw.get().as_bytes());
            }
        }
        body.push(b'}');
        body.into()
    }
}

/// Writes a text as JSON.
fn write_text(body: &mut Vec<u8>, text: &str) {
    // Writing to memory does not fail.
    let _ = serde_json::to_writer(body, text);
}

/// Whether brackets outside strings stand deeper in each other than is read.
fn is_too_deep(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'{' | b'[' => {
                depth += 1;
                if depth > DEEPEST {
                    return true;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => at = end_of_string(bytes, at),
            _ => {}
        }
    }
    false
}

/// The place after the string that begins at `at`.
fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found;
        if bytes[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    bytes.len()
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Fields<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::with_capacity(16);
                while let Some((Name(name), value)) = entries.next_entry()? {
                    fields.push((name, value));
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(body: &str, left_out: &[&str]) -> String {
        let fields = Fields::read(body.as_bytes()).unwrap();
        String::from_utf8(fields.rewritten("theirs", left_out).to_vec()).unwrap()
    }

    #[test]
    fn nothing_but_the_model_is_exchanged() {
        let body = r#"{"z": 1.50e3, "mod\u0065l": "ours", "unknown": {"b":1, "a": [2]},"n":12345678901234567890123}"#;
        let expected = r#"{"z":1.50e3,"model":"theirs","unknown":{"b":1, "a": [2]},"n":12345678901234567890123}"#;
        assert_eq!(rewritten(body, &[]), expected);
        assert_eq!(
            rewritten(
                r#"{"stream":true,"model":"m","stream_options":{}}"#,
                &["stream", "stream_options"]
            ),
            r#"{"model":"theirs"}"#
        );
    }

    #[test]
    fn bodies_that_two_readers_read_differently_are_refused() {
        for body in [
            r#"{"model":"a","mod\u0065l":"b"}"#,
            "[]",
            "{} {}",
            "",
            "\"model\"",
            r#"{"model":"a""#,
        ] {
            let failure = Fields::read(body.as_bytes()).expect_err(body);
            assert_eq!(failure.status, http::StatusCode::BAD_REQUEST, "{body}");
        }
        let failure = Fields::read(b"{\"model\":\"\xff\"}").unwrap_err();
        assert!(failure.message.contains("UTF-8"), "{failure}");
    }

    #[test]
    fn depth_is_counted_outside_strings() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(Fields::read(nested(DEEPEST - 1).as_bytes()).is_ok());
        assert!(Fields::read(nested(DEEPEST).as_bytes()).is_err());
        assert!(Fields::read(nested(1_000_000).as_bytes()).is_err());
        let quoted = format!("{{\"a\":\"\\\"{}\\\\\"}}", "[".repeat(1000));
        assert!(Fields::read(quoted.as_bytes()).is_ok());
    }
}
