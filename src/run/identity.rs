//! What a run is: its dataset's name, and the digest of all that decides its results.

use serde_json::{Map, Value, json};

use crate::dataset::ReadOptions;
use crate::digest::Digest;
use crate::transcript::Provenance;

/// All that decides a run's results: constitution, prompts, recipe, models by name, sampling, seed
/// and which answers are read. Not the version of redraft: a newer one may finish
/// what an older one began.
#[must_use]
pub fn decided_by(provenance: &Provenance, read: &ReadOptions) -> Value {
    let mut decided_by = json!({
        "constitution": provenance.constitution,
        "prompts": provenance.prompts,
        "recipe": provenance.recipe,
        "models": provenance.models,
        "seed": provenance.seed,
        "answer column": read.answer_column,
        "draft": if read.ignore_answers { "always" } else { "given" },
    });
    if !read.columns.is_empty() {
        decided_by["columns"] = json!(read.columns);
    }
    decided_by
}

/// The name of the run of a dataset when the user gives none. It holds no path, so that the same
/// work gives the same bytes wherever it is done.
#[must_use]
pub fn run_name(dataset: &str, decided_by: &Value) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let dataset: String = dataset
        .chars()
        .map(|c| if plain(c) { c } else { '-' })
        .take(80)
        .collect();
    format!("{dataset}-{}", Digest::of_json(decided_by).short())
}

/// What differs between what decided one run and what decides another.
#[must_use]
pub fn changes(before: &Value, after: &Value) -> Vec<String> {
    let empty = Map::new();
    let (before, after) = (
        before.as_object().unwrap_or(&empty),
        after.as_object().unwrap_or(&empty),
    );
    after
        .iter()
        .filter(|(part, value)| before.get(*part) != Some(value))
        .map(|(part, _)| part.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_seed_is_another_run_and_is_named() {
        let before = json!({ "seed": 1, "recipe": { "rounds": 2 } });
        let after = json!({ "seed": 2, "recipe": { "rounds": 2 } });
        assert_ne!(run_name("data", &before), run_name("data", &after));
        assert_eq!(changes(&before, &after), ["seed"]);
        assert!(changes(&before, &before).is_empty());
    }

    #[test]
    fn a_datasets_name_becomes_a_plain_word() {
        assert!(run_name("my data/ü\n", &Value::Null).starts_with("my-data-ü--"));
    }
}
