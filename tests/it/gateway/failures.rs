//! What a client is told when it gets no answer, or not the one that the model gave; and what goes to
//! the model's server.

use serde_json::{Value, json};

use super::desk::{Desk, Got, ask, settings};
use super::upstream::{Say, Upstream, draft};
use crate::support::{Part, completion, runtime};

const CHAT: &str = "chat/completions";

/// The status and the field that an error names.
async fn told(desk: &Desk, body: String, path: &str) -> (u16, Value, Got) {
    let got = desk.post_with(path, body, &[]).await;
    let error = got.json()["error"].clone();
    assert!(
        error["message"].is_string() && error["type"].is_string(),
        "{got:?}"
    );
    assert!(
        !got.body.contains("team-7") && !got.body.contains("127.0.0.1"),
        "{got:?}"
    );
    assert_eq!(got.header("content-type"), "application/json");
    (got.status, error["param"].clone(), got)
}

#[test]
fn every_failure_has_its_status_and_openais_envelope() {
    let upstream = Upstream::with(|seen| match seen.body["metadata"]["text"].as_str() {
        Some("too hot") => Some(Say::Json(
            400,
            r#"{"error":{"message":"temperature is at most 2"}}"#.to_owned(),
        )),
        Some("busy") => Some(Say::Json(429, r#"{"error":{"message":"no"}}"#.to_owned())),
        Some("no key") => Some(Say::Json(
            401,
            r#"{"error":{"message":"key team-7"}}"#.to_owned(),
        )),
        Some("html") => Some(Say::Json(200, "<html>".to_owned())),
        Some("half") => Some(Say::Json(200, r#"{"choices":[{"mess"#.to_owned())),
        Some("none") => Some(Say::Json(200, r#"{"choices":[]}"#.to_owned())),
        Some("hang") => Some(Say::Hang),
        Some("long") => {
            let text = "x".repeat(2_000_000);
            Some(Say::ok(&draft(&seen.path, &seen.body, "content", &text)))
        }
        _ => None,
    });
    let text = settings("gate.yaml", "enforce", "");
    let limits = "  deadline_seconds: 2\n  grace_seconds: 60\n  held_bytes: 1000000\n";
    let desk = Desk::with(
        &upstream,
        &text.replace("gateway:\n", &format!("gateway:\n{limits}")),
    );
    runtime().block_on(async {
        for (text, status) in [
            ("too hot", 400),
            ("busy", 429),
            ("no key", 502),
            ("html", 502),
            ("half", 502),
            ("none", 502),
            ("hang", 504),
            ("long", 502),
        ] {
            for stream in [false, true] {
                let body = ask(CHAT, "content", text, stream).to_string();
                let (found, _, got) = told(&desk, body, CHAT).await;
                assert_eq!(found, status, "{text}: {got:?}");
                if text == "too hot" {
                    assert!(got.body.contains("temperature is at most 2"), "{got:?}");
                }
                if text == "busy" {
                    assert_eq!(got.header("retry-after"), "1");
                }
            }
        }
    });
}

#[test]
fn a_wrong_request_is_refused_and_says_which_field_it_is() {
    let upstream = Upstream::start();
    let desk = Desk::enforcing(&upstream, "");
    runtime().block_on(async {
        for (body, status, param) in [
            ("nonsense".to_owned(), 400, Value::Null),
            (
                json!({ "model": "open" }).to_string(),
                400,
                json!("messages"),
            ),
            (
                json!({ "messages": [{ "role": "user", "content": "x" }] }).to_string(),
                400,
                json!("model"),
            ),
            (
                json!({ "model": "open", "messages": [] }).to_string(),
                400,
                json!("messages"),
            ),
            (with("stream", json!("yes")), 400, json!("stream")),
            (
                with("modalities", json!(["text", "audio"])),
                400,
                json!("modalities"),
            ),
            (
                with("redraft", json!({ "recipe": { "rounds": 1 } })),
                400,
                json!("redraft.recipe.rounds"),
            ),
            (
                with("redraft", json!({ "mode": "off" })),
                400,
                json!("redraft"),
            ),
            (with("model", json!("another")), 404, json!("model")),
        ] {
            let (found, named, got) = told(&desk, body, CHAT).await;
            assert_eq!((found, &named), (status, &param), "{got:?}");
        }
        for (field, value, path) in [
            ("previous_response_id", json!("resp_1"), "responses"),
            ("tools", json!([{ "type": "web_search" }]), "responses"),
            ("background", json!(true), "responses"),
            ("echo", json!(true), "completions"),
            ("prompt", json!([1, 2, 3]), "completions"),
        ] {
            let mut body = ask(path, "content", "x", false);
            body[field] = value;
            let (found, named, got) = told(&desk, body.to_string(), path).await;
            assert_eq!((found, named), (400, json!(field)), "{got:?}");
        }
        let (found, _, _) = told(&desk, "{}".to_owned(), "embeddings").await;
        assert_eq!(found, 404);
        assert_eq!(desk.get("v1/chat/completions").await.status, 405);
    });
}

#[test]
fn a_draft_that_nobody_judged_in_time_is_in_the_transcript() {
    let upstream =
        Upstream::with(|seen| (Part::of(&seen.body) == Part::Critic).then_some(Say::Hang));
    let text = settings("gate.yaml", "enforce", "");
    let desk = Desk::with(
        &upstream,
        &text.replace("gateway:\n", "gateway:\n  deadline_seconds: 1\n"),
    );
    runtime().block_on(async {
        let body = ask(CHAT, "choices", "The second one.", false).to_string();
        let (status, _, got) = told(&desk, body, CHAT).await;
        assert_eq!(status, 504, "{got:?}");
        let transcripts = desk.transcripts(got.header("x-redraft-transcript"));
        let drafts: Vec<&Value> = transcripts
            .values()
            .map(|transcript| &transcript["draft"]["text"])
            .collect();
        assert_eq!(drafts, ["The first one.", "The second one."]);
        for transcript in transcripts.values() {
            assert_eq!(transcript["outcome"], "failed", "{transcript}");
            assert_eq!(transcript["delivered"]["how"], "withheld", "{transcript}");
            let why = transcript["why"].as_str().expect("a reason");
            assert!(why.contains("within 1 s"), "{why}");
        }
    });
}

#[test]
fn readiness_comes_back_by_itself_once_the_store_can_be_written() {
    let upstream = Upstream::start();
    let desk = Desk::enforcing(&upstream, "");
    let refuse = |table: &str, event: &str| {
        format!(
            "CREATE TRIGGER no_{table} BEFORE {event} ON {table} \
             BEGIN SELECT RAISE(ABORT, 'refused'); END;"
        )
    };
    runtime().block_on(async {
        assert_eq!(desk.get("readyz").await.status, 200);
        let broken = [refuse("transcripts", "INSERT"), refuse("runs", "UPDATE")].concat();
        desk.place.store().execute_batch(&broken).expect("triggers");
        let (status, _, got) = told(&desk, with("stream", json!(false)), CHAT).await;
        assert_eq!(status, 500, "{got:?}");
        assert_eq!(got.json()["error"]["code"], "store_unavailable");
        for _ in 0..3 {
            assert_eq!(desk.get("readyz").await.status, 503);
        }
        let mended = "DROP TRIGGER no_transcripts; DROP TRIGGER no_runs;";
        desk.place
            .store()
            .execute_batch(mended)
            .expect("no triggers");
        // Nobody asked for an answer since.
        assert_eq!(desk.get("readyz").await.status, 200);
        assert_eq!(
            desk.post(CHAT, &ask(CHAT, "content", "x", false))
                .await
                .status,
            200
        );
    });
}

fn with(field: &str, value: Value) -> String {
    let mut body = ask(CHAT, "content", "x", false);
    body[field] = value;
    body.to_string()
}

#[test]
fn the_request_goes_on_as_it_is_and_says_where_it_comes_from() {
    let upstream = Upstream::start();
    let desk = Desk::enforcing(&upstream, ", client_rounds: 1");
    let body = r#"{"z_unknown": {"b": 1.50, "a": [1e3]}, "model": "open", "seed": 12345678901234567890, "messages": [{"role": "user", "content": "caf\u00e9"}], "redraft": {"tags": ["billing"], "recipe": {"rounds": 1}}, "n": 1}"#;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    runtime().block_on(async {
        let headers = [("x-request-id", "mine-1"), ("traceparent", trace), ("authorization", "Bearer sk-client")];
        let got = desk.post_with(CHAT, body.to_owned(), &headers).await;
        assert_eq!((got.status, got.header("x-request-id")), (200, "mine-1"), "{got:?}");
        assert_eq!(got.header("x-redraft-rounds"), "1");
        assert!(got.header("server-timing").contains("upstream;dur="));
        assert!(got.header("x-redraft-usage").starts_with("calls=1, "), "{got:?}");
        let asked = &upstream.seen()[0];
        let expected = r#"{"z_unknown":{"b": 1.50, "a": [1e3]},"model":"served","seed":12345678901234567890,"messages":[{"role": "user", "content": "caf\u00e9"}],"n":1}"#;
        assert_eq!(asked.text, expected);
        assert_eq!(asked.headers["x-request-id"], "mine-1");
        assert_eq!(asked.headers["traceparent"], trace);
        assert!(asked.headers.get("authorization").is_none());
        let transcripts = desk.transcripts(got.header("x-redraft-transcript"));
        let record = &transcripts[&(0, "content".to_owned())]["record"];
        assert_eq!(record["tags"], json!(["billing", "part:content"]));
        assert_eq!(record["extra"]["request"], "mine-1");
        assert_eq!(record["extra"]["traceparent"], trace);
    });
    // The draft is the record's own: only the critic's call is in the journal.
    assert_eq!(desk.place.count("SELECT COUNT(*) FROM calls"), 1);
}

#[test]
fn what_stays_unresolved_is_replaced_or_annotated_as_the_operator_says() {
    let upstream = Upstream::start();
    let text = "It is ready !be-kind !stubborn now.";
    let replacing = Desk::enforcing(
        &upstream,
        ", on_unresolved: replace, message: Ask a person.",
    );
    let annotating = Desk::enforcing(&upstream, ", on_unresolved: annotate");
    runtime().block_on(async {
        for stream in [false, true] {
            let got = replacing
                .post(CHAT, &ask(CHAT, "content", text, stream))
                .await;
            let texts: Vec<String> = got.texts(CHAT).into_values().collect();
            assert_eq!(texts, ["Ask a person."], "{got:?}");
            assert!(got.body.contains(r#""finish_reason":"stop""#), "{got:?}");
            let got = annotating
                .post(CHAT, &ask(CHAT, "content", text, stream))
                .await;
            let texts: Vec<String> = got.texts(CHAT).into_values().collect();
            assert_eq!(texts, [text], "{got:?}");
            assert!(
                got.body.contains(r#""redraft":{"outcome":"unresolved""#),
                "{got:?}"
            );
            assert!(got.body.contains(r#""violated":["be-kind"]"#), "{got:?}");
            let transcripts = annotating.transcripts(got.header("x-redraft-transcript"));
            let delivered = &transcripts[&(0, "content".to_owned())]["delivered"];
            assert_eq!(*delivered, json!({ "how": "annotated", "text": text }));
        }
    });
}

#[test]
fn without_a_critic_the_text_leaves_annotated_only_as_far_as_checks_let_it() {
    let upstream = Upstream::start();
    let desk = Desk::enforcing(&upstream, ", on_critic_error: open_annotated");
    runtime().block_on(async {
        let text = "Ask ann@example.com !no-critic now.";
        let got = desk.post(CHAT, &ask(CHAT, "content", text, false)).await;
        assert_eq!(got.status, 200, "{got:?}");
        let texts: Vec<String> = got.texts(CHAT).into_values().collect();
        assert_eq!(texts, ["Ask [e-mail address] !no-critic now."]);
        assert_eq!(got.json()["redraft"]["choices"][0]["assessed"], false);
        assert_eq!(got.header("x-redraft-outcome"), "failed");
    });
}

#[test]
fn chances_of_tokens_stay_only_with_the_text_that_they_are_of() {
    let upstream = Upstream::with(|seen| {
        if Part::of(&seen.body) != Part::Drafter {
            return None;
        }
        let text = seen.body["metadata"]["text"].as_str().unwrap_or_default();
        let mut answer = completion(&seen.body, text, "stop");
        answer["choices"][0]["logprobs"] =
            json!({ "content": [{ "token": "x", "logprob": -0.5 }] });
        Some(Say::ok(&answer))
    });
    let desk = Desk::enforcing(&upstream, "");
    runtime().block_on(async {
        for (text, is_kept) in [("Fine.", true), ("Ask ann@example.com.", false)] {
            for stream in [false, true] {
                let got = desk.post(CHAT, &ask(CHAT, "content", text, stream)).await;
                assert_eq!(got.body.contains("-0.5"), is_kept, "{got:?}");
            }
        }
    });
}

#[test]
fn models_and_health_are_told_and_a_stop_is_seen() {
    let upstream = Upstream::start();
    let text = settings("gate.yaml", "enforce", "");
    let mut desk = Desk::with(
        &upstream,
        &text.replace("gateway:\n", "gateway:\n  farewell_seconds: 2\n"),
    );
    runtime().block_on(async {
        assert_eq!(desk.get("healthz").await.status, 200);
        assert_eq!(desk.get("readyz").await.status, 200);
        let models = desk.get("v1/models").await.json();
        assert_eq!(models["data"][0]["id"], "open");
        assert_eq!(desk.get("v1/models/open").await.json()["object"], "model");
        assert_eq!(desk.get("v1/models/other").await.status, 404);
        let openapi = desk.get("openapi.json").await.json();
        for path in [
            "/v1/chat/completions",
            "/v1/responses",
            "/v1/completions",
            "/v1/models",
            "/healthz",
            "/readyz",
        ] {
            assert!(openapi["paths"][path].is_object(), "{path}");
        }
        desk.running().signal("TERM");
        // It still answers while it says that it will not for long.
        while desk.get("readyz").await.status == 200 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert_eq!(desk.get("readyz").await.status, 503);
        assert_eq!(
            desk.post(CHAT, &ask(CHAT, "content", "x", false))
                .await
                .status,
            200
        );
    });
    desk.wait().exits(0);
}
