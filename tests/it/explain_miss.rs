//! `redraft explain-miss`: which part of a request changed, without asking anybody.

use serde_json::{Value, json};

use crate::support::{MANNERS, Part, Place, Server};

const PIPELINE: &str = "-c manners.yaml --concurrency 1 --temperature 0.7";

/// Two records, worked on: the first one is revised once.
fn worked_on(server: &Server, options: &str) -> Place {
    let place = Place::with_manners();
    place.write_prompts("in.jsonl", ["draft: Go. !be-kind", "draft: Hello."]);
    place
        .redraft(&format!("run in.jsonl {PIPELINE} {options}"))
        .model(server)
        .run()
        .exits(0);
    place
}

fn explain(place: &Place, server: &Server, arguments: &str) -> Value {
    let told = place
        .redraft(&format!("explain-miss --json {arguments}"))
        .model(server)
        .run()
        .exits(0);
    told.json()
}

fn parts(told: &Value) -> Vec<&str> {
    let changes = told["missed"]["changes"].as_array().expect("changes");
    changes
        .iter()
        .map(|change| change["part"].as_str().expect("a name"))
        .collect()
}

#[test]
fn nothing_changed_and_nothing_is_asked_or_written() {
    let server = Server::start();
    let place = worked_on(&server, "");
    let (asked, before) = (server.count(), place.transcripts());
    let calls = place.count("SELECT count(*) FROM calls");
    let told = explain(&place, &server, &format!("r1 {PIPELINE}"));
    assert_eq!(told["missed"], Value::Null, "{told:#}");
    // A draft, a critique, a revision, and the critique of that.
    assert_eq!(
        (&told["record"], &told["served"]),
        (&json!("r1"), &json!(4))
    );
    place
        .redraft(&format!("explain-miss r1 {PIPELINE}"))
        .model(&server)
        .run()
        .exits(0)
        .prints("Every call of record r1 is in the journal (4 calls)");
    assert_eq!(server.count(), asked, "nobody is asked");
    assert_eq!(place.count("SELECT count(*) FROM calls"), calls);
    assert_eq!(place.transcripts(), before);
}

#[test]
fn a_change_is_told_when_the_new_call_has_been_made_already() {
    let server = Server::start();
    let place = worked_on(&server, "");
    let runs = place.redraft("runs --json").run().exits(0).json_lines();
    let old = runs[0]["run"].as_str().expect("a name").to_owned();
    let hotter = PIPELINE.replace("0.7", "0.9");
    place
        .redraft(&format!("run in.jsonl {hotter}"))
        .model(&server)
        .run()
        .exits(0);
    let told = explain(&place, &server, &format!("r1 {hotter} --run {old}"));
    assert_eq!(told["missed"], Value::Null, "{told:#}");
    let change = &told["otherwise"]["changes"][0];
    assert_eq!(
        (&change["part"], &change["before"], &change["after"]),
        (&json!("temperature"), &json!(0.7), &json!(0.9)),
        "{told:#}"
    );
    place
        .redraft(&format!("explain-miss r1 {hotter} --run {old}"))
        .model(&server)
        .run()
        .exits(0)
        .prints("the same command would ask nothing")
        .prints(&format!("Not as in the run {old}: drafter, of"))
        .prints("temperature: 0.7 → 0.9");
    // The newest transcript was made by these very calls.
    let told = explain(&place, &server, &format!("r1 {hotter}"));
    assert_eq!(told["otherwise"], Value::Null, "{told:#}");
}

#[test]
fn another_temperature_is_named_with_both_values() {
    let server = Server::start();
    let place = worked_on(&server, "");
    let other = PIPELINE.replace("0.7", "0.2");
    let told = explain(&place, &server, &format!("r1 {other}"));
    assert_eq!(told["served"], 0);
    assert_eq!(
        told["missed"]["changes"],
        json!([{ "part": "temperature", "before": 0.7, "after": 0.2 }])
    );
    assert_eq!(told["missed"]["role"], "drafter");
    place
        .redraft(&format!("explain-miss r1 {other}"))
        .model(&server)
        .run()
        .exits(0)
        .prints("temperature: 0.7 → 0.2");
}

#[test]
fn a_principle_that_reads_otherwise_changes_the_critics_instructions() {
    let server = Server::start();
    let place = worked_on(&server, "");
    let changed = MANNERS.replace("kind to whoever", "gentle to whoever");
    place.write("manners.yaml", changed);
    let told = explain(&place, &server, &format!("r1 {PIPELINE}"));
    assert_eq!(told["served"], 1, "the draft does not know the principles");
    let missed = &told["missed"];
    assert_eq!(
        (&missed["role"], &missed["round"]),
        (&json!("critic"), &json!(1))
    );
    assert_eq!(parts(&told), ["message 1, the instructions"]);
    let shown = place
        .redraft(&format!("explain-miss r1 {PIPELINE}"))
        .model(&server)
        .run()
        .exits(0)
        .prints("[-kind-]{+gentle+} to whoever");
    assert!(
        !shown.out.contains("You are a careful critic."),
        "more than the neighbourhood of the change is shown: {shown}"
    );
}

#[test]
fn another_model_is_named() {
    let server = Server::start();
    let place = worked_on(&server, "");
    let told = place
        .redraft(&format!("explain-miss r2 --json {PIPELINE} --model other"))
        .args(["--base-url", server.url()])
        .run()
        .exits(0)
        .json();
    assert_eq!(
        told["missed"]["changes"],
        json!([{ "part": "model", "before": "stub", "after": "other" }])
    );
}

#[test]
fn a_fresh_run_keeps_its_calls_to_itself() {
    let server = Server::start();
    let place = worked_on(&server, "--fresh --run anew");
    // Its own command finds them, because the run is known.
    let told = explain(&place, &server, &format!("r1 --run anew {PIPELINE}"));
    assert_eq!(
        (&told["missed"], &told["served"]),
        (&Value::Null, &json!(4))
    );
    assert_eq!(told["run"], "anew");
    let told = explain(&place, &server, &format!("r1 --fresh {PIPELINE}"));
    assert_eq!(parts(&told), ["scope (--fresh)"]);
}

#[test]
fn a_second_sample_is_compared_with_its_own_calls() {
    let server = Server::start();
    let place = worked_on(&server, "--samples 2");
    let told = explain(&place, &server, &format!("r1#2 {PIPELINE}"));
    assert_eq!(told["record"], "r1#2");
    assert_eq!(
        (&told["missed"], &told["served"]),
        (&Value::Null, &json!(4))
    );
    let other = PIPELINE.replace("0.7", "0.2");
    let told = explain(&place, &server, &format!("r1#2 {other}"));
    assert_eq!(parts(&told), ["temperature"], "the sample is no change");
}

#[test]
fn an_id_that_only_looks_like_a_samples_is_taken_as_it_is() {
    let server = Server::start();
    let place = Place::with_manners();
    place.write(
        "in.jsonl",
        json!({ "id": "a#2", "prompt": "draft: Go. !be-kind" }).to_string(),
    );
    place
        .redraft(&format!("run in.jsonl {PIPELINE}"))
        .model(&server)
        .run()
        .exits(0);
    let told = explain(&place, &server, &format!("a#2 {PIPELINE}"));
    assert_eq!(
        (&told["missed"], &told["served"]),
        (&Value::Null, &json!(4))
    );
}

#[test]
fn more_rounds_begin_where_the_transcript_ends() {
    let server = Server::start();
    let place = Place::with_manners();
    place.write_prompts("in.jsonl", ["draft: Go. !be-kind"]);
    place
        .redraft(&format!("run in.jsonl {PIPELINE} --rounds 0"))
        .model(&server)
        .run()
        .exits(0);
    let told = explain(&place, &server, &format!("r1 {PIPELINE} --rounds 1"));
    let missed = &told["missed"];
    assert_eq!(
        (&missed["role"], &missed["round"]),
        (&json!("reviser"), &json!(1))
    );
    assert_eq!(
        (&missed["compared"], &missed["call"]),
        (&json!("new"), &Value::Null)
    );
}

#[test]
fn a_call_that_the_journal_has_lost_is_told() {
    let server = Server::start();
    let place = worked_on(&server, "");
    place
        .store()
        .execute("DELETE FROM calls", [])
        .expect("a table");
    let told = explain(&place, &server, &format!("r1 {PIPELINE}"));
    let missed = &told["missed"];
    assert_eq!(missed["compared"], "gone");
    assert_eq!(missed["call"], missed["key"], "the request is the same");
}

#[test]
fn the_chat_of_the_paper_is_compared_turn_by_turn() {
    let server = Server::start();
    let place = Place::with_manners();
    place.write_prompts("in.jsonl", ["draft: Go."]);
    let command = "-c manners.yaml --recipe cai --rounds 1";
    place
        .redraft(&format!("run in.jsonl {command}"))
        .model(&server)
        .run()
        .exits(0);
    let folder = place.path("templates");
    std::fs::create_dir(&folder).expect("a folder");
    std::fs::write(
        folder.join("cai-revision.txt"),
        "{{ request }} Reply with the new answer.",
    )
    .expect("a template");
    let told = explain(
        &place,
        &server,
        &format!("r1 {command} --prompts templates"),
    );
    assert_eq!(told["served"], 2);
    assert_eq!(parts(&told), ["message 5, the revision request"]);
    assert_eq!(server.asked(Part::Critic).len(), 0);
}

#[test]
fn records_that_are_not_there_or_not_one_are_errors() {
    let server = Server::start();
    let place = worked_on(&server, "");
    let fails = |arguments: &str| {
        let command = format!("explain-miss {arguments} {PIPELINE}");
        place.redraft(&command).model(&server).run().exits(1)
    };
    fails("r").says("r1, r2");
    fails("nobody").says("nobody").says("redraft run -o");
    fails("r1 --run other").says("redraft runs");
}
