//! What the values of a column have in common, found out row by row.

use indexmap::IndexMap;
use serde::Deserialize as _;
use serde_json::value::RawValue;

use crate::dataset::json::{decode_text, kind_of};

/// An object with more fields than this is taken for a map, whose keys are data.
const MOST_FIELDS: usize = 200;

/// The narrowest type that holds every value seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Shape {
    /// Nothing but nulls.
    #[default]
    Nothing,
    /// Booleans.
    Truth,
    /// Whole numbers of 64 bits.
    Whole,
    /// Other numbers too.
    Number,
    /// Strings.
    Text,
    /// Lists, and what their items have in common.
    List(Box<Shape>),
    /// Objects, and what their fields have in common.
    Object(IndexMap<String, Shape>),
    /// Values that have nothing in common: kept as JSON text, strings as they are.
    Mixed,
}

impl Shape {
    /// Takes in one more value, given as JSON text.
    pub(super) fn widen(&mut self, raw: &str) {
        if *self == Self::Mixed {
            return;
        }
        match kind_of(raw) {
            "null" => {}
            "a boolean" => self.join(Self::Truth),
            // Half a character is no text that other formats hold.
            "text" if decode_text(raw).is_err() => *self = Self::Mixed,
            "text" => self.join(Self::Text),
            "a list" => self.widen_list(raw),
            "an object" => self.widen_object(raw),
            _ => self.join(number(raw)),
        }
    }

    fn join(&mut self, other: Self) {
        *self = match (std::mem::take(self), other) {
            (Self::Nothing, other) => other,
            (own, other) if own == other => own,
            (Self::Whole, Self::Number) | (Self::Number, Self::Whole) => Self::Number,
            _ => Self::Mixed,
        };
    }

    fn widen_list(&mut self, raw: &str) {
        if *self == Self::Nothing {
            *self = Self::List(Box::default());
        }
        let items = serde_json::from_str::<Vec<&RawValue>>(raw);
        match (&mut *self, items) {
            (Self::List(shape), Ok(items)) => items.iter().for_each(|item| shape.widen(item.get())),
            _ => *self = Self::Mixed,
        }
    }

    fn widen_object(&mut self, raw: &str) {
        if *self == Self::Nothing {
            *self = Self::Object(IndexMap::new());
        }
        let fields = object(raw);
        match (&mut *self, fields) {
            (Self::Object(known), Some(fields)) => {
                for (name, value) in fields {
                    match known.get_mut(&name) {
                        Some(shape) => shape.widen(value.get()),
                        None => known.entry(name).or_default().widen(value.get()),
                    }
                }
                if known.len() > MOST_FIELDS {
                    *self = Self::Mixed;
                }
            }
            _ => *self = Self::Mixed,
        }
    }
}

/// The fields of an object, unless one of them stands twice.
fn object(raw: &str) -> Option<IndexMap<String, &RawValue>> {
    let mut deserializer = serde_json::Deserializer::from_str(raw);
    let fields = Fields::deserialize(&mut deserializer).ok()?;
    let mut found = IndexMap::with_capacity(fields.0.len());
    for (name, value) in fields.0 {
        if found.insert(name, value).is_some() {
            return None;
        }
    }
    Some(found)
}

/// The fields of an object in order, doubled ones included.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de> serde::Deserialize<'de> for Fields<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Fields<'de>;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

fn number(raw: &str) -> Shape {
    if raw != "-0" && raw.parse::<i64>().is_ok() {
        return Shape::Whole;
    }
    let is_exact = raw == "-0" || raw.contains(['.', 'e', 'E']);
    match raw.parse::<f64>() {
        Ok(number) if is_exact && number.is_finite() => Shape::Number,
        _ => Shape::Mixed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(values: &[&str]) -> Shape {
        let mut shape = Shape::default();
        for value in values {
            shape.widen(value);
        }
        shape
    }

    fn list(item: Shape) -> Shape {
        Shape::List(Box::new(item))
    }

    #[test]
    fn the_narrowest_type_that_holds_all_is_found() {
        assert_eq!(shape(&["null"]), Shape::Nothing);
        assert_eq!(shape(&["null", "1", "-7"]), Shape::Whole);
        assert_eq!(shape(&["1", "1.5"]), Shape::Number);
        assert_eq!(shape(&["1.5", "1", "null"]), Shape::Number);
        assert_eq!(shape(&["\"a\"", "null"]), Shape::Text);
        assert_eq!(shape(&["1", "\"a\"", "null"]), Shape::Mixed);
        assert_eq!(shape(&["-0"]), Shape::Number);
        assert_eq!(shape(&["1e999"]), Shape::Mixed);
        assert_eq!(shape(&[r#""\ud800""#]), Shape::Mixed);
        assert_eq!(shape(&["98765432109876543210"]), Shape::Mixed);
        assert_eq!(shape(&["[]"]), list(Shape::Nothing));
        assert_eq!(shape(&["[]", "[true]", "[null]"]), list(Shape::Truth));
        assert_eq!(shape(&["[1]", "{}"]), Shape::Mixed);
        let fields = [
            ("b".to_owned(), Shape::Number),
            ("a".to_owned(), list(Shape::Text)),
        ];
        let expected = Shape::Object(fields.into_iter().collect());
        assert_eq!(shape(&["{\"b\":1}", "{\"a\":[\"x\"],\"b\":2e3}"]), expected);
        assert_eq!(shape(&["{\"a\":1,\"a\":2}"]), Shape::Mixed);
    }

    #[test]
    fn an_object_whose_keys_are_data_does_not_grow_for_ever() {
        let rows: Vec<String> = (0..300).map(|n| format!("{{\"k{n}\":1}}")).collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        assert_eq!(shape(&rows), Shape::Mixed);
    }
}
