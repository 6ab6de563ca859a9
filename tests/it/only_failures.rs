//! A server that only fails: the run stops instead of burning its rows, and goes on later.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::support::{Act, Asked, Part, Place, Server};

const COMMAND: &str = "run in.jsonl -o out.jsonl -c manners.yaml --concurrency 4 --max-failed 5";

/// A server that still drafts and refuses to judge: nobody waits for that to pass.
fn refuse(asked: &Asked) -> Act {
    match asked.part {
        Part::Critic => Act::Status(403, r#"{"error":{"message":"not any more"}}"#.to_owned()),
        _ => Act::Answer,
    }
}

/// A server that answers while the switch is on.
fn switched(on: &Arc<AtomicBool>) -> Server {
    let on = Arc::clone(on);
    Server::with(move |asked| {
        if on.load(Ordering::SeqCst) {
            Act::Answer
        } else {
            refuse(asked)
        }
    })
}

fn rows(count: usize) -> Place {
    let place = Place::with_manners();
    place.write_prompts(
        "in.jsonl",
        (0..count).map(|n| format!("draft: Row {n}. !be-kind")),
    );
    place
}

fn failed(place: &Place) -> i64 {
    place.count("SELECT count(*) FROM transcripts WHERE outcome = 'failed'")
}

/// Fails every request that has to do with a row whose text holds one of these words.
fn failing_rows(words: &'static [&'static str]) -> Server {
    Server::with(move |asked: &Asked| {
        let text = asked.body.to_string();
        if words.iter().any(|word| text.contains(word)) {
            refuse(asked)
        } else {
            Act::Answer
        }
    })
}

#[test]
fn record_after_record_fails_and_no_row_is_burnt() {
    let on = Arc::new(AtomicBool::new(true));
    let server = switched(&on);
    let whole = rows(60);
    whole.redraft(COMMAND).model(&server).run().exits(0);

    let place = rows(60);
    place
        .redraft(&format!("{COMMAND} --limit 10"))
        .model(&server)
        .run()
        .exits(0);
    on.store(false, Ordering::SeqCst);
    server.forget();
    let ended = place
        .redraft(&format!("{COMMAND} --json"))
        .model(&server)
        .run()
        .exits(1)
        .says("Stopped:")
        .says("only failures:")
        .says("HTTP 403 from http://127.0.0.1")
        .says("not any more")
        .says("the same command again");
    let why = &ended.json()["stopped_by"];
    assert!(why.as_str().is_some_and(|why| why.contains("403")), "{why}");
    assert_eq!(failed(&place), 0, "the streak is not sealed");
    assert_eq!(place.count("SELECT count(*) FROM transcripts"), 10);
    assert_eq!(
        place.count("SELECT count(*) FROM runs WHERE state = 'stopped'"),
        1
    );
    // Those of the streak, and the window that was in flight when it was full.
    assert!(
        server.count() <= 2 * (5 + 24),
        "{} requests",
        server.count()
    );

    on.store(true, Ordering::SeqCst);
    place.redraft(COMMAND).model(&server).run().exits(0);
    assert_eq!(place.read("out.jsonl"), whole.read("out.jsonl"));
    assert_eq!(place.transcripts(), whole.transcripts());
}

/// Four in a row are no streak of five: what lies between them says that the server works.
#[test]
fn failures_with_successes_between_are_kept_as_failed() {
    let server = failing_rows(&["Row 1.", "Row 2.", "Row 3.", "Row 4.", "Row 17.", "Row 29."]);
    let place = rows(30);
    place
        .redraft("run in.jsonl -c manners.yaml --concurrency 1 --max-failed 7")
        .model(&server)
        .run()
        .exits(3);
    assert_eq!(failed(&place), 6);
    assert_eq!(place.count("SELECT count(*) FROM transcripts"), 30);
}

#[test]
fn failures_at_the_end_are_sealed_with_it() {
    let server = Server::with(refuse);
    let place = rows(4);
    place.redraft(COMMAND).model(&server).run().exits(3);
    assert_eq!(failed(&place), 4);
    assert_eq!(place.json_lines("out.jsonl").len(), 4);
}

#[test]
fn what_fails_by_replies_that_are_kept_is_not_sent_round_in_a_circle() {
    let server = Server::with(|_| Act::say(""));
    let place = Place::with_manners();
    place.write_prompts("in.jsonl", ["draft: Row."]);
    let run = |more: &str| {
        let command = format!("run in.jsonl -c manners.yaml {more}");
        place.redraft(&command).model(&server).run().exits(3)
    };
    run("").says("the same, --retry-failed");
    let asked = server.count();
    run("--retry-failed")
        .says("the same, --fresh")
        .does_not_say("the same, --retry-failed");
    assert_eq!(server.count(), asked);
}

#[test]
fn at_zero_every_row_may_fail() {
    let server = Server::with(refuse);
    let place = rows(40);
    place
        .redraft("run in.jsonl -c manners.yaml --concurrency 4 --max-failed 0")
        .model(&server)
        .run()
        .exits(3);
    assert_eq!(failed(&place), 40);
}

/// A request that no server would take says nothing about this one.
#[test]
fn what_a_record_itself_is_to_blame_for_is_no_streak() {
    let too_long = r#"{"error":{"message":"This model's maximum context length is 9 tokens.","code":"context_length_exceeded"}}"#;
    let server = Server::with(move |_| Act::Status(400, too_long.to_owned()));
    let place = rows(40);
    place.redraft(COMMAND).model(&server).run().exits(3);
    assert_eq!(failed(&place), 40);
    let outcomes: Vec<Value> = place.json_lines("out.jsonl");
    assert_eq!(outcomes.len(), 40);
}
