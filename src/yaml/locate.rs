//! Where in a YAML text the value at a path stands.

use std::fmt;
use std::ops::Range;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// One step of a path into a YAML document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Into a mapping, by key.
    Key(&'static str),
    /// Into a sequence, by place from 0.
    Item(usize),
}

/// The bytes of the first line of the value at `path`, or of the nearest value around it.
///
/// The parser knows places only when it reports errors, so this parses again and fails on purpose
/// when it arrives.
#[must_use]
pub fn locate(text: &str, path: &[Step]) -> Option<Range<usize>> {
    (0..=path.len()).rev().find_map(|depth| {
        let arrival = Walk(&path[..depth])
            .deserialize(serde_yaml::Deserializer::from_str(text))
            .err()?;
        Some(line_from(text, arrival.location()?.index()))
    })
}

/// The bytes from `start` to the end of its line, trailing white space left out.
pub(super) fn line_from(text: &str, start: usize) -> Range<usize> {
    let start = start.min(text.len());
    let rest = text.get(start..).unwrap_or_default();
    let line = rest.lines().next().unwrap_or_default().trim_end();
    start..start + line.len()
}

struct Walk<'p>(&'p [Step]);

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the value at the end of the path")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Some((step, rest)) = self.0.split_first() else {
            return Err(de::Error::custom("arrived"));
        };
        while let Some(key) = entries.next_key::<serde_yaml::Value>()? {
            match step {
                Step::Key(wanted) if key.as_str() == Some(wanted) => {
                    entries.next_value_seed(Walk(rest))?;
                }
                _ => {
                    entries.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Some((step, rest)) = self.0.split_first() else {
            return Err(de::Error::custom("arrived"));
        };
        for place in 0.. {
            let found = match step {
                Step::Item(wanted) if *wanted == place => {
                    items.next_element_seed(Walk(rest))?.is_some()
                }
                _ => items.next_element::<IgnoredAny>()?.is_some(),
            };
            if !found {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "name: x\nlist:\n  - id: one\n    text: >-\n      folded\n  - id: two\n";

    fn found(path: &[Step]) -> &str {
        &TEXT[locate(TEXT, path).expect("the text is a mapping")]
    }

    #[test]
    fn a_scalar_is_found() {
        assert_eq!(
            found(&[Step::Key("list"), Step::Item(1), Step::Key("id")]),
            "two"
        );
        assert_eq!(found(&[Step::Key("name")]), "x");
    }

    #[test]
    fn a_mapping_is_found_at_its_first_key() {
        assert_eq!(found(&[Step::Key("list"), Step::Item(0)]), "id: one");
    }

    #[test]
    fn what_is_not_there_is_found_around() {
        let path = [Step::Key("list"), Step::Item(1), Step::Key("text")];
        assert_eq!(found(&path), "id: two");
    }
}
