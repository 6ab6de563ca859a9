//! Few-shot pairs: a prompt with answers that are right and answers that are wrong.

use serde_json::Value;

use super::chat::tell_of_earlier;
use super::fields::Fields;
use super::haul::{Entry, Haul, Misfit, spoken};
use super::source::Source;
use super::transcript::{Mark, parts};
use crate::constitution::{Example, ExampleVerdict};

pub(super) fn fits(source: &Source) -> bool {
    source.is_list_with(&["corrects", "incorrects"])
}

pub(super) fn read(source: &Source) -> Result<Haul, Misfit> {
    let mut haul = Haul::default();
    let mut examples = Vec::new();
    for (place, item) in source.list()?.iter().enumerate() {
        let place = format!("entry {}", place + 1);
        let Some(mut fields) = Fields::of(item, &place, &mut haul) else {
            continue;
        };
        let prompt = fields.text("prompt", &mut haul);
        let right = texts(fields.value("corrects"));
        let wrong = texts(fields.value("incorrects"));
        fields.tell_rest(&mut haul);
        match prompt {
            Some(prompt) => {
                let prompt = last_question(&prompt, &place, &mut haul);
                examples.extend(pairs(&prompt, &right, &wrong));
            }
            None => haul.leave_out("entries", "no prompt", &place),
        }
    }
    haul.entries.push(Entry {
        place: source.file.clone(),
        examples,
        ..Entry::default()
    });
    Ok(haul)
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array);
    let texts = items.into_iter().flatten().filter_map(Value::as_str);
    texts.filter_map(spoken).collect()
}

/// The last question of a transcript that stops where the answer begins.
fn last_question(prompt: &str, place: &str, haul: &mut Haul) -> String {
    let mut turns = parts(prompt);
    match turns.pop() {
        Some((Mark::Human, question)) => {
            tell_of_earlier(turns.len(), place, haul);
            question
        }
        _ => prompt.to_owned(),
    }
}

fn pairs(prompt: &str, right: &[String], wrong: &[String]) -> Vec<Example> {
    let example = |answer: &String, verdict, revision| Example {
        prompt: prompt.to_owned(),
        answer: answer.clone(),
        verdict,
        evidence: None,
        critique: None,
        revision,
    };
    let mended = right.first();
    let wrong = wrong
        .iter()
        .map(|answer| example(answer, ExampleVerdict::Violates, mended.cloned()));
    let right = right
        .iter()
        .map(|answer| example(answer, ExampleVerdict::Complies, None));
    wrong.chain(right).collect()
}
