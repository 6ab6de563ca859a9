//! Two processes on one store: one run belongs to one of them, two runs get on.

use std::time::Duration;

use crate::support::{Act, Place, Server, wait_until};

fn prompts(place: &Place, name: &str) {
    place.write_prompts(
        name,
        (0..30).map(|n| format!("draft: {name} {n}. !be-kind")),
    );
}

#[test]
fn a_second_process_on_the_same_run_is_told_so() {
    let server = Server::with(|_| Act::AnswerAfter(Duration::from_millis(40)));
    let place = Place::with_manners();
    prompts(&place, "in.jsonl");
    let command = "run in.jsonl -o out.jsonl -c manners.yaml --concurrency 4";
    let first = place.redraft(command).model(&server).start();
    wait_until("the first is at work", || server.count() > 4);
    place
        .redraft(command)
        .model(&server)
        .run()
        .exits(1)
        .says("another process is working on the run in-")
        .says("wait for it, or stop it first");
    first.end().exits(0);
    assert_eq!(server.repeated(), 0);
    assert_eq!(place.json_lines("out.jsonl").len(), 30);
    assert_eq!(
        place.names(),
        ["in.jsonl", "manners.yaml", "out.jsonl", "redraft.db"]
    );
}

#[test]
fn two_runs_share_a_store() {
    let server = Server::with(|_| Act::AnswerAfter(Duration::from_millis(10)));
    let place = Place::with_manners();
    prompts(&place, "a.jsonl");
    prompts(&place, "b.jsonl");
    let start = |name: &str| {
        place
            .redraft(&format!(
                "run {name}.jsonl -o {name}.out.jsonl -c manners.yaml --concurrency 4"
            ))
            .model(&server)
            .start()
    };
    let (a, b) = (start("a"), start("b"));
    a.end().exits(0);
    b.end().exits(0);
    assert_eq!(place.json_lines("a.out.jsonl").len(), 30);
    assert_eq!(place.json_lines("b.out.jsonl").len(), 30);
    assert_eq!(place.count("SELECT count(*) FROM transcripts"), 60);
    assert_eq!(
        place.count("SELECT count(*) FROM runs WHERE state = 'finished'"),
        2
    );
}

/// Reading never waits for a writer.
#[test]
fn a_run_at_work_can_be_looked_at() {
    let server = Server::with(|_| Act::AnswerAfter(Duration::from_millis(40)));
    let place = Place::with_manners();
    prompts(&place, "in.jsonl");
    let running = place
        .redraft("run in.jsonl -c manners.yaml --concurrency 2")
        .model(&server)
        .start();
    wait_until("something is sealed", || {
        let stats = place.redraft("stats --json").run();
        stats.code == Some(0) && stats.json()["records"].as_u64() > Some(0)
    });
    place.redraft("runs").run().exits(0).prints("running");
    place.redraft("show r").run().exits(0).prints("Outcome");
    running.end().exits(0);
}
