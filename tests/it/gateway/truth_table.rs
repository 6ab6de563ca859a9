//! Every endpoint, streamed and not, with every kind of text, and every way it can end: the client gets
//! what the transcript says it got.

use futures::future::join_all;
use serde_json::Value;

use super::desk::{Desk, Got, ask, settings};
use super::upstream::Upstream;
use crate::support::runtime;

const PATHS: [(&str, &[&str]); 3] = [
    (
        "chat/completions",
        &["content", "choices", "refusal", "reasoning", "arguments"],
    ),
    ("completions", &["content", "choices"]),
    ("responses", &["content", "refusal", "reasoning"]),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Passes,
    Revised,
    RevisedByChecks,
    Refused,
    CriticFails,
    UpstreamFails,
}

const ENDS: [End; 6] = [
    End::Passes,
    End::Revised,
    End::RevisedByChecks,
    End::Refused,
    End::CriticFails,
    End::UpstreamFails,
];

/// What the server drafts so that it ends like this.
fn draft(kind: &str, end: End) -> String {
    let text = match end {
        End::Passes => "It is ready.",
        End::Revised => "It is ready !be-kind now.",
        End::RevisedByChecks => "Ask ann@example.com now.",
        End::Refused => "It is ready !be-kind !stubborn now.",
        End::CriticFails => "It is ready !no-critic now.",
        End::UpstreamFails => return "fail".to_owned(),
    };
    match kind {
        "arguments" => serde_json::json!({ "text": text }).to_string(),
        _ => text.to_owned(),
    }
}

async fn cell(desk: &Desk, path: &str, kind: &str, end: End, stream: bool) {
    // Nobody but checks mends what programs read.
    let expected = match (kind, end) {
        ("arguments", End::Revised) => End::Refused,
        (_, end) => end,
    };
    let what = format!("{path}, {kind}, {end:?}, stream {stream}");
    let got = desk
        .post(path, &ask(path, kind, &draft(kind, end), stream))
        .await;
    let transcripts = desk.transcripts(got.header("x-redraft-transcript"));
    assert!(!transcripts.is_empty(), "{what}: no transcript");
    match expected {
        End::UpstreamFails | End::CriticFails => failed(&what, expected, &got, &transcripts),
        End::Passes | End::Revised | End::RevisedByChecks | End::Refused => {
            assert_eq!(got.status, 200, "{what}: {got:?}");
            ended(&what, path, expected, stream, &got);
            delivered(&what, &got, path, transcripts.values());
            let texts = got.texts(path);
            let has = |word: &str| texts.values().any(|text| text.contains(word));
            assert!(!has("!be-kind") && !has("ann@"), "{what}: {texts:?}");
            let is_mended = match expected {
                End::RevisedByChecks => has("[e-mail address]"),
                End::Refused => has("was withheld"),
                _ => has("It is ready"),
            };
            assert!(is_mended, "{what}: {texts:?}");
        }
    }
}

fn failed(
    what: &str,
    end: End,
    got: &Got,
    transcripts: &std::collections::BTreeMap<(u64, String), Value>,
) {
    let expected = if end == End::CriticFails { 503 } else { 502 };
    assert_eq!(got.status, expected, "{what}: {got:?}");
    let error = &got.json()["error"];
    assert!(
        error["message"].is_string() && error["code"].is_string(),
        "{what}: {error}"
    );
    assert!(!got.body.contains("secret-host"), "{what}: {}", got.body);
    let reasons: Vec<String> = transcripts
        .values()
        .map(|it| it["why"].to_string())
        .collect();
    assert!(
        reasons.concat().contains("secret-host"),
        "{what}: {reasons:?}"
    );
    if end == End::CriticFails {
        let mut all = transcripts.values();
        assert!(
            all.all(|it| it["delivered"]["how"] == "withheld"),
            "{what}: {transcripts:?}"
        );
    }
}

fn ended(what: &str, path: &str, end: End, stream: bool, got: &Got) {
    let is_refused = end == End::Refused;
    assert_eq!(
        got.header("x-redraft-outcome"),
        if is_refused {
            "unresolved"
        } else {
            "compliant"
        },
        "{what}"
    );
    if path == "responses" {
        let last: Value = if stream {
            serde_json::from_str(got.events().last().expect("an event")).expect("JSON")
        } else {
            serde_json::json!({ "response": got.json() })
        };
        let status = if is_refused {
            "incomplete"
        } else {
            "completed"
        };
        assert_eq!(last["response"]["status"], status, "{what}");
        return;
    }
    assert_eq!(
        got.body.contains("content_filter"),
        is_refused,
        "{what}: {}",
        got.body
    );
    if stream {
        assert_eq!(
            got.events().last().map(String::as_str),
            Some("[DONE]"),
            "{what}"
        );
    }
}

/// The client has exactly the texts that the transcripts say it was given.
fn delivered<'a>(what: &str, got: &Got, path: &str, transcripts: impl Iterator<Item = &'a Value>) {
    let mut expected = std::collections::BTreeMap::new();
    for transcript in transcripts {
        let extra = &transcript["record"]["extra"];
        let choice = extra["choice"].as_u64().expect("a choice");
        let (kind, text) = match &transcript["delivered"] {
            Value::Null => (
                extra["part"].as_str().expect("a part"),
                &transcript["final"]["text"],
            ),
            // A refusal takes the place of the first text; completions have one place only.
            given => (
                if path == "completions" {
                    "content"
                } else {
                    "refusal"
                },
                &given["text"],
            ),
        };
        let text = text.as_str().expect("text");
        if !text.is_empty() {
            expected.insert((choice, kind.to_owned()), text.to_owned());
        }
    }
    assert_eq!(got.texts(path), expected, "{what}");
}

#[test]
fn what_the_client_gets_is_what_the_transcript_says() {
    let upstream = Upstream::start();
    // Every failure comes in time for a status of its own; tests/it/gateway/streams.rs has the others.
    let text = settings("gate.yaml", "enforce", "");
    let text = text.replace("gateway:\n", "gateway:\n  grace_seconds: 60\n");
    let desk = Desk::with(&upstream, &text);
    let mut cells = Vec::new();
    for (path, kinds) in PATHS {
        for kind in kinds {
            for end in ENDS {
                for stream in [false, true] {
                    cells.push(cell(&desk, path, kind, end, stream));
                }
            }
        }
    }
    assert_eq!(cells.len(), 10 * 6 * 2);
    runtime().block_on(join_all(cells));
}
