//! What the server's model says: the same to the same request, always.
//!
//! A prompt `draft: TEXT` is answered with TEXT; any other one with a text that some of the time
//! holds flaws. A flaw is a word such as `!be-kind`: the critic finds it to violate the principle
//! of that name, and the reviser takes the first one out. `!0` to `!f` stand for whichever
//! principles have that number, `!stubborn` is left where it is.

use serde_json::{Value, json};

use super::hash;

/// Whom a request speaks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Drafter,
    Critic,
    Reviser,
    /// The critic of the paper's chat.
    ChatCritic,
    /// The reviser of the paper's chat.
    ChatReviser,
}

impl Part {
    /// By the instructions, or else by the model's name: the paper's chat has no instructions.
    pub(crate) fn of(body: &Value) -> Self {
        let first = body["messages"][0]["content"].as_str().unwrap_or_default();
        if first.starts_with("You are a careful critic.") {
            return Self::Critic;
        }
        if first.starts_with("You rewrite answers.") {
            return Self::Reviser;
        }
        match body["model"].as_str() {
            Some("critic") => Self::ChatCritic,
            Some("reviser") => Self::ChatReviser,
            _ => Self::Drafter,
        }
    }
}

/// What the model says.
pub(crate) fn answer(body: &Value, part: Part) -> String {
    match part {
        Part::Drafter => draft(last_message(body)),
        Part::Critic => critique(body),
        Part::Reviser => revise(material(body)["answer"].as_str().expect("an answer")),
        Part::ChatCritic => format!("Critique {:08x}.", brief(&body["messages"].to_string())),
        Part::ChatReviser => format!("Revision {:08x}.", brief(&body["messages"].to_string())),
    }
}

fn brief(text: &str) -> u32 {
    u32::try_from(hash(text) >> 32).expect("32 bits")
}

fn last_message(body: &Value) -> &str {
    let messages = body["messages"].as_array().expect("messages");
    messages[messages.len() - 1]["content"]
        .as_str()
        .expect("text")
}

fn draft(prompt: &str) -> String {
    if let Some(text) = prompt.strip_prefix("draft: ") {
        return text.to_owned();
    }
    let number = hash(prompt);
    let flaw = |shift: u32| format!(" !{:x}", (number >> shift) % 16);
    let flaws = match number % 8 {
        0..=3 => String::new(),
        4 | 5 => flaw(8),
        6 => flaw(8) + &flaw(12) + &flaw(16),
        _ => flaw(8) + " !stubborn",
    };
    format!("Answer {:08x}.{flaws}", brief(prompt))
}

/// The JSON object between the markers of the last message.
pub(crate) fn material(body: &Value) -> Value {
    let text = last_message(body);
    let line = text.lines().nth(1).expect("a line of material");
    serde_json::from_str(line).expect("material is JSON")
}

/// The principles that a critique is asked about, in the order of the prompt.
pub(crate) fn principles(body: &Value) -> Vec<String> {
    let line = last_message(body)
        .lines()
        .find_map(|line| line.strip_prefix("Assess these principles: "))
        .expect("a line of principles");
    line.split(", ").map(str::to_owned).collect()
}

fn flaws(answer: &str) -> impl Iterator<Item = &str> {
    answer
        .split_whitespace()
        .filter(|word| word.starts_with('!') && word.len() > 1)
}

fn critique(body: &Value) -> String {
    let material = material(body);
    let answer = material["answer"].as_str().expect("an answer");
    let (mut violations, mut complies, mut not_applicable) = (Vec::new(), Vec::new(), Vec::new());
    for id in principles(body) {
        let number = format!("{:x}", hash(&id) % 16);
        let flaw = flaws(answer).find(|flaw| flaw[1..] == *id || flaw[1..] == number);
        match flaw {
            Some(flaw) => violations.push(json!({
                "principle": id,
                "evidence": flaw,
                "explanation": format!("It says {flaw}."),
                "severity": "high",
                "fix": format!("Leave out {flaw}."),
            })),
            None if hash(&id).is_multiple_of(3) => not_applicable.push(id),
            None => complies.push(id),
        }
    }
    let critique = json!({
        "violations": violations, "complies": complies, "not_applicable": not_applicable,
    });
    critique.to_string()
}

/// The answer without its first flaw; a stubborn one stays as it is.
fn revise(answer: &str) -> String {
    if answer.contains("!stubborn") {
        return answer.to_owned();
    }
    match flaws(answer).next() {
        Some(flaw) => answer.replacen(&format!(" {flaw}"), "", 1),
        None => answer.to_owned(),
    }
}
