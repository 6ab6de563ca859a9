//! Streams of held answers: within the grace period like any response, after it with signs of life.

use std::time::Duration;

use super::desk::{Desk, ask, settings};
use super::upstream::{Say, Upstream, usual};
use crate::support::{Part, runtime};

const CHAT: &str = "chat/completions";
const SIGN: &str = ": the answer is being checked";

fn late(settings: &str) -> String {
    settings.replace(
        "gateway:\n",
        "gateway:\n  grace_seconds: 0.2\n  keep_alive_seconds: 0.1\n",
    )
}

/// A server whose drafts take a second where they are asked to be slow.
fn slow() -> Upstream {
    Upstream::with(|seen| {
        let is_slow = seen.body["metadata"]["slow"] == true;
        (is_slow && Part::of(&seen.body) == Part::Drafter)
            .then(|| Say::After(Duration::from_secs(1), Box::new(usual(seen))))
    })
}

#[test]
fn a_stream_that_waits_shows_signs_of_life_and_then_the_answer() {
    let upstream = slow();
    let desk = Desk::with(&upstream, &late(&settings("gate.yaml", "enforce", "")));
    runtime().block_on(async {
        for path in [CHAT, "completions", "responses"] {
            let mut body = ask(path, "content", "Ask ann@example.com now.", true);
            body["metadata"]["slow"] = true.into();
            let got = desk.post(path, &body).await;
            assert_eq!(got.status, 200);
            let signs = got.body.matches(SIGN).count();
            assert!(signs >= 3, "{got:?}");
            assert!(
                got.body.starts_with(SIGN),
                "the first one comes at once: {got:?}"
            );
            let texts: Vec<String> = got.texts(path).into_values().collect();
            assert_eq!(texts, ["Ask [e-mail address] now."]);
            let last = got.events().pop().expect("an event");
            assert!(
                last == "[DONE]" || last.contains("response.completed"),
                "{last}"
            );
        }
    });
}

#[test]
fn a_late_failure_is_an_error_and_never_the_end_of_a_whole_answer() {
    let upstream = slow();
    let desk = Desk::with(&upstream, &late(&settings("gate.yaml", "enforce", "")));
    runtime().block_on(async {
        for (path, text) in [
            (CHAT, "fail"),
            (CHAT, "It is !no-critic ready."),
            ("completions", "fail"),
            ("responses", "fail"),
        ] {
            let mut body = ask(path, "content", text, true);
            body["metadata"]["slow"] = true.into();
            let got = desk.post(path, &body).await;
            assert_eq!(got.status, 200, "the stream was open");
            assert!(
                !got.body.contains("[DONE]") && !got.body.contains("secret-host"),
                "{got:?}"
            );
            let events = got.events();
            assert_eq!(events.len(), 1, "{events:?}");
            let error: serde_json::Value = serde_json::from_str(&events[0]).expect("JSON");
            let message = if path == "responses" {
                &error["message"]
            } else {
                &error["error"]["message"]
            };
            assert!(message.is_string(), "{error}");
        }
    });
}

#[test]
fn chunks_have_the_form_that_clients_expect() {
    let upstream = Upstream::start();
    let desk = Desk::enforcing(&upstream, "");
    runtime().block_on(async {
        let mut body = ask(CHAT, "arguments", r#"{"a":"b"}"#, true);
        body["stream_options"] = serde_json::json!({ "include_usage": true });
        let got = desk.post(CHAT, &body).await;
        assert_eq!(got.header("content-type"), "text/event-stream");
        let mut events = got.events();
        assert_eq!(events.pop().as_deref(), Some("[DONE]"));
        let chunks: Vec<serde_json::Value> = events
            .iter()
            .map(|event| serde_json::from_str(event).expect("JSON"))
            .collect();
        assert!(
            chunks
                .iter()
                .all(|chunk| chunk["object"] == "chat.completion.chunk")
        );
        assert!(chunks.iter().all(|chunk| chunk["id"] == "chatcmpl-7"));
        assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
        let call = &chunks[1]["choices"][0]["delta"]["tool_calls"][0];
        assert_eq!(
            (call["index"].as_u64(), call["id"].as_str()),
            (Some(0), Some("call_1"))
        );
        let (usage, rest) = chunks.split_last().expect("chunks");
        assert_eq!(usage["usage"]["total_tokens"], 12);
        assert_eq!(usage["choices"], serde_json::json!([]));
        assert!(rest.iter().all(|chunk| chunk["usage"].is_null()));
        let (end, rest) = rest.split_last().expect("chunks");
        assert_eq!(end["choices"][0]["finish_reason"], "tool_calls");
        assert!(
            rest.iter()
                .all(|chunk| chunk["choices"][0]["finish_reason"].is_null())
        );
        // The server was not asked for a stream, which cannot be held.
        assert!(upstream.seen()[0].body.get("stream").is_none());
        assert!(upstream.seen()[0].body.get("stream_options").is_none());
    });
}
