//! What a reply says: the letter of one answer, or how likely each letter was.

use crate::model::{Completion, TokenPlace};

/// What may stand around a letter: brackets, quotes, marks of emphasis, and what tokenizers write for
/// white space.
const AROUND: &[char] = &[
    '(', ')', '[', ']', '{', '}', '*', '_', '`', '"', '\'', '“', '”', '.', ':', ',', ';', '!', '▁',
    'Ġ', 'Ċ',
];
/// The two letters together must have had this much of the probability: with less, they are an
/// accident of a reply that says something else.
const LEAST_MASS: f64 = 0.1;
/// Words before a last word that is the letter of a choice.
const LEADS: [&str; 8] = [
    "answer", "option", "response", "choice", "is", "choose", "pick", "prefer",
];
/// How much of a reply is shown when it cannot be read, in characters.
const SHOWN: usize = 60;

/// How probable it is that the answer shown as A is the better one, by a reply with likeliest tokens.
///
/// # Errors
///
/// With the reason why that cannot be read.
pub(super) fn by_likelihood(completion: &Completion) -> Result<f64, String> {
    if completion.first_tokens.is_empty() {
        return Err(without_tokens(completion));
    }
    let (a, b) = masses(&completion.first_tokens);
    let both = a + b;
    if both >= LEAST_MASS {
        return Ok(a / both);
    }
    Err(format!(
        "A and B together had {:.1} % of the probability; the reply says {}",
        both * 100.0,
        shown(&completion.text)
    ))
}

fn without_tokens(completion: &Completion) -> String {
    match &completion.refusal {
        Some(refusal) => format!("the critic refused: {}", shown(refusal)),
        None => format!(
            "the reply came without log-probabilities; it says {}",
            shown(&completion.text)
        ),
    }
}

/// The probability that the reply begins with each letter. A place that holds only what may stand
/// before a letter leaves the choice to the next one.
fn masses(places: &[TokenPlace]) -> (f64, f64) {
    let mut after = (0.0, 0.0);
    for place in places.iter().rev() {
        let mut here = (0.0, 0.0);
        for chance in &place.likeliest {
            let probability = chance.logprob.min(0.0).exp();
            match letter(&chance.token) {
                Some(Letter::A) => here.0 += probability,
                Some(Letter::B) => here.1 += probability,
                None if chance.token == place.token && is_around(&chance.token) => {
                    here.0 += probability * after.0;
                    here.1 += probability * after.1;
                }
                None => {}
            }
        }
        after = here;
    }
    after
}

/// How probable it is that the answer shown as A is the better one, by a reply in words: all or
/// nothing.
///
/// # Errors
///
/// With the reason why that cannot be read.
pub(super) fn by_words(completion: &Completion) -> Result<f64, String> {
    if let Some(refusal) = &completion.refusal {
        return Err(format!("the critic refused: {}", shown(refusal)));
    }
    match choice(&completion.text) {
        Some(Letter::A) => Ok(1.0),
        Some(Letter::B) => Ok(0.0),
        None => Err(format!("the reply says {}", shown(&completion.text))),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Letter {
    A,
    B,
}

/// The letter that a word is, whatever stands around it. Small letters are none: "a" is a word.
fn letter(word: &str) -> Option<Letter> {
    match word.trim().trim_matches(AROUND).trim() {
        "A" => Some(Letter::A),
        "B" => Some(Letter::B),
        _ => None,
    }
}

/// Whether a token holds nothing but what may stand around a letter.
fn is_around(token: &str) -> bool {
    token
        .chars()
        .all(|c| c.is_whitespace() || AROUND.contains(&c))
}

/// The choice in a reply that is a letter, begins with one that is set off, or ends in a sentence
/// that names one. Anything else is no choice.
fn choice(text: &str) -> Option<Letter> {
    if let Some(letter) = letter(text) {
        return Some(letter);
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    if let [first, second, ..] = words[..]
        && let Some(found) = letter(first)
        && (first.ends_with(AROUND) || second == "is")
        && !goes_on(second)
    {
        return Some(found);
    }
    let [.., before, last] = words[..] else {
        return None;
    };
    let before = before.trim_matches(AROUND).to_lowercase();
    letter(last).filter(|_| LEADS.contains(&before.as_str()))
}

/// Whether a second word names the other letter, or is about to.
fn goes_on(second: &str) -> bool {
    letter(second).is_some() || matches!(second, "and" | "or" | "nor" | "vs" | "vs." | "&" | "/")
}

/// How a text begins, in quotes.
fn shown(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() {
        return "nothing".to_owned();
    }
    let begin: String = line.chars().take(SHOWN).collect();
    let more = if begin.len() < line.len() { "…" } else { "" };
    format!("“{begin}{more}”")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TokenChance;

    fn place(token: &str, likeliest: &[(&str, f64)]) -> TokenPlace {
        let chance = |(token, probability): &(&str, f64)| TokenChance {
            token: (*token).to_owned(),
            logprob: probability.ln(),
        };
        TokenPlace {
            token: token.to_owned(),
            likeliest: likeliest.iter().map(chance).collect(),
        }
    }

    fn likelihood(places: Vec<TokenPlace>) -> Result<f64, String> {
        by_likelihood(&Completion {
            first_tokens: places,
            ..Completion::from_text("I cannot say.")
        })
    }

    fn near(found: Result<f64, String>, wanted: f64) {
        let found = found.expect("a share");
        assert!((found - wanted).abs() < 1e-9, "{found} is not {wanted}");
    }

    #[test]
    fn the_two_letters_are_normalised_over_each_other() {
        // 0.6 / (0.6 + 0.2)
        near(
            likelihood(vec![place("A", &[("A", 0.6), ("B", 0.2), ("The", 0.1)])]),
            0.75,
        );
        // (0.3 + 0.2 + 0.1) / (0.6 + 0.2), however the tokens are written
        near(
            likelihood(vec![place(
                " A",
                &[
                    ("A", 0.3),
                    (" A", 0.2),
                    ("(A", 0.1),
                    ("▁B", 0.15),
                    ("B)", 0.05),
                    ("a", 0.1),
                ],
            )]),
            0.75,
        );
        near(likelihood(vec![place("B", &[("B", 0.9)])]), 0.0);
    }

    #[test]
    fn a_bracket_leaves_the_choice_to_the_next_place() {
        // 0.1 + 0.8 · 0.5 for A, 0.8 · 0.5 for B
        near(
            likelihood(vec![
                place("(", &[("(", 0.8), ("A", 0.1)]),
                place("B", &[("A", 0.5), ("B", 0.5)]),
            ]),
            0.5 / 0.9,
        );
        near(
            likelihood(vec![
                place("\n", &[("\n", 1.0)]),
                place("(", &[("(", 1.0)]),
                place("A", &[("A", 0.9), ("B", 0.1)]),
            ]),
            0.9,
        );
    }

    #[test]
    fn letters_that_were_hardly_thought_of_are_no_preference() {
        let found = likelihood(vec![place("I", &[("I", 0.9), ("A", 0.04), ("B", 0.01)])]);
        let why = found.expect_err("too little");
        assert!(
            why.contains("5.0 %") && why.contains("“I cannot say.”"),
            "{why}"
        );
        assert!(likelihood(vec![place("I", &[("I", 0.9)])]).is_err());
        assert!(
            likelihood(Vec::new())
                .expect_err("no token")
                .contains("without log-prob")
        );
    }

    #[test]
    fn words_are_a_choice_only_when_they_are_one() {
        for text in [
            "A",
            " A\n",
            "(A)",
            "**A**",
            "A.",
            "\"A\"",
            "A) It is kinder.",
            "A: because.",
            "A is kinder.",
            "Answer: A",
            "The answer is (A).",
            "I weighed both, and the better one is A.",
        ] {
            assert_eq!(choice(text), Some(Letter::A), "{text}");
        }
        for text in ["B", "[B]", "Option B", "After all this I prefer B!"] {
            assert_eq!(choice(text), Some(Letter::B), "{text}");
        }
        for text in [
            "",
            "a",
            "Both",
            "A or B",
            "Neither A nor B",
            "A better answer would help.",
            "AB",
            "I cannot choose between A and B.",
            "Either A or B is fine",
            "(A) and (B) are equal.",
            "“A” or “B”",
            "A, B",
            "C",
            "Alpha",
        ] {
            assert_eq!(choice(text), None, "{text}");
        }
    }

    #[test]
    fn a_refusal_is_no_choice_whatever_it_says() {
        let refused = Completion {
            refusal: Some("I will not.".to_owned()),
            ..Completion::from_text("A")
        };
        assert!(by_words(&refused).is_err());
        assert_eq!(by_words(&Completion::from_text("B")), Ok(0.0));
    }
}
