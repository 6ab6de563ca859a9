//! Modes `observe` and `off`: the model server's own bytes, and what is kept of them.

use std::time::Duration;

use super::desk::{Desk, ask, settings};
use super::upstream::{Say, Upstream, draft};
use crate::support::{Part, runtime, wait_until};

const CHAT: &str = "chat/completions";

const PIECES: [&str; 6] = [
    ": hello\n\n",
    "data: {\"id\":\"c\",  \"odd\":1.50,\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"It is \"}}]}\n\nda",
    "ta: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"!be-kind caf\\u00e9\"}}]}\r\n\r\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    "data: {\"choices\":[],\"usage\":{\"total_tokens\":3}}\n\n",
    "data: [DONE]\n\n",
];

fn streaming(breaks: bool, count: usize) -> Upstream {
    Upstream::with(move |seen| {
        (Part::of(&seen.body) == Part::Drafter && seen.body["stream"] == true).then(|| {
            Say::Events {
                pieces: PIECES[..count]
                    .iter()
                    .map(|piece| (*piece).to_owned())
                    .collect(),
                pause: Duration::from_millis(5),
                breaks,
            }
        })
    })
}

fn one(desk: &Desk, id: &str) -> serde_json::Value {
    wait_until("the transcript is kept", || {
        !desk.transcripts(id).is_empty()
    });
    desk.transcripts(id)
        .into_values()
        .next()
        .expect("a transcript")
}

#[test]
fn the_bytes_of_the_server_are_the_clients_and_the_critique_follows() {
    let upstream = streaming(false, PIECES.len());
    let desk = Desk::with(&upstream, &settings("gate.yaml", "observe", ""));
    runtime().block_on(async {
        let got = desk.post(CHAT, &ask(CHAT, "content", "", true)).await;
        assert_eq!(got.body, PIECES.concat());
        assert_eq!(got.header("x-redraft-outcome"), "unassessed");
        let transcript = one(&desk, got.header("x-redraft-transcript"));
        assert_eq!(transcript["final"]["text"], "It is !be-kind café");
        assert_eq!(transcript["outcome"], "unresolved");
        assert!(
            transcript["rounds"][0]
                .to_string()
                .contains("It says !be-kind."),
            "{transcript}"
        );
        assert!(
            transcript["rounds"][0]["revision"].is_null(),
            "nobody revises what has left"
        );

        let got = desk
            .post(CHAT, &ask(CHAT, "content", "Ask ann@example.com.", false))
            .await;
        let body = ask(CHAT, "content", "Ask ann@example.com.", false);
        let mut asked = body.clone();
        asked["model"] = "served".into();
        assert_eq!(
            got.body,
            draft(CHAT, &asked, "content", "Ask ann@example.com.").to_string()
        );
        let transcript = one(&desk, got.header("x-redraft-transcript"));
        assert_eq!(transcript["outcome"], "unresolved");
    });
}

#[test]
fn what_breaks_off_is_kept_as_far_as_it_came_and_ends_in_an_error() {
    let upstream = streaming(true, 3);
    let desk = Desk::with(&upstream, &settings("gate.yaml", "observe", ""));
    runtime().block_on(async {
        let got = desk.post(CHAT, &ask(CHAT, "content", "", true)).await;
        assert!(got.body.starts_with(&PIECES[..3].concat()), "{got:?}");
        assert!(!got.body.contains("[DONE]"), "{got:?}");
        let last = got.events().pop().expect("an event");
        assert!(last.starts_with(r#"{"error":{"#), "{last}");
        let transcript = one(&desk, got.header("x-redraft-transcript"));
        assert_eq!(transcript["final"]["text"], "It is !be-kind café");
        assert!(
            transcript["why"]
                .as_str()
                .is_some_and(|why| why.contains("broke off")),
            "{transcript}"
        );
    });
}

#[test]
fn what_ends_before_the_answer_does_is_never_taken_for_a_whole_one() {
    let upstream = Upstream::with(|seen| {
        let say = match seen.body["metadata"]["text"].as_str() {
            Some("page") => Say::Json(200, "<html>Bad gateway</html>".to_owned()),
            Some("half") => Say::Json(200, r#"{"choices":[{"mess"#.to_owned()),
            // The server closes its stream in good order, in the middle of the answer.
            _ => Say::Events {
                pieces: PIECES[..3]
                    .iter()
                    .map(|piece| (*piece).to_owned())
                    .collect(),
                pause: Duration::ZERO,
                breaks: false,
            },
        };
        Some(say)
    });
    for mode in ["observe", "off"] {
        let desk = Desk::with(&upstream, &settings("gate.yaml", mode, ""));
        runtime().block_on(async {
            let got = desk.post(CHAT, &ask(CHAT, "content", "", true)).await;
            assert!(got.body.starts_with(&PIECES[..3].concat()), "{got:?}");
            let last = got.events().pop().expect("an event");
            assert!(last.starts_with(r#"{"error":{"#), "{mode}: {last}");
            let transcript = one(&desk, got.header("x-redraft-transcript"));
            assert_eq!(transcript["final"]["text"], "It is !be-kind café");
            for text in ["page", "half"] {
                let got = desk.post(CHAT, &ask(CHAT, "content", text, false)).await;
                assert_eq!(got.status, 502, "{mode}: {got:?}");
                assert_eq!(got.json()["error"]["code"], "upstream_garbled");
                let transcript = one(&desk, got.header("x-redraft-transcript"));
                assert_eq!(transcript["outcome"], "failed");
            }
        });
    }
}

#[test]
fn off_judges_nothing_and_keeps_what_was_said() {
    let upstream = streaming(false, PIECES.len());
    let desk = Desk::with(&upstream, &settings("gate.yaml", "off", ""));
    runtime().block_on(async {
        for stream in [false, true] {
            let got = desk
                .post(CHAT, &ask(CHAT, "content", "It is !be-kind café", stream))
                .await;
            let transcript = one(&desk, got.header("x-redraft-transcript"));
            assert_eq!(
                transcript["final"]["text"], "It is !be-kind café",
                "{transcript}"
            );
            assert_eq!(transcript["outcome"], "revised");
            assert_eq!(transcript["rounds"], serde_json::json!([]));
        }
    });
    assert!(
        upstream
            .seen()
            .iter()
            .all(|seen| Part::of(&seen.body) == Part::Drafter)
    );
}

#[test]
fn a_full_queue_drops_and_says_so_and_holds_up_nobody() {
    let upstream =
        Upstream::with(|seen| (Part::of(&seen.body) == Part::Critic).then_some(Say::Hang));
    let text = settings("gate.yaml", "observe", "").replace(
        "gateway:\n",
        "gateway:\n  observations: 1\n  observers: 1\n  stop_seconds: 0.5\n",
    );
    let mut desk = Desk::with(&upstream, &text);
    runtime().block_on(async {
        let mut ids = Vec::new();
        for number in 0..4 {
            let text = format!("Answer {number}.");
            let got = desk.post(CHAT, &ask(CHAT, "content", &text, false)).await;
            assert_eq!(got.status, 200);
            ids.push(got.header("x-redraft-transcript").to_owned());
            if number == 0 {
                wait_until("the first one is criticised", || upstream.in_flight() == 1);
            }
        }
        // One is criticised, one waits, and two are kept without a critique.
        for id in &ids[2..] {
            let transcript = one(&desk, id);
            let why = transcript["why"].as_str().expect("a reason");
            assert!(why.contains("too many observed answers wait"), "{why}");
        }
    });
    desk.stop()
        .says("an observed answer is not criticised: too many wait");
}
