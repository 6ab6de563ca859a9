//! Text in all the shapes that servers give it: a string, parts, null.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// What a `content` field, or another text field, holds. A shape that is no text is empty, so that
/// an odd field never costs a reply.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Content {
    pub(super) text: String,
    pub(super) reasoning: String,
    pub(super) refusal: String,
}

/// One object of a `content` array, after OpenAI (`text`, `refusal`) and Mistral (`thinking`).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Part {
    #[serde(rename = "type")]
    kind: Content,
    text: Content,
    thinking: Content,
    refusal: Content,
}

impl Content {
    fn push(&mut self, other: &Self) {
        self.text.push_str(&other.text);
        self.reasoning.push_str(&other.reasoning);
        self.refusal.push_str(&other.refusal);
    }
}

impl From<Part> for Content {
    fn from(part: Part) -> Self {
        let mut content = Self {
            reasoning: part.thinking.text,
            refusal: part.refusal.text,
            ..Self::default()
        };
        if matches!(part.kind.text.as_str(), "thinking" | "reasoning") {
            content.reasoning.push_str(&part.text.text);
        } else {
            content.text = part.text.text;
        }
        content
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("text")
    }

    fn visit_str<E>(self, text: &str) -> Result<Content, E> {
        Ok(Content {
            text: text.to_owned(),
            ..Content::default()
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Content, A::Error> {
        let mut content = Content::default();
        while let Some(part) = parts.next_element::<Content>()? {
            content.push(&part);
        }
        Ok(content)
    }

    fn visit_map<A: MapAccess<'de>>(self, part: A) -> Result<Content, A::Error> {
        Part::deserialize(MapAccessDeserializer::new(part)).map(Content::from)
    }

    fn visit_unit<E>(self) -> Result<Content, E> {
        Ok(Content::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Content, E> {
        Ok(Content::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Content, E> {
        Ok(Content::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Content, E> {
        Ok(Content::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Content, E> {
        Ok(Content::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(json: &str) -> Content {
        serde_json::from_str(json).expect(json)
    }

    #[test]
    fn text_is_read_from_every_shape() {
        for json in [
            r#""one two""#,
            r#"["one ", "two"]"#,
            r#"[{"type":"text","text":"one "},{"type":"text","text":"two","annotations":[]}]"#,
            r#"{"type":"text","text":"one two"}"#,
            r#"[{"type":"text","text":"one "},{"type":"image_url","image_url":{"url":"x"}},"two"]"#,
        ] {
            assert_eq!(content(json).text, "one two", "{json}");
        }
    }

    #[test]
    fn parts_that_think_or_refuse_are_not_text() {
        let parts = r#"[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},
                        {"type":"reasoning","text":"!"},
                        {"type":"refusal","refusal":"no"},{"type":"text","text":"yes"}]"#;
        let content = content(parts);
        assert_eq!(content.text, "yes");
        assert_eq!(content.reasoning, "hm!");
        assert_eq!(content.refusal, "no");
    }

    #[test]
    fn what_is_no_text_is_empty() {
        for json in [
            "null",
            "true",
            "1",
            "-1",
            "0.5",
            "[]",
            "{}",
            r#"[null,{"a":[{}]}]"#,
        ] {
            assert_eq!(content(json), Content::default(), "{json}");
        }
    }
}
