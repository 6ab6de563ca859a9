//! JSON that is written once, however often it is sent.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

/// A value as compact JSON, which stands in other JSON as it is.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct JsonText(Arc<RawValue>);

impl JsonText {
    /// The JSON of `value`.
    ///
    /// # Panics
    ///
    /// Never for the types of this crate, whose maps have string keys.
    #[must_use]
    pub fn of(value: &impl Serialize) -> Self {
        let json = to_raw_value(value).expect("a plain data type serialises");
        Self(json.into())
    }

    /// The JSON itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }
}

impl From<Value> for JsonText {
    fn from(value: Value) -> Self {
        Self::of(&value)
    }
}

impl PartialEq for JsonText {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_stands_in_other_json_as_it_is() {
        let text = JsonText::from(json!({ "b": ["x\n"], "a": 1 }));
        assert_eq!(text.as_str(), r#"{"b":["x\n"],"a":1}"#);
        let around = serde_json::to_string(&[&text]).expect("JSON");
        assert_eq!(around, r#"[{"b":["x\n"],"a":1}]"#);
    }
}
