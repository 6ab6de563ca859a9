//! Several transcripts for each row: apart from one another, and more of them later.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{BreaksContract, Part, Place, Server, lines};

const COMMAND: &str = "run in.jsonl -o out.jsonl -c manners.yaml --concurrency 4";

fn place() -> Place {
    let place = Place::with_manners();
    let row = |n: usize| match n % 5 {
        4 => format!("{{broken {n}"),
        _ => {
            json!({ "id": format!("r{n}"), "prompt": format!("draft: Row {n}. !be-kind"), "n": n })
                .to_string()
        }
    };
    place.write("in.jsonl", lines((0..25).map(row)));
    place
}

fn column<'a>(rows: &'a [Value], name: &str) -> Vec<&'a Value> {
    rows.iter().map(|row| &row["redraft"][name]).collect()
}

#[test]
fn a_larger_number_of_samples_asks_only_for_the_new_ones() {
    let server = Server::start();
    let place = place();
    place.redraft(COMMAND).model(&server).run().exits(0);
    let (once, alone) = (server.count(), place.json_lines("out.jsonl"));
    assert_eq!(alone.len(), 20);
    assert!(
        column(&alone, "sample")
            .iter()
            .all(|sample| sample.is_null())
    );
    let first = place.transcripts();

    server.forget();
    let ended = place
        .redraft(&format!("{COMMAND} --samples 3 --json"))
        .model(&server)
        .run()
        .exits(0)
        .says("5 rows could not be used");
    // The wire does not tell samples apart, so that each body comes as often as there are new ones.
    assert_eq!(server.count(), 2 * once);
    assert_eq!(server.repeated(), once);
    let summary = ended.json();
    assert_eq!(summary["rows"], 25);
    assert_eq!(summary["rejected"], 5);
    assert_eq!(summary["doubled"], 0);
    assert_eq!(summary["statistics"]["records"], 60);
    assert_eq!(place.count("SELECT count(*) FROM runs"), 1);

    let rows = place.json_lines("out.jsonl");
    let order: Vec<(&Value, &Value)> = rows
        .iter()
        .map(|row| (&row["n"], &row["redraft"]["sample"]))
        .collect();
    let expected: Vec<(Value, Value)> = (0..25)
        .filter(|n| n % 5 != 4)
        .flat_map(|n| (1..=3).map(move |sample| (json!(n), json!(sample))))
        .collect();
    let expected: Vec<(&Value, &Value)> = expected.iter().map(|(n, sample)| (n, sample)).collect();
    assert_eq!(order, expected);
    let kept: Vec<(String, String)> = place
        .transcripts()
        .into_iter()
        .filter(|(record, _)| !record.contains('#'))
        .collect();
    assert_eq!(kept, first, "the first samples are left alone");
    assert_eq!(place.json_lines("out.jsonl.rejected.jsonl").len(), 5);

    server.forget();
    place
        .redraft(&format!("{COMMAND} --samples 3"))
        .model(&server)
        .run()
        .exits(0);
    place.redraft(COMMAND).model(&server).run().exits(0);
    assert_eq!(server.count(), 0, "all of it is known");
    assert_eq!(place.json_lines("out.jsonl"), alone);
}

/// Asking again for one sample is not another sample.
#[test]
fn samples_and_repeated_requests_do_not_share_calls() {
    let breaks = BreaksContract(3);
    let server = Server::with(move |asked| breaks.act(asked));
    let place = place();
    let command = format!("{COMMAND} --samples 2 --max-tokens 500");
    let ended = place
        .redraft(&format!("{command} --json"))
        .model(&server)
        .run();
    let again = &ended.json()["statistics"]["contract_retries"];
    assert!(again.as_u64() > Some(0), "{ended}");
    let calls = place.count("SELECT count(*) FROM calls");
    assert_eq!(usize::try_from(calls).ok(), Some(server.count()));
    let drafts = server.asked(Part::Drafter);
    assert_eq!(drafts.len(), 40, "each sample has a draft of its own");
    let keys: BTreeSet<String> = place
        .transcripts()
        .iter()
        .map(|(_, body)| {
            let transcript: Value = serde_json::from_str(body).expect("a transcript");
            transcript["draft"]["call"].to_string()
        })
        .collect();
    assert_eq!(keys.len(), 40);
}

/// The draws of the paper's recipe are made anew for each sample.
#[test]
fn samples_draw_apart() {
    let server = Server::start();
    let place = Place::with_manners();
    place.write_prompts("in.jsonl", (0..12).map(|n| format!("draft: Row {n}.")));
    place
        .redraft("run in.jsonl -c manners.yaml --recipe cai --samples 2")
        .model(&server)
        .run()
        .exits(0);
    let drawn = |id: &str| -> Vec<Value> {
        let transcripts = place.transcripts();
        let (_, body) = transcripts
            .iter()
            .find(|(record, _)| record == id)
            .expect("a transcript");
        let transcript: Value = serde_json::from_str(body).expect("a transcript");
        let rounds = transcript["rounds"].as_array().expect("rounds").clone();
        rounds
            .into_iter()
            .map(|round| round["principles"].clone())
            .collect()
    };
    let differ = (1..=12).filter(|n| drawn(&format!("r{n}")) != drawn(&format!("r{n}#2")));
    assert!(differ.count() >= 6, "four draws of two are seldom the same");
}
