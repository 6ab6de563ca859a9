//! `redraft import`: traces of other tools become transcripts, and go out again as they came.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::{Place, json_lines};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

fn import(place: &Place, name: &str) {
    place
        .redraft("import --run traces")
        .arg(fixture(name))
        .run()
        .exits(0)
        .says("Imported 2 transcripts into run traces");
}

/// The traces of a fixture.
fn traces(name: &str) -> Vec<Value> {
    let text = fs::read_to_string(fixture(name)).expect("a fixture");
    serde_json::from_str(&text).unwrap_or_else(|_| json_lines(&text))
}

/// Exports every trace again, and says which columns came out of nothing.
fn assert_round_trip(name: &str, format: &str, added: &[&str]) {
    let place = Place::new();
    import(&place, name);
    let ended = place.redraft(&format!("export -f {format}")).run().exits(0);
    let out = json_lines(&ended.out);
    let traces = traces(name);
    assert_eq!(out.len(), traces.len(), "{ended}");
    for (mut row, trace) in out.into_iter().zip(traces) {
        for column in added {
            if trace.get(column).is_none() {
                row.as_object_mut().expect("columns").remove(*column);
            }
        }
        assert_eq!(row, trace, "{name}");
    }
}

#[test]
fn what_came_in_goes_out_in_the_same_form() {
    assert_round_trip("slmadison.jsonl", "slmadison", &[]);
    assert_round_trip("cai.jsonl", "cai", &[]);
    assert_round_trip("cai-older.jsonl", "cai", &[]);
    // A prompt under another name goes out under both.
    assert_round_trip("langchain.json", "langchain", &["input"]);
}

#[test]
fn a_trace_says_no_more_than_it_said() {
    let place = Place::new();
    import(&place, "slmadison.jsonl");
    let rows = json_lines(&place.redraft("export -f transcripts").run().exits(0).out);
    let first = &rows[0];
    assert_eq!(first["imported"], json!({ "from": "slmadison" }));
    let provenance = first["provenance"].as_object().expect("provenance");
    assert_eq!(provenance.keys().collect::<Vec<_>>(), ["redraft"]);
    assert_eq!(first["outcome"], "revised");
    assert_eq!(first["usage"], json!({}));
    let rounds = first["rounds"].as_array().expect("rounds");
    assert_eq!(rounds.len(), 3);
    for round in rounds {
        assert_eq!(round["findings"], Value::Null);
    }
    assert_eq!(rounds[0]["principles"], json!(["harmful3"]));
    // The framing is gone, the words are not mended.
    assert_eq!(
        rounds[2]["critique_request"],
        "Say wether the answer is polite."
    );
    assert_eq!(first["draft"]["text"], "Climb up the drainpipe.");
    assert_eq!(
        rows[1]["record"]["conversation"],
        json!([
            { "role": "user", "content": "My cat is on the roof." },
            { "role": "assistant", "content": "Is it hurt?" },
            { "role": "user", "content": "No. \"Human: help\" it says." },
        ])
    );
}

#[test]
fn imported_transcripts_are_shown_counted_and_exported_like_others() {
    let place = Place::new();
    import(&place, "cai.jsonl");
    let rows = json_lines(&place.redraft("export -f transcripts").run().exits(0).out);
    let id = rows[0]["record"]["id"].as_str().expect("an id");
    place
        .redraft(&format!("show {id}"))
        .run()
        .exits(0)
        .prints("imported from cai-conversation-harmless")
        .prints("It helps to read somebody's mail.");
    place
        .redraft("stats")
        .run()
        .exits(0)
        .prints("2 records, 2 changed (100.0 %)");
    let pairs = json_lines(&place.redraft("export -f dpo").run().exits(0).out);
    assert_eq!(
        pairs[0]["chosen"][0]["content"],
        "No: give it to them unopened."
    );
    assert_eq!(pairs[0]["rejected"][0]["content"], "Hold it over a kettle.");
    place.redraft("export -f sft -o sft/").run().exits(0);
    assert!(
        place
            .read("sft/README.md")
            .contains("cai-conversation-harmless")
    );
}

#[test]
fn a_step_without_a_revision_changes_nothing() {
    let place = Place::new();
    import(&place, "langchain.json");
    let rows = json_lines(&place.redraft("export -f transcripts").run().exits(0).out);
    let rounds = rows[0]["rounds"].as_array().expect("rounds");
    assert_eq!(rounds[1]["revision"], Value::Null);
    assert_eq!(rounds[1]["kept"], false);
    assert_eq!(
        rows[0]["final"],
        json!({ "text": "Listen first, then speak.", "round": 1 })
    );
}

#[test]
fn the_same_again_changes_nothing_and_bad_rows_are_kept_with_their_line() {
    let place = Place::new();
    import(&place, "cai.jsonl");
    place
        .redraft("import --run traces")
        .arg(fixture("cai.jsonl"))
        .run()
        .exits(0)
        .says("Imported 0 transcripts")
        .says("2  there already");
    let good = &traces("cai.jsonl")[0];
    let (mut named, mut other) = (good.clone(), good.clone());
    named["id"] = json!("a");
    other["id"] = json!("a");
    other["revision_response"] = json!("Another.");
    let mut broken = good.clone();
    broken["init_response"] = json!(7);
    let stray = json!({ "input": "Q", "initial_output": "A", "steps": [], "output": "B" });
    let lines = [
        "not json".to_owned(),
        json!({ "prompt": "x" }).to_string(),
        broken.to_string(),
        String::new(),
        named.to_string(),
        other.to_string(),
        stray.to_string(),
    ];
    place.write("mixed.jsonl", lines.join("\n"));
    place
        .redraft("import mixed.jsonl --run mixed")
        .run()
        .exits(0)
        .says("Imported 1 transcript into run mixed")
        .says("5  cannot be used")
        .says("line 1: not JSON")
        .says("line 2: none of the forms")
        .says("line 3: init_response is not a text");
    let reasons = place.count("SELECT count(*) FROM rejected");
    assert_eq!(reasons, 5);
}

#[test]
fn what_cannot_be_imported_is_said() {
    let place = Place::new();
    place
        .redraft("import gone.jsonl")
        .run()
        .exits(1)
        .says("cannot read gone.jsonl");
    place.write("x.jsonl", "{}\n");
    place
        .redraft("import x.jsonl --from scrolls")
        .run()
        .exits(2)
        .says("cai-conversation-harmless");
    place.write("in.jsonl", "{\"prompt\":\"Who?\",\"answer\":\"Ann.\"}\n");
    place.redraft("run in.jsonl --run ours").run().exits(0);
    place
        .redraft("import x.jsonl --run ours")
        .run()
        .exits(1)
        .says("is no import");
}
