//! Models that cannot be used, records that fail, and keys that never show.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::{Act, Part, Place, Server, wait_until};

const COMMAND: &str = "run in.jsonl -o out.jsonl -c manners.yaml";

fn prompts(count: usize) -> Place {
    let place = Place::with_manners();
    place.write_prompts("in.jsonl", (0..count).map(|n| format!("draft: Row {n}.")));
    place
}

fn refusing(status: u16, message: &'static str) -> Server {
    let body = serde_json::json!({ "error": { "message": message, "type": "x" } }).to_string();
    Server::with(move |_| Act::Status(status, body.clone()))
}

#[track_caller]
fn ends_at_once(server: &Server, hint: &str) {
    let place = prompts(200);
    place
        .redraft(COMMAND)
        .model(server)
        .env("OPENAI_API_KEY", "sk-wrong-0123456789")
        .run()
        .exits(1)
        .says("stub cannot be used")
        .says("help:")
        .says(hint);
    assert!(
        server.count() <= 64,
        "{} calls for a model that cannot be used",
        server.count()
    );
    assert_eq!(
        place.count("SELECT count(*) FROM transcripts"),
        0,
        "no row is burnt"
    );
    assert!(!place.has("out.jsonl"));
    // Once it works, the same command does everything.
    place
        .redraft(COMMAND)
        .model(&Server::start())
        .run()
        .exits(0)
        .says("200 rows read");
    assert_eq!(place.json_lines("out.jsonl").len(), 200);
}

#[test]
fn a_refused_key_ends_the_run_with_what_to_fix() {
    ends_at_once(
        &refusing(401, "Incorrect API key provided"),
        "the environment variable OPENAI_API_KEY",
    );
}

#[test]
fn an_unknown_model_ends_the_run_with_what_to_fix() {
    ends_at_once(
        &refusing(404, "The model `stub` does not exist"),
        "check the model's name",
    );
}

#[test]
fn a_wrong_address_ends_the_run_with_what_to_fix() {
    ends_at_once(&refusing(404, "Not Found"), "it must usually end in /v1");
}

#[test]
fn a_missing_key_is_named_as_missing() {
    let place = prompts(1);
    place
        .redraft(COMMAND)
        .model(&refusing(401, "no key"))
        .run()
        .exits(1)
        .says("no key was given")
        .says("set OPENAI_API_KEY");
}

#[test]
fn a_server_that_is_not_there_ends_the_run() {
    let place = prompts(1);
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/v1", free.local_addr().expect("an address"));
    drop(free);
    place
        .redraft(COMMAND)
        .args(["--model", "stub", "--base-url", &url])
        .run()
        .exits(1)
        .says("check that a server runs at")
        .says(&url);
    assert_eq!(place.count("SELECT count(*) FROM transcripts"), 0);
}

#[test]
fn one_record_that_fails_is_one_record_and_can_be_done_again() {
    let broken = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let is_broken = std::sync::Arc::clone(&broken);
    let server = Server::with(move |asked| {
        let odd = asked.part == Part::Drafter && asked.message(0) == "draft: Row 7.";
        if odd && is_broken.load(std::sync::atomic::Ordering::SeqCst) {
            Act::Status(
                400,
                r#"{"error":{"message":"this prompt is not allowed"}}"#.to_owned(),
            )
        } else {
            Act::Answer
        }
    });
    let place = prompts(20);
    place
        .redraft(COMMAND)
        .model(&server)
        .run()
        .exits(3)
        .says("record r8")
        .says("this prompt is not allowed")
        .says("--retry-failed");
    let out = place.json_lines("out.jsonl");
    assert_eq!(out.len(), 20);
    for (number, row) in out.iter().enumerate() {
        let expected = if number == 7 { "failed" } else { "compliant" };
        assert_eq!(row["redraft"]["outcome"], expected, "{row}");
    }
    // Without being asked to, a failed record is not done again, and still counts.
    server.forget();
    place.redraft(COMMAND).model(&server).run().exits(3);
    assert_eq!(server.count(), 0);
    place
        .redraft(&format!("{COMMAND} --retry-failed"))
        .model(&server)
        .run()
        .exits(3);
    assert_eq!(server.count(), 1, "only the failed one is asked again");
    broken.store(false, std::sync::atomic::Ordering::SeqCst);
    server.forget();
    place
        .redraft(&format!("{COMMAND} --retry-failed"))
        .model(&server)
        .run()
        .exits(0);
    assert_eq!(server.count(), 2);
    assert!(
        place
            .json_lines("out.jsonl")
            .iter()
            .all(|row| row["redraft"]["outcome"] == "compliant")
    );
    assert_eq!(place.count("SELECT count(*) FROM transcripts"), 20);
}

#[test]
fn what_must_not_be_retried_is_not_and_what_may_pass_is() {
    for (status, calls) in [
        (400, 1),
        (403, 1),
        (422, 1),
        (408, 2),
        (409, 2),
        (429, 2),
        (502, 2),
    ] {
        // A first success makes the later failure the record's own: what is asked about the first
        // draft shows that it arrived.
        let arrived = AtomicBool::new(false);
        let server = Server::with(move |asked| match asked.part {
            Part::Drafter if asked.message(0).ends_with('1') && asked.before == 0 => {
                tokio::task::block_in_place(|| {
                    wait_until("the first draft arrives", || arrived.load(Ordering::SeqCst));
                });
                Act::Later(status, 1)
            }
            Part::Critic => {
                arrived.store(true, Ordering::SeqCst);
                Act::Answer
            }
            _ => Act::Answer,
        });
        let place = Place::with_manners();
        place.write_prompts("in.jsonl", ["draft: Row 0", "draft: Row 1"]);
        let ended = place.redraft(COMMAND).model(&server).run();
        let asked = server.asked(Part::Drafter).len() - 1;
        assert_eq!(asked, calls, "{status}; {ended}");
        assert_eq!(
            ended.code,
            Some(if calls == 1 { 3 } else { 0 }),
            "{status}; {ended}"
        );
    }
}

#[test]
fn a_key_never_shows() {
    let key = "sk-very-secret-0123456789abcdef";
    // A server that repeats the key to whoever sent it.
    let server = Server::with(move |asked| {
        assert_eq!(asked.headers["authorization"], format!("Bearer {key}"));
        let echoed = format!(r#"{{"error":{{"message":"the key {key} is odd today"}}}}"#);
        match asked.message(0) {
            "draft: Row 1." => Act::Status(400, echoed),
            "draft: Row 2." if asked.before == 0 => Act::Status(500, echoed),
            _ => Act::Answer,
        }
    });
    let place = prompts(5);
    place.write(
        "redraft.yaml",
        format!(
            "models:\n  stub: {{ model: stub, base_url: '{}', api_key_env: STUB_KEY }}\n",
            server.url()
        ),
    );
    let ended = place
        .redraft(COMMAND)
        .env("STUB_KEY", key)
        .env("RUST_LOG", "trace")
        .run()
        .exits(3)
        .says("a call failed and is tried again");
    assert_eq!(server.requests().len(), 10);
    let shown = [
        ended,
        place.redraft("show r2 --json").run().exits(0),
        place.redraft("show r2").run().exits(0),
        place.redraft("runs --json").run().exits(0),
        place.redraft("stats --json").run().exits(0),
    ];
    for ended in &shown {
        assert!(
            !ended.out.contains(key) && !ended.err.contains(key),
            "the key shows"
        );
    }
    for name in place.names() {
        let bytes = fs::read(place.path(&name)).expect("a file");
        let found = bytes
            .windows(key.len())
            .any(|window| window == key.as_bytes());
        assert!(!found, "the key is in {name}");
    }
}
