//! `run --record` and `run --replay`: the calls of a run in a file.

use crate::support::{BreaksContract, Place, Server};

const RUN: &str = "run in.jsonl -o out.jsonl -c manners.yaml --concurrency 3";

fn recorded(server: &Server, file: &str) -> Place {
    let place = Place::with_manners();
    let prompts = (0..20).map(|row| match row % 3 {
        0 => format!("draft: Row {row}. !be-kind"),
        _ => format!("draft: Row {row}."),
    });
    place.write_prompts("in.jsonl", prompts);
    place
        .redraft(&format!("{RUN} --max-tokens 500 --record {file}"))
        .model(server)
        .run()
        .exits(0)
        .says(&format!("{file}: "));
    place
}

/// Another folder with the same rows, constitution and file of calls.
fn elsewhere(place: &Place, file: &str) -> Place {
    let other = Place::with_manners();
    other.write("in.jsonl", place.read("in.jsonl"));
    let bytes = std::fs::read(place.path(file)).expect("a file of calls");
    other.write(file, bytes);
    other
}

#[test]
fn a_recorded_run_comes_out_the_same_elsewhere_without_a_server() {
    let faults = BreaksContract(7);
    let server = Server::with(move |asked| faults.act(asked));
    for file in ["calls.jsonl", "calls.jsonl.zst"] {
        let place = recorded(&server, file);
        let other = elsewhere(&place, file);
        server.forget();
        other
            .redraft(&format!("{RUN} --max-tokens 500 --replay {file}"))
            .model(&server)
            .run()
            .exits(0);
        assert_eq!(server.count(), 0, "no connection is opened");
        assert_eq!(other.transcripts(), place.transcripts());
        assert_eq!(other.read("out.jsonl"), place.read("out.jsonl"));
        let left: Vec<_> = other
            .names()
            .into_iter()
            .filter(|name| name.contains("replay"))
            .collect();
        assert!(left.is_empty(), "{left:?}");
        // The calls are in the journal as if they had been made.
        let told = other
            .redraft("audit replay")
            .arg(run_of(&other))
            .args(["-c", "manners.yaml", "--json"])
            .run()
            .exits(0);
        assert_eq!(told.json()["same"], 20);
    }
}

fn run_of(place: &Place) -> String {
    let runs = place.redraft("runs --json").run().exits(0).json_lines();
    runs[0]["run"].as_str().expect("a name").to_owned()
}

#[test]
fn a_call_that_the_file_does_not_have_ends_the_run() {
    let server = Server::start();
    let place = recorded(&server, "calls.jsonl");
    let other = elsewhere(&place, "calls.jsonl");
    server.forget();
    other
        .redraft(&format!("{RUN} --max-tokens 499 --replay calls.jsonl"))
        .model(&server)
        .run()
        .exits(1)
        .says("calls.jsonl has no reply to a call of the model stub");
    assert_eq!(server.count(), 0);
}

#[test]
fn the_journal_of_the_store_does_not_stand_in_for_the_file() {
    let server = Server::start();
    let place = recorded(&server, "calls.jsonl");
    place.write_prompts("more.jsonl", ["draft: Row 0. !be-kind", "draft: Another."]);
    let more = "run more.jsonl -c manners.yaml --max-tokens 500 --run more";
    place.redraft(more).model(&server).run().exits(0);
    server.forget();
    place
        .redraft("run more.jsonl -c manners.yaml --max-tokens 500 --run again --replay calls.jsonl")
        .model(&server)
        .run()
        .exits(2)
        .says("give --replay a --store of its own");
    let store = place.store();
    store
        .execute("UPDATE runs SET state = 'stopped'", [])
        .expect("an edit");
    place
        .redraft("run more.jsonl -c manners.yaml --max-tokens 500 --run again --replay calls.jsonl")
        .model(&server)
        .run()
        .exits(1)
        .says("has no reply to a call");
    assert_eq!(server.count(), 0);
}

#[test]
fn a_file_that_was_changed_or_cut_short_is_refused() {
    let server = Server::start();
    let place = recorded(&server, "calls.jsonl");
    let calls = place.read("calls.jsonl");
    let whole: Vec<&str> = calls.lines().collect();
    for (text, said) in [
        (whole[..whole.len() - 1].join("\n"), "cut short"),
        (
            [&whole[..2], &whole[3..]].concat().join("\n"),
            "it should have",
        ),
        (
            calls.replacen("Row 7", "Row 8", 1),
            "not the one of its key",
        ),
        (
            calls.replacen("redraft-calls/1", "redraft-calls/2", 1),
            "the format is",
        ),
        ("{}\n".to_owned(), "no file of calls"),
    ] {
        let other = elsewhere(&place, "calls.jsonl");
        other.write("calls.jsonl", text);
        other
            .redraft(&format!("{RUN} --max-tokens 500 --replay calls.jsonl"))
            .model(&server)
            .run()
            .exits(1)
            .says(said);
        assert!(!other.has("out.jsonl"));
    }
}

#[test]
fn a_finished_run_is_not_replayed_into_its_own_store() {
    let server = Server::start();
    let place = recorded(&server, "calls.jsonl");
    place
        .redraft(&format!("{RUN} --max-tokens 500 --replay calls.jsonl"))
        .model(&server)
        .run()
        .exits(2)
        .says("give --replay a --store of its own");
}
