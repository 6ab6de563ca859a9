//! The fields of one JSON object: taken one by one, and the rest told as not mapped.

use serde_json::{Map, Value};

use super::haul::{Haul, spoken};

/// The fields of one object that nobody has taken yet.
pub(super) struct Fields<'a> {
    object: &'a Map<String, Value>,
    place: &'a str,
    taken: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// The fields of an item, which is left out if it is no object.
    pub(super) fn of(item: &'a Value, place: &'a str, haul: &mut Haul) -> Option<Self> {
        let Some(object) = item.as_object() else {
            haul.leave_out("entries", format!("{} is no object", kind(item)), place);
            return None;
        };
        Some(Self {
            object,
            place,
            taken: Vec::new(),
        })
    }

    /// A field's value, which counts as taken.
    pub(super) fn value(&mut self, field: &'static str) -> Option<&'a Value> {
        self.taken.push(field);
        self.object.get(field).filter(|value| !value.is_null())
    }

    /// A field that is a text, or a list with one text.
    pub(super) fn text(&mut self, field: &'static str, haul: &mut Haul) -> Option<String> {
        let value = self.value(field)?;
        let text = match value {
            Value::Array(items) if items.len() == 1 => &items[0],
            other => other,
        };
        if let Some(text) = text.as_str() {
            return spoken(text);
        }
        let why = format!("{} where a text was expected", kind(value));
        haul.leave_out(format!("`{field}`"), why, self.place);
        None
    }

    /// A field that is a number from 0 up.
    pub(super) fn weight(&mut self, field: &'static str, haul: &mut Haul) -> Option<f64> {
        let value = self.value(field)?;
        let weight = value.as_f64().filter(|weight| *weight >= 0.0);
        if weight.is_none() {
            let why = format!("{} where a number from 0 up was expected", kind(value));
            haul.leave_out(format!("`{field}`"), why, self.place);
        }
        weight
    }

    /// A field that is known and has no place in a constitution.
    pub(super) fn without_place(&mut self, field: &'static str, why: &str, haul: &mut Haul) {
        if self.value(field).is_some() {
            haul.leave_out(format!("`{field}`"), why, self.place);
        }
    }

    /// Tells of every field that nobody took.
    pub(super) fn tell_rest(self, haul: &mut Haul) {
        for field in self.object.keys() {
            if !self.taken.contains(&field.as_str()) {
                haul.leave_out(format!("`{field}`"), "no field of a principle", self.place);
            }
        }
    }
}

/// What a JSON value is, in words.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
