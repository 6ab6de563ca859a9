//! What bytes from outside go through, for fuzzers: whatever they are, nothing panics, and what must hold
//! does.

use serde_json::Value;

use super::arguments;
use super::fields::Fields;
use super::gathered::Gathered;
use super::surface::Surface;

const SURFACES: [Surface; 3] = [Surface::Chat, Surface::Completions, Surface::Responses];
/// More than is ever gathered from a fuzzer's stream.
const MOST: usize = 1 << 20;

/// Reads bytes as a client's request to every endpoint.
///
/// # Panics
///
/// When what would be sent on is not the same request to another model.
pub fn request(body: &[u8]) {
    let Ok(fields) = Fields::read(body) else {
        return;
    };
    for surface in SURFACES {
        let _ = surface.can_be_judged(&fields);
        let _ = surface.read(&fields);
    }
    let sent = fields.rewritten("theirs", &["stream"]);
    let mut expected: Value = serde_json::from_slice(body).unwrap_or_default();
    let Some(known) = expected.as_object_mut() else {
        // A number or an escape that only the server may be able to read.
        assert!(Fields::read(&sent).is_ok(), "it can be read no more");
        return;
    };
    known.shift_remove("stream");
    if let Some(model) = known.get_mut("model") {
        *model = Value::from("theirs");
    }
    let sent: Value = serde_json::from_slice(&sent).unwrap_or_default();
    assert_eq!(sent, expected, "another request would be sent on");
}

/// Reads bytes as what a model's server sends, whole and as a stream.
///
/// # Panics
///
/// When a stream says something else because it was cut at other places, or arguments of a tool call
/// mean something else without their escapes.
pub fn reply(bytes: &[u8]) {
    for surface in SURFACES {
        if let Ok(mut answer) = serde_json::from_slice::<Value>(bytes) {
            for part in surface.parts(&answer).unwrap_or_default() {
                surface.put(&mut answer, &part, "mended");
            }
            surface.strip(&mut answer);
            surface.frames(&answer, true);
        }
        let said = |size: usize| {
            let mut gathered = Gathered::new(surface, MOST);
            for piece in bytes.chunks(size) {
                gathered.push(piece);
            }
            (
                gathered.fault(),
                gathered.is_between_events(),
                gathered.into_parts(),
            )
        };
        assert_eq!(said(7), said(MOST), "a stream depends on where it is cut");
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(meant) = serde_json::from_str::<Value>(text)
    {
        let plain = serde_json::from_str::<Value>(&arguments::plain(text)).ok();
        assert_eq!(plain, Some(meant), "arguments mean something else");
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    const REQUESTS: [&str; 4] = [
        r#"{"model":"a","stream":true,"stream_options":{"include_usage":true},"n":2,"messages":[{"role":"user","content":[{"type":"text","text":"caf\u00e9"},{"type":"image_url"}]},{"role":"assistant","content":null,"tool_calls":[{"id":"c"}]}],"response_format":{"type":"json_object"}}"#,
        r#"{"mod\u0065l":"a","prompt":["x"],"echo":false,"max_tokens":1e2,"seed":12345678901234567890,"redraft":{"tags":["a"],"recipe":{"rounds":1}}}"#,
        r#"{"model":"a","input":[{"role":"user","content":[{"type":"input_text","text":"x"}]}],"instructions":"y","text":{"format":{"type":"json_schema"}},"stream":false}"#,
        r#"{"model":"a","modalities":["text"],"audio":null,"messages":[],"unknown":{"b":1.50,"a":[[],{}]}}"#,
    ];
    const REPLIES: [&str; 4] = [
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"ä\",\"tool_calls\":[{\"index\":1,\"function\":{\"arguments\":\"{}\"}}]}}]}\r\n\r\ndata: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
        r#"{"id":"c","choices":[{"index":0,"message":{"content":"x","refusal":"n","reasoning":"r","tool_calls":[{"function":{"arguments":"{\"a\":\"\\u0040\"}"}}],"annotations":[1]},"logprobs":{},"finish_reason":"stop"}],"usage":{"total_tokens":1}}"#,
        "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"output\":[{\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"x\"}]}]}}\n\n",
        r#"{"a":"\u0040\/\ud83d\ude00\u0022\\u0040\u0000"}"#,
    ];
    const WORDS: [&str; 20] = [
        "\"",
        "\\",
        "\\u0040",
        "\\ud800",
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "null",
        "1e999",
        "-0",
        "\n\n",
        "\r\n",
        "data: ",
        "\"model\":",
        "\"content\":",
        "\u{2028}",
        "\"stream\":",
    ];

    /// Numbers that look drawn, the same in every run with the same seed.
    struct Draws(u64);

    impl Draws {
        fn below(&mut self, end: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from(self.0 % end.max(1) as u64).unwrap()
        }

        /// A seed with some bytes changed, taken out, doubled, or exchanged for words.
        fn mutate(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
            let mut bytes = seeds[self.below(seeds.len())].clone();
            for _ in 0..=self.below(6) {
                let at = self.below(bytes.len() + 1);
                let until = (at + self.below(24)).min(bytes.len());
                match self.below(5) {
                    0 if at < bytes.len() => bytes[at] = u8::try_from(self.below(256)).unwrap(),
                    1 => drop(bytes.drain(at..until)),
                    2 => {
                        let piece = bytes[at..until].repeat(1 + self.below(200));
                        bytes.splice(at..at, piece);
                    }
                    3 => {
                        let other = &seeds[self.below(seeds.len())];
                        let from = self.below(other.len() + 1);
                        bytes.splice(at..until, other[from..].iter().copied());
                    }
                    _ => {
                        let word = WORDS[self.below(WORDS.len())];
                        bytes.splice(at..until, word.bytes());
                    }
                }
            }
            bytes
        }
    }

    /// Takes mutations of the seeds, and of mutations that can still be read, to a function: some
    /// thousand, or for `FUZZ_SECONDS`.
    fn try_many(seeds: &[&str], take: fn(&[u8])) {
        let seconds = std::env::var("FUZZ_SECONDS").ok();
        let seconds = seconds.map(|given| given.parse().expect("a number of seconds"));
        let began = Instant::now();
        let mut seeds: Vec<Vec<u8>> = seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect();
        let mut draws = Draws(0x2545_f491_4f6c_dd1d);
        let mut tried = 0_u64;
        loop {
            let is_over = match seconds {
                Some(seconds) => began.elapsed() > Duration::from_secs(seconds),
                None => tried >= 2_000,
            };
            if is_over {
                break;
            }
            let bytes = draws.mutate(&seeds);
            let shown = bytes.clone();
            let broke = std::panic::catch_unwind(move || take(&bytes)).is_err();
            assert!(!broke, "{:?}", String::from_utf8_lossy(&shown));
            if seeds.len() < 4_096
                && shown.len() < 4_096
                && serde_json::from_slice::<Value>(&shown).is_ok()
            {
                seeds.push(shown);
            }
            tried += 1;
        }
        println!("{tried} inputs from {} seeds", seeds.len());
    }

    #[test]
    fn whatever_a_client_sends_the_same_request_goes_on_or_none() {
        try_many(&REQUESTS, request);
    }

    #[test]
    fn whatever_a_server_sends_is_read_the_same_wherever_it_is_cut() {
        try_many(&REPLIES, reply);
    }
}
