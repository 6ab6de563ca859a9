//! The first minutes: no key, no model, a shipped dataset, and rows that come back whole.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Place, example, json_lines, lines};

fn replies() -> String {
    example("support-replies.jsonl").display().to_string()
}

/// Where the answer of a shipped row stands: a column, or the last turn.
fn answer_place(row: &Value) -> String {
    match row["messages"].as_array() {
        Some(turns) => format!("/messages/{}/content", turns.len() - 1),
        None => "/answer".to_owned(),
    }
}

fn answer_in(row: &Value) -> &Value {
    row.pointer(&answer_place(row)).expect("an answer")
}

fn answer_in_mut(row: &mut Value) -> &mut Value {
    let place = answer_place(row);
    row.pointer_mut(&place).expect("an answer")
}

#[test]
fn the_first_command_needs_nothing_else() {
    let place = Place::new();
    let ended = place
        .redraft("run")
        .arg(replies())
        .run()
        .exits(0)
        .prints_nothing()
        .says("privacy")
        .says("since none was chosen")
        .says("Done: 240 rows read")
        .says("no-email-addresses")
        .says("One of the changed answers")
        .says("The transcripts are in redraft.db")
        .says("redraft show ");
    assert!(
        !ended.err.contains('\u{1b}'),
        "styles without a terminal; {ended}"
    );
    assert_eq!(place.count("SELECT count(*) FROM transcripts"), 240);
    assert_eq!(place.names(), ["redraft.db"], "only the store is left");
}

#[test]
fn rows_come_back_in_order_with_nothing_else_touched() {
    let place = Place::new();
    place
        .redraft("run -o out.jsonl")
        .arg(replies())
        .run()
        .exits(0)
        .says("The rows are in out.jsonl");
    let before = fs::read_to_string(replies()).expect("the shipped rows");
    let (before, after) = (json_lines(&before), place.json_lines("out.jsonl"));
    assert_eq!(before.len(), after.len());
    let mut changed = 0;
    for (before, after) in before.iter().zip(&after) {
        let mut expected = before.clone();
        let differs = answer_in(before) != answer_in(after);
        *answer_in_mut(&mut expected) = answer_in(after).clone();
        expected["redraft"] = after["redraft"].clone();
        assert_eq!(&expected, after);
        let column = after["redraft"].as_object().expect("an object");
        let keys: Vec<&str> = column.keys().map(String::as_str).collect();
        assert_eq!(keys, ["outcome", "rounds", "violated", "transcript"]);
        changed += usize::from(differs);
        assert_eq!(differs, column["violated"] != json!([]), "{after}");
    }
    assert!((40..120).contains(&changed), "{changed} changed");
    assert!(!place.has("out.jsonl.rejected.jsonl"));
}

/// Escapes, number forms and the order of columns are the user's, not ours.
#[test]
fn what_is_not_the_answer_stays_byte_for_byte() {
    let place = Place::new();
    let row = concat!(
        r#"{"z":1.50,"price":1e3,"id":"a\u0041","note":"caf\u00e9 \/ \ud83d\ude00","nest":{"b":[ 1, 2 ],"a":null},"#,
        r#""prompt":"Whom?","answer":"Write to ann@example.com.","big":123456789012345678901234567890}"#,
    );
    place.write("in.jsonl", format!("{row}\n"));
    place.redraft("run in.jsonl -o out.jsonl").run().exits(0);
    let written = place.read("out.jsonl");
    let expected = row.replace("ann@example.com", "[e-mail address]");
    let head = expected.strip_suffix('}').expect("an object");
    assert!(written.starts_with(head), "{written}\n{head}");
    let [row] = &json_lines(&written)[..] else {
        panic!("not one row: {written}");
    };
    assert_eq!(row["redraft"]["violated"], json!(["no-email-addresses"]));
    assert_eq!(row["redraft"]["outcome"], "compliant");
}

#[test]
fn rows_with_nothing_to_mend_come_back_equal() {
    let place = Place::new();
    let rows = "{\"prompt\":\"Hello?\",\"answer\":\"Hello.\"}\n{\"prompt\":\"Sure?\",\"answer\":\"Yes, 2 of 3.\"}\n";
    place.write("in.jsonl", rows);
    place.redraft("run in.jsonl -o out.jsonl").run().exits(0);
    let out = place.read("out.jsonl");
    let stripped = lines(out.lines().map(|line| {
        let (head, _) = line
            .split_once(",\"redraft\":")
            .expect("our column is the last");
        format!("{head}}}")
    }));
    assert_eq!(stripped, rows);
}

#[test]
fn every_shape_of_row_gets_its_answer_back_where_it_was() {
    let place = Place::new();
    let secret = "Mail ann@example.com.";
    let mended = "Mail [e-mail address].";
    let rows = [
        json!({ "messages": [{ "role": "user", "content": "Whom?" }, { "role": "assistant", "content": secret }] }),
        json!({ "prompt": "Whom?", "completion": secret }),
        json!({ "prompt": "Whom now?", "response": secret }),
        json!({ "chosen": format!("\n\nHuman: Whom?\n\nAssistant: {secret}"), "rejected": "\n\nHuman: Whom?\n\nAssistant: No." }),
    ];
    place.write("in.jsonl", lines(&rows));
    place.redraft("run in.jsonl -o out.jsonl").run().exits(0);
    let after = place.json_lines("out.jsonl");
    assert_eq!(after[0]["messages"][1]["content"], mended);
    assert_eq!(after[1]["completion"], mended);
    assert_eq!(after[2]["response"], mended);
    assert_eq!(
        after[3]["chosen"],
        format!("\n\nHuman: Whom?\n\nAssistant: {mended}")
    );
    assert_eq!(after[3]["rejected"], rows[3]["rejected"]);
}

#[test]
fn a_limit_takes_the_first_rows_and_a_later_run_goes_on() {
    let place = Place::new();
    place
        .redraft("run --limit 7 -o out.jsonl")
        .arg(replies())
        .run()
        .exits(0)
        .says("7 rows read");
    assert_eq!(place.json_lines("out.jsonl").len(), 7);
    place
        .redraft("run")
        .arg(replies())
        .run()
        .exits(0)
        .says("Done: 240 rows read")
        .says("7 were done before");
    assert_eq!(place.count("SELECT count(*) FROM transcripts"), 240);
    assert_eq!(place.count("SELECT count(*) FROM runs"), 1);
}

#[test]
fn machines_read_standard_output_and_people_standard_error() {
    let place = Place::new();
    let ended = place
        .redraft("run --json")
        .arg(replies())
        .run()
        .exits(0)
        .says("Done:");
    let summary = ended.json();
    assert_eq!(
        (&summary["rows"], &summary["rejected"], &summary["finished"]),
        (&json!(240), &json!(0), &json!(true))
    );
    assert_eq!(summary["statistics"]["records"], 240);
    let quiet = place
        .redraft("run --json --quiet")
        .arg(replies())
        .run()
        .exits(0);
    assert_eq!(quiet.err, "");
    assert_eq!(quiet.json()["resumed"], 240);
    let silent = place.redraft("run --quiet").arg(replies()).run().exits(0);
    assert_eq!((&*silent.out, &*silent.err), ("", ""));
}

#[test]
fn standard_input_is_read_and_standard_output_written() {
    let place = Place::new();
    let row = json!({ "id": "a", "prompt": "Whom?", "answer": "Mail ann@example.com." });
    let ended = place
        .redraft("run - -o -")
        .stdin(format!("{row}\n"))
        .run()
        .exits(0)
        .says("1 row read");
    let rows: Vec<Value> = ended.json_lines();
    assert_eq!(rows[0]["answer"], "Mail [e-mail address].");
}
