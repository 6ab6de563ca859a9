//! What the server says: the same to the same request, always.

use memchr::memmem;
use serde_json::{Value, json};

use super::MODEL;
use super::asked::Asked;

/// Stands in a first answer, and so in every request about it.
const MARK: &str = "the first of two answers";

const SENTENCES: [&str; 12] = [
    "Nobody wrote this, and nothing is meant by it.",
    "It has the length of an answer, which is all that counts here.",
    "A server that decodes would take its time over every word.",
    "This one waits as long as it was told to, and then says all at once.",
    "Whoever measures should know what is measured.",
    "The words come round again after a while.",
    "A reader who has come so far may stop.",
    "What follows is much like what came before.",
    "Some sentences are short.",
    "Others go on for a little longer, so that not all of them are equal.",
    "The request decides where the text begins.",
    "An equal request is answered with equal words.",
];

/// How many characters are counted as one token.
const CHARACTERS_PER_TOKEN: usize = 4;

/// The text of which every answer is a part.
#[derive(Debug)]
pub(super) struct Speaker {
    pool: String,
    characters: usize,
}

/// What is said to one request.
#[derive(Debug)]
pub(super) struct Said {
    /// The reply's body.
    pub(super) body: String,
    /// Tokens of the request.
    pub(super) input: u64,
    /// Those of them that the prefix cache held.
    pub(super) cached: u64,
    /// Tokens of the reply.
    pub(super) output: u64,
}

impl Speaker {
    pub(super) fn new(characters: usize) -> Self {
        let once = SENTENCES.join(" ") + " ";
        let times = characters / once.len() + 2;
        Self {
            pool: once.repeat(times),
            characters,
        }
    }

    /// The whole reply to a request of which so many characters were cached.
    pub(super) fn reply(&self, asked: &Asked<'_>, cached: usize) -> Said {
        let text = self.text(asked);
        let tokens = |characters: usize| (characters / CHARACTERS_PER_TOKEN) as u64;
        let (input, cached, output) = (
            tokens(asked.messages.len()),
            tokens(cached),
            tokens(text.len()).max(1),
        );
        let (message, finish) = match &asked.tool {
            Some(tool) => (tool_call(tool, &text), "tool_calls"),
            None => (
                format!(r#"{{"role":"assistant","content":"{text}"}}"#),
                "stop",
            ),
        };
        let total = input + output;
        let id = asked.hash;
        let body = format!(
            r#"{{"id":"chatcmpl-{id:016x}","object":"chat.completion","created":1700000000,"model":"{MODEL}","choices":[{{"index":0,"message":{message},"logprobs":null,"finish_reason":"{finish}"}}],"usage":{{"prompt_tokens":{input},"completion_tokens":{output},"total_tokens":{total},"prompt_tokens_details":{{"cached_tokens":{cached}}}}}}}"#
        );
        Said {
            body,
            input,
            cached,
            output,
        }
    }

    /// The text, as it stands between the quotes of a JSON string.
    fn text(&self, asked: &Asked<'_>) -> String {
        let first = memmem::find(asked.messages.as_bytes(), MARK.as_bytes()).is_some();
        if let Some(names) = asked.names {
            return critique(names, first).replace('"', "\\\"");
        }
        let opening = if first {
            "This is the better one of two answers"
        } else {
            "This is the first of two answers"
        };
        let opening = format!("{opening}, number {:08x}. ", asked.hash >> 32);
        let length = self.characters.saturating_sub(opening.len());
        opening + self.part(asked.hash, length)
    }

    /// So many characters, from a sentence on that the request decides.
    fn part(&self, hash: u64, length: usize) -> &str {
        let sentence = usize::try_from(hash % SENTENCES.len() as u64).unwrap_or_default();
        let start: usize = SENTENCES[..sentence].iter().map(|one| one.len() + 1).sum();
        self.pool[start..start + length].trim_end()
    }
}

/// A critique in the contract's form: a first answer violates one principle, a revision none.
fn critique(names: &str, first: bool) -> String {
    if !first {
        return format!(r#"{{"violations":[],"complies":[{names}],"not_applicable":[]}}"#);
    }
    let (name, others) = names.split_once(',').unwrap_or((names, ""));
    format!(
        r#"{{"violations":[{{"principle":{name},"evidence":"{MARK}","explanation":"It says so.","severity":"medium","fix":"Say it otherwise."}}],"complies":[{others}],"not_applicable":[]}}"#
    )
}

fn tool_call(tool: &str, escaped: &str) -> String {
    let name = Value::from(tool);
    format!(
        r#"{{"role":"assistant","content":null,"tool_calls":[{{"id":"call_0","type":"function","function":{{"name":{name},"arguments":"{escaped}"}}}}]}}"#
    )
}

/// The body of a failure.
pub(super) fn failure(message: &str) -> String {
    json!({ "error": { "message": message, "type": MODEL } }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(body: &str, characters: usize) -> Value {
        let asked = Asked::read(body.as_bytes(), 0).expect("a request");
        let said = Speaker::new(characters).reply(&asked, 8);
        serde_json::from_str(&said.body).expect("a reply is JSON")
    }

    fn text(body: &str, characters: usize) -> String {
        let said = said(body, characters);
        let text = &said["choices"][0]["message"]["content"];
        text.as_str().expect("a text").to_owned()
    }

    #[test]
    fn answers_have_their_length_and_are_decided_by_the_request() {
        for characters in [0, 80, 800, 20_000] {
            let ask = |prompt: u32| {
                let body = format!(r#"{{"messages":[{{"role":"user","content":"{prompt}"}}]}}"#);
                text(&body, characters)
            };
            assert_eq!(ask(1), ask(1));
            assert_ne!(ask(1), ask(2));
            let length = ask(3).len();
            assert!(
                length >= characters.saturating_sub(1) && length < characters + 80,
                "{length}"
            );
        }
        let said = said(r#"{"messages":[{"role":"user","content":"Hi"}]}"#, 800);
        assert_eq!(said["model"], "simulated");
        assert_eq!(said["usage"]["prompt_tokens_details"]["cached_tokens"], 2);
    }

    #[test]
    fn a_critique_finds_the_mark_of_a_first_answer_and_nothing_in_a_revision() {
        let ask = |content: &str| {
            let body = format!(
                r#"{{"messages":[{{"content":"{content}"}}],"response_format":{{"enum":["a","b"]}}}}"#
            );
            serde_json::from_str::<Value>(&text(&body, 800)).expect("a critique is JSON")
        };
        let first = ask(&format!("judge this: {MARK}"));
        assert_eq!(first["violations"][0]["principle"], "a");
        assert_eq!(first["complies"], json!(["b"]));
        assert_eq!(ask("judge that")["complies"], json!(["a", "b"]));
    }

    #[test]
    fn a_tool_is_called_when_one_is_given() {
        let body =
            r#"{"messages":[],"tools":[{"function":{"name":"critique","p":{"enum":["a"]}}}]}"#;
        let said = said(body, 800);
        let call = &said["choices"][0]["message"]["tool_calls"][0]["function"];
        assert_eq!(call["name"], "critique");
        let arguments = call["arguments"].as_str().expect("a text");
        assert!(
            serde_json::from_str::<Value>(arguments).is_ok(),
            "{arguments}"
        );
    }
}
