//! The `logprobs` of a choice, read leniently: what is odd is left out.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::content::Content;
use crate::model::{TokenChance, TokenPlace};

/// How many places are kept: an answer in one letter stands in the first or the second.
const PLACES: usize = 4;
/// What ends thoughts that stand among the tokens of the answer.
const END_OF_THOUGHTS: &str = "</think>";

#[derive(Default, Deserialize)]
#[serde(default)]
struct Logprobs {
    content: Option<Vec<Place>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Place {
    token: Content,
    logprob: Option<f64>,
    top_logprobs: Option<Vec<Chance>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Chance {
    token: Content,
    logprob: Option<f64>,
}

/// The first places of the answer, thoughts before it left out; none where the field holds none.
pub(super) fn first_tokens(raw: &RawValue) -> Vec<TokenPlace> {
    let read: Option<Logprobs> = serde_json::from_str(raw.get()).ok();
    let places = read.and_then(|read| read.content).unwrap_or_default();
    let begin = after_thoughts(&places);
    let answer = places.into_iter().skip(begin).take(PLACES);
    answer.map(Place::read).collect()
}

/// The number of the first token behind the last mark that ends thoughts.
fn after_thoughts(places: &[Place]) -> usize {
    let mut text = String::new();
    let mut begin = 0;
    for (number, place) in places.iter().enumerate() {
        text.push_str(&place.token.text);
        if text.ends_with(END_OF_THOUGHTS) {
            begin = number + 1;
        }
    }
    begin
}

impl Place {
    fn read(self) -> TokenPlace {
        let chances = self.top_logprobs.unwrap_or_default();
        let mut likeliest: Vec<TokenChance> =
            chances.into_iter().filter_map(Chance::read).collect();
        let token = self.token.text;
        let is_listed = likeliest.iter().any(|chance| chance.token == token);
        if let (false, Some(logprob)) = (is_listed, self.logprob) {
            let token = token.clone();
            likeliest.push(TokenChance { token, logprob });
        }
        TokenPlace { token, likeliest }
    }
}

impl Chance {
    fn read(self) -> Option<TokenChance> {
        Some(TokenChance {
            token: self.token.text,
            logprob: self.logprob?,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(value: &Value) -> Vec<TokenPlace> {
        first_tokens(&RawValue::from_string(value.to_string()).expect("JSON"))
    }

    fn place(token: &str, logprob: f64) -> Value {
        json!({ "token": token, "logprob": logprob, "top_logprobs": [
            { "token": "A", "logprob": -0.5 }, { "token": "B", "logprob": null } ] })
    }

    #[test]
    fn the_replys_own_token_is_among_the_likeliest() {
        let places = read(&json!({ "content": [place("A", -0.5), place("C", -3.0)] }));
        let chance = |token: &str, logprob| TokenChance {
            token: token.to_owned(),
            logprob,
        };
        assert_eq!(places[0].likeliest, [chance("A", -0.5)]);
        assert_eq!(places[1].likeliest, [chance("A", -0.5), chance("C", -3.0)]);
    }

    #[test]
    fn thoughts_are_passed_over_and_few_places_are_kept() {
        let tokens = [
            "<th", "ink>", "A?", "</th", "ink>", "\n", "B", ".", "x", "y", "z",
        ];
        let content: Vec<Value> = tokens.iter().map(|token| place(token, -1.0)).collect();
        let places = read(&json!({ "content": content }));
        let kept: Vec<&str> = places.iter().map(|place| place.token.as_str()).collect();
        assert_eq!(kept, ["\n", "B", ".", "x"]);
    }

    #[test]
    fn what_is_odd_is_no_place() {
        for odd in [
            json!(null),
            json!({}),
            json!([1]),
            json!({ "content": null }),
            json!({ "content": "A" }),
        ] {
            assert_eq!(read(&odd), [], "{odd}");
        }
    }
}
