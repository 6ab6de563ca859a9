//! `--events FILE`: what happened, in lines that a program reads.

use std::time::Duration;

use serde_json::Value;

use crate::support::{Act, Place, Server, wait_until};

const COMMAND: &str = "run in.jsonl -o out.jsonl -c manners.yaml --events events.jsonl";

fn named<'a>(events: &'a [Value], name: &str) -> Vec<&'a Value> {
    events
        .iter()
        .filter(|event| event["event"] == name)
        .collect()
}

#[test]
fn every_row_has_its_event_and_a_second_start_adds_its_own() {
    let server = Server::start();
    let place = Place::with_manners();
    place.write(
        "in.jsonl",
        "{\"id\":\"a\",\"prompt\":\"draft: One.\"}\n\
         {\"id\":\"b\"}\n\
         {\"id\":\"c\",\"prompt\":\"draft: Two.\"}\n",
    );
    place.redraft(COMMAND).model(&server).run().exits(0);
    let events = place.json_lines("events.jsonl");
    assert!(events.iter().all(|event| {
        let at = event["at"].as_str().expect("a time");
        at.ends_with('Z') && at.contains('T')
    }));
    assert_eq!(events[0]["event"], "started");
    let sealed = named(&events, "sealed");
    let mut records: Vec<&str> = sealed
        .iter()
        .map(|event| event["record"].as_str().expect("a record"))
        .collect();
    records.sort_unstable();
    assert_eq!(records, ["a", "c"]);
    assert!(sealed.iter().all(|event| event["outcome"].is_string()));
    let rejected = named(&events, "rejected");
    assert_eq!((rejected.len(), &rejected[0]["line"]), (1, &2.into()));
    let last = events.last().expect("an event");
    assert_eq!(
        (&last["event"], &last["how"]),
        (&"ended".into(), &"finished".into())
    );
    assert_eq!(last["rows"], 3);

    place.redraft(COMMAND).model(&server).run().exits(0);
    let both = place.json_lines("events.jsonl");
    assert_eq!(both[..events.len()], events[..]);
    assert_eq!(named(&both, "started").len(), 2);
    assert_eq!(named(&both, "sealed").len(), 2);
}

#[test]
fn what_was_asked_of_the_run_stands_in_it_while_it_runs() {
    let place = Place::with_manners();
    place.write_prompts("in.jsonl", (0..2000).map(|n| format!("draft: Row {n}.")));
    let server = Server::with(|_| Act::AnswerAfter(Duration::from_millis(40)));
    let running = place.redraft(COMMAND).model(&server).start();
    wait_until("calls are made", || server.count() >= 10);
    place.redraft("ctl pause").run().exits(0);
    wait_until("the event is written", || {
        place.read("events.jsonl").contains("\"event\":\"paused\"")
    });
    place.redraft("ctl budget --tokens 5000000").run().exits(0);
    place.redraft("ctl drain").run().exits(0);
    running.end().exits(130);
    let events = place.json_lines("events.jsonl");
    assert_eq!(named(&events, "budget")[0]["tokens"], 5_000_000);
    assert_eq!(named(&events, "draining").len(), 1);
    assert_eq!(named(&events, "stopping").len(), 1);
    assert_eq!(events.last().expect("an event")["how"], "interrupted");
}

#[test]
fn a_file_that_cannot_be_opened_is_named_before_anything_is_paid_for() {
    let server = Server::start();
    let place = Place::with_manners();
    place.write_prompts("in.jsonl", ["draft: One."]);
    place
        .redraft("run in.jsonl -c manners.yaml --events nowhere/events.jsonl")
        .model(&server)
        .run()
        .exits(1)
        .says("nowhere/events.jsonl");
    assert_eq!(server.count(), 0);
}

/// The device takes no byte, as a full disk does.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_under_the_events_does_not_end_the_run() {
    let server = Server::start();
    let place = Place::with_manners();
    place.write_prompts("in.jsonl", (0..50).map(|n| format!("draft: Row {n}.")));
    let ended = place
        .redraft("run in.jsonl -o out.jsonl -c manners.yaml --events /dev/full")
        .model(&server)
        .run()
        .exits(0);
    let said = ended.err.matches("events can no longer be written").count();
    assert_eq!(said, 1, "{ended}");
    assert_eq!(place.json_lines("out.jsonl").len(), 50);
}
