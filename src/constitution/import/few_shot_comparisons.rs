//! Few-shot comparisons, each one text: a conversation, `{}` where a question goes, two answers,
//! thoughts about them, and which is better.

use serde_json::Value;

use super::chat::tell_of_earlier;
use super::fields::Fields;
use super::haul::{Entry, Haul, Misfit, spoken};
use super::source::Source;
use crate::constitution::{Example, ExampleVerdict};

/// Where the question goes.
const HOLE: &str = "\n\n{}";

pub(super) fn fits(source: &Source) -> bool {
    let is_comparison = |item: &Value| {
        let prompt = item["prompt"].as_str();
        prompt.is_some_and(|prompt| prompt.contains(HOLE) && prompt.contains("[[["))
    };
    !source.items().is_empty() && source.items().iter().all(is_comparison)
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
        fields.tell_rest(&mut haul);
        let text = prompt.unwrap_or_default();
        match Comparison::of(&text) {
            Some(comparison) => {
                tell_of_earlier(comparison.earlier, &place, &mut haul);
                examples.extend(comparison.examples());
            }
            None => haul.leave_out("entries", "no two answers of which one is better", &place),
        }
    }
    if !examples.is_empty() {
        haul.leave_out(
            "which answer is better",
            "an example has a verdict: the better answer is taken to comply, the other one to \
             violate, so read each",
            &source.file,
        );
    }
    haul.entries.push(Entry {
        place: source.file.clone(),
        examples,
        ..Entry::default()
    });
    Ok(haul)
}

#[derive(Debug, PartialEq, Eq)]
struct Comparison {
    question: String,
    earlier: usize,
    better: String,
    worse: String,
    thoughts: String,
}

impl Comparison {
    fn of(text: &str) -> Option<Self> {
        let (before, after) = text.split_once(HOLE)?;
        let (_, conversation) = before
            .split_once("\n\nH:")
            .or_else(|| before.split_once("\nH:"))?;
        let mut turns = turns(conversation);
        let question = turns.pop()?;
        let (first, rest) = between(after, "(A) [[[", "]]]")?;
        let (second, rest) = between(rest, "(B) [[[", "]]]")?;
        let (thoughts, verdict) = rest.rsplit_once("\n\nHuman:")?;
        let (better, worse) = match verdict.rsplit_once('(')?.1.chars().next()? {
            'A' => (first, second),
            'B' => (second, first),
            _ => return None,
        };
        let thoughts = thoughts.trim().trim_start_matches("Assistant:").trim();
        let thoughts = thoughts.trim_start_matches("Let's think step by step:");
        Some(Self {
            question,
            earlier: turns.len(),
            better: spoken(better)?,
            worse: spoken(worse)?,
            thoughts: spoken(thoughts)?,
        })
    }

    fn examples(self) -> [Example; 2] {
        let example = |answer: &str, verdict, revision| Example {
            prompt: self.question.clone(),
            answer: answer.to_owned(),
            verdict,
            evidence: None,
            critique: Some(self.thoughts.clone()),
            revision,
        };
        [
            example(
                &self.worse,
                ExampleVerdict::Violates,
                Some(self.better.clone()),
            ),
            example(&self.better, ExampleVerdict::Complies, None),
        ]
    }
}

/// The turns of a conversation whose first mark is gone.
fn turns(conversation: &str) -> Vec<String> {
    conversation
        .split("\n\nA:")
        .flat_map(|part| part.split("\n\nH:"))
        .filter_map(spoken)
        .collect()
}

/// What stands between two marks, and what follows the second.
fn between<'t>(text: &'t str, open: &str, close: &str) -> Option<(&'t str, &'t str)> {
    text.split_once(open)?.1.split_once(close)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\n\nHuman: Consider the following conversation:\n\nH: Hello.\n\nA: Hello.\n\nH: \
                        Is it late?\n\n{}\n (A) [[[Past ten.]]]\n (B) [[[Past ten, I am afraid.\n\nGood \
                        night.]]]\n\nAssistant: Let's think step by step: (B) is kinder.\n\nHuman:\nSo \
                        the answer is: (B)";

    #[test]
    fn the_better_answer_is_the_one_that_is_named_last() {
        let comparison = Comparison::of(TEXT).unwrap();
        assert_eq!(comparison.question, "Is it late?");
        assert_eq!(comparison.earlier, 2);
        assert_eq!(comparison.worse, "Past ten.");
        assert_eq!(comparison.better, "Past ten, I am afraid.\n\nGood night.");
        assert_eq!(comparison.thoughts, "(B) is kinder.");
    }

    #[test]
    fn without_an_answer_there_is_no_comparison() {
        assert_eq!(
            Comparison::of(&TEXT.replace("So the answer is: (B)", "Hm.")),
            None
        );
    }
}
