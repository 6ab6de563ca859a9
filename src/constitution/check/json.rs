//! JSON: the answer is JSON and nothing else, and fits a schema if there is one.

use std::sync::Arc;

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use super::error::CheckError;
use super::hit::Hit;
use super::spec::JsonSpec;

/// The longest answer that is read as JSON, in bytes.
const LONGEST: usize = 16 * 1024 * 1024;

/// The most schema errors that are told.
const TOLD: usize = 5;

/// The most characters of one schema error.
const SHOWN: usize = 200;

/// The most memory that each regular expression of a schema may take.
const PATTERN_SIZE: usize = 2 * 1024 * 1024;

#[derive(Clone, Debug)]
pub(super) struct Json {
    validator: Option<Arc<Validator>>,
}

impl Json {
    pub(super) fn compile(spec: &JsonSpec) -> Result<Self, CheckError> {
        let validator = spec.schema.as_ref().map(validator).transpose()?;
        Ok(Self {
            validator: validator.map(Arc::new),
        })
    }

    pub(super) fn hits(&self, text: &str) -> Vec<Hit> {
        match parse(text) {
            Err(what) => vec![Hit::omission(what)],
            Ok(value) => self.misfits(&value),
        }
    }

    fn misfits(&self, value: &Value) -> Vec<Hit> {
        let Some(validator) = &self.validator else {
            return Vec::new();
        };
        let errors = validator.iter_errors(value).take(TOLD + 1);
        let mut hits: Vec<Hit> = errors
            .map(|error| {
                let place = match error.instance_path().as_str() {
                    "" => "the whole answer",
                    path => path,
                };
                // Masked, because the value may be as long as the answer.
                let problem = error.masked_with("the value").to_string();
                Hit::omission(format!(
                    "JSON that does not fit at {place}: {}",
                    shortened(&problem)
                ))
            })
            .collect();
        if hits.len() > TOLD {
            hits[TOLD] = Hit::omission("JSON that does not fit in more places");
        }
        hits
    }
}

fn validator(schema: &Value) -> Result<Validator, CheckError> {
    let patterns = PatternOptions::regex()
        .size_limit(PATTERN_SIZE)
        .dfa_size_limit(PATTERN_SIZE);
    jsonschema::options()
        .offline()
        .with_pattern_options(patterns)
        .build(schema)
        .map_err(|source| CheckError::BadSchema {
            source: Box::new(source),
        })
}

/// The parser itself bounds how deep JSON is nested.
fn parse(text: &str) -> Result<Value, String> {
    if text.len() > LONGEST {
        return Err(format!(
            "an answer of {} bytes, too long to be read as JSON",
            text.len()
        ));
    }
    serde_json::from_str(text).map_err(|error| {
        let start = text.trim_start();
        if start.is_empty() {
            "an empty answer where JSON is asked for".into()
        } else if start.starts_with("```") || start.starts_with("~~~") {
            "JSON inside a code fence, where JSON alone is asked for".into()
        } else {
            format!("an answer that is not JSON: {error}")
        }
    })
}

fn shortened(problem: &str) -> String {
    match problem.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &problem[..end]),
        None => problem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(schema: Value) -> Json {
        let schema = Some(schema);
        Json::compile(&JsonSpec { schema }).expect("the schema compiles")
    }

    fn told(json: &Json, text: &str) -> Vec<String> {
        json.hits(text).into_iter().map(|hit| hit.what).collect()
    }

    #[test]
    fn only_json_alone_is_json() {
        let json = Json::compile(&JsonSpec::default()).unwrap();
        for text in ["{}", " \n[1, 2]\n", "\"x\"", "null"] {
            assert!(json.hits(text).is_empty(), "{text}");
        }
        assert_eq!(
            told(&json, " "),
            ["an empty answer where JSON is asked for"]
        );
        assert_eq!(
            told(&json, "```json\n{}\n```"),
            ["JSON inside a code fence, where JSON alone is asked for"]
        );
        assert!(told(&json, "Here: {}")[0].starts_with("an answer that is not JSON: expected"));
        assert!(told(&json, &"[".repeat(100_000))[0].contains("recursion limit"));
        assert!(told(&json, &" ".repeat(LONGEST + 1))[0].contains("too long"));
    }

    #[test]
    fn misfits_are_told_with_their_place() {
        let json = check(json!({
            "type": "object",
            "properties": {
                "name": { "type": "string", "pattern": "^[A-Z]" },
                "tags": { "items": { "type": "string" } },
            },
            "required": ["name"],
        }));
        assert!(told(&json, r#"{"name": "Ada", "tags": ["a"]}"#).is_empty());
        assert_eq!(
            told(&json, r#"{"name": "ada", "tags": ["a", 2]}"#),
            [
                "JSON that does not fit at /name: the value does not match \"^[A-Z]\"",
                "JSON that does not fit at /tags/1: the value is not of type \"string\"",
            ]
        );
        assert_eq!(
            told(&json, "{}"),
            ["JSON that does not fit at the whole answer: \"name\" is a required property"]
        );
        assert_eq!(
            told(&json, r#"{"name": "A", "tags": [1,2,3,4,5,6,7]}"#).len(),
            TOLD + 1
        );
    }

    #[test]
    fn schemas_that_do_not_compile_are_refused() {
        for schema in [
            json!({ "type": "strong" }),
            json!({ "pattern": "(" }),
            json!({ "pattern": "(a)\\1" }),
            json!({ "pattern": "a{1000}{1000}" }),
            json!({ "$ref": "https://example.com/schema.json" }),
            json!({ "$ref": "file:///etc/passwd" }),
            json!({ "$schema": "https://example.com/meta.json" }),
            json!({ "$ref": "#/nowhere" }),
            json!("text"),
        ] {
            let result = Json::compile(&JsonSpec {
                schema: Some(schema.clone()),
            });
            let error = result.expect_err(&schema.to_string());
            assert!(
                matches!(error, CheckError::BadSchema { .. }),
                "{schema}: {error}"
            );
            assert_eq!(error.field(), ["json", "schema"]);
        }
    }

    #[test]
    fn a_schema_that_runs_in_a_circle_ends() {
        for schema in [
            json!({ "$ref": "#" }),
            json!({ "allOf": [{ "$ref": "#" }, { "not": { "$ref": "#" } }] }),
            json!({ "$dynamicAnchor": "x", "anyOf": [{ "$dynamicRef": "#x" }] }),
        ] {
            let _ends = check(schema).hits("[1]");
        }
    }

    #[test]
    fn a_schema_may_refer_to_itself() {
        let json = check(json!({
            "$defs": { "tree": { "type": "array", "items": { "$ref": "#/$defs/tree" } } },
            "$ref": "#/$defs/tree",
        }));
        assert!(told(&json, "[[], [[]]]").is_empty());
        assert!(told(&json, "[[], [1]]")[0].contains("/1/0"));
    }
}
