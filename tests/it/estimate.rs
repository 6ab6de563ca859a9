//! An estimate stands on rows that are really done, and nothing of it is done twice.

use serde_json::Value;

use crate::support::{Place, Server};

const COMMAND: &str = "run in.jsonl -o out.jsonl -c manners.yaml --concurrency 4";

fn place(rows: usize) -> Place {
    let place = Place::with_manners();
    place.write_prompts(
        "in.jsonl",
        (0..rows).map(|n| match n % 3 {
            0 => format!("draft: Row {n}. !be-kind"),
            _ => format!("draft: Row {n}."),
        }),
    );
    place
}

fn interval(figure: &Value) -> (f64, f64) {
    let bound = |place: usize| figure["interval"][place].as_f64().expect("a bound");
    (bound(0), bound(1))
}

#[test]
fn the_rest_costs_what_was_estimated_and_the_first_rows_are_not_asked_again() {
    let server = Server::start();
    let whole = place(300);
    whole.redraft(COMMAND).model(&server).run().exits(0);
    let all = server.count();
    server.forget();

    let place = place(300);
    let ended = place
        .redraft(&format!("{COMMAND} --estimate 40 --json"))
        .model(&server)
        .run()
        .exits(0)
        .says("Estimate:")
        .says("Stopped after the estimate");
    let estimate = ended.json();
    assert_eq!(estimate["rows"], 300);
    assert_eq!(estimate["seen"], 40);
    assert_eq!(estimate["remaining"], 260);
    assert_eq!(estimate["cost"], Value::Null, "no model has a price");
    assert!(!place.has("out.jsonl"));
    assert_eq!(place.count("SELECT count(*) FROM transcripts"), 40);
    let lines = place.count("SELECT max(line) FROM transcripts");
    assert!(lines > 200, "rows of the whole dataset: {lines}");
    let rest = all - server.count();
    let (low, high) = interval(&estimate["calls"]);
    let rest = f64::from(u32::try_from(rest).expect("a few"));
    assert!((low..=high).contains(&rest), "{rest} in {low}..{high}");
    assert!(estimate["seconds"]["likely"].as_f64() > Some(0.0));

    place.redraft(COMMAND).model(&server).run().exits(0);
    assert_eq!((server.count(), server.repeated()), (all, 0));
    assert_eq!(place.read("out.jsonl"), whole.read("out.jsonl"));
    assert_eq!(place.transcripts(), whole.transcripts());
}

#[test]
fn known_rows_are_estimated_from_and_a_finished_run_stays_finished() {
    let server = Server::start();
    let place = place(30);
    let estimated = format!("{COMMAND} --estimate 10 --json");
    place.redraft(&estimated).model(&server).run().exits(0);
    let again = place.redraft(&estimated).model(&server).run().exits(0);
    let estimate = again.json();
    assert_eq!(
        (&estimate["seen"], &estimate["remaining"]),
        (&10.into(), &20.into())
    );
    assert!(estimate["calls"]["likely"].as_f64() > Some(0.0));
    assert_eq!(estimate["seconds"], Value::Null, "nothing was timed");

    place.redraft(COMMAND).model(&server).run().exits(0);
    let finished = "SELECT count(*) FROM runs WHERE state = 'finished'";
    assert_eq!(place.count(finished), 1);
    place.redraft(&estimated).model(&server).run().exits(0);
    assert_eq!(place.count(finished), 1);
}

#[test]
fn rows_without_a_transcript_give_no_estimate() {
    let server = Server::start();
    let place = Place::with_manners();
    place.write("in.jsonl", "{}\n");
    let ended = place
        .redraft(&format!("{COMMAND} --estimate --json"))
        .model(&server)
        .run()
        .exits(0)
        .says("nothing to estimate from");
    assert_eq!(ended.json(), Value::Null);
}

#[test]
fn yes_goes_on_by_itself() {
    let server = Server::start();
    let place = place(60);
    place
        .redraft(&format!("{COMMAND} --estimate --yes"))
        .model(&server)
        .run()
        .exits(0)
        .says("Estimate:")
        .says("50 transcripts seen of 60 rows")
        .says("60 rows read");
    assert_eq!(place.json_lines("out.jsonl").len(), 60);
    assert_eq!(server.repeated(), 0);
}

#[test]
fn a_stream_cannot_be_estimated() {
    let server = Server::start();
    Place::with_manners()
        .redraft("run - --estimate -c manners.yaml")
        .model(&server)
        .run()
        .exits(2)
        .says("reads the dataset twice");
}
