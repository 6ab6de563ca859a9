//! Ctrl-C, once and twice, and SIGTERM: an end in time that says how to go on.

use std::time::{Duration, Instant};

use crate::support::{Act, Place, Server, wait_until};

const COMMAND: &str = "run in.jsonl -o out.jsonl -c manners.yaml --concurrency 4";

/// A server that never answers, and more rows than are in flight at once.
fn hanging(rows: usize) -> (Place, Server) {
    let place = Place::with_manners();
    place.write_prompts("in.jsonl", (0..rows).map(|n| format!("draft: Row {n}.")));
    (place, Server::with(|_| Act::Hang))
}

fn stops_in_time(signal: &str, rows: usize) {
    let (place, server) = hanging(rows);
    let running = place.redraft(COMMAND).model(&server).start();
    wait_until("calls hang", || server.count() >= rows.min(4));
    running.signal(signal);
    let ended = running
        .end_within(Duration::from_secs(20))
        .exits(130)
        // Rows that were dropped in flight are no doubles.
        .does_not_say("equal to an earlier row")
        .says("Stopping:")
        .says("Stopped:")
        .says("the same command again");
    assert!(ended.took < Duration::from_secs(5), "took {:?}", ended.took);
    assert!(!place.has("out.jsonl"));
    assert_eq!(
        place.count("SELECT count(*) FROM runs WHERE state = 'stopped'"),
        1
    );
    assert_eq!(place.count("SELECT count(*) FROM transcripts"), 0);
}

#[test]
fn one_ctrl_c_ends_it_in_time() {
    stops_in_time("INT", 3);
}

/// The reader waits for room in the window then, and the stop must be heard all the same.
#[test]
fn one_ctrl_c_ends_it_in_time_when_the_window_is_full() {
    stops_in_time("INT", 200);
}

#[test]
fn so_does_sigterm() {
    stops_in_time("TERM", 40);
}

#[test]
fn a_second_ctrl_c_ends_it_at_once() {
    let (place, server) = hanging(3);
    let running = place.redraft(COMMAND).model(&server).start();
    wait_until("calls hang", || server.count() >= 3);
    running.signal("INT");
    wait_until("the first one is at work", || running.has_said("Stopping:"));
    let began = Instant::now();
    running.signal("INT");
    running.end_within(Duration::from_secs(20)).exits(130);
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "took {:?}",
        began.elapsed()
    );
}

/// What is in flight has its moment to end, and counts.
#[test]
fn calls_in_flight_may_end_and_the_rest_is_done_later() {
    let server = Server::with(|_| Act::AnswerAfter(Duration::from_millis(150)));
    let place = Place::with_manners();
    place.write_prompts("in.jsonl", (0..60).map(|n| format!("draft: Row {n}.")));
    let running = place.redraft(COMMAND).model(&server).start();
    wait_until("some calls were made", || server.count() >= 10);
    running.signal("INT");
    running.end().exits(130);
    assert_eq!(server.repeated(), 0);
    place
        .redraft(COMMAND)
        .model(&server)
        .run()
        .exits(0)
        .says("60 rows read");
    assert_eq!(place.json_lines("out.jsonl").len(), 60);
    assert!(
        server.repeated() <= 4,
        "{} calls were asked again",
        server.repeated()
    );
}
