//! Rows that are not what they should be: counted, named by line, listed beside the output, and
//! never the end of the others.

use serde_json::{Value, json};

use crate::support::{Place, Server, lines};

const GOOD: &str = r#"{"id":"good","prompt":"Whom?","answer":"Mail ann@example.com."}"#;

/// Runs one bad line between two good ones, and gives what the sidecar says about it.
#[track_caller]
fn rejection(bad: &[u8]) -> Value {
    let place = Place::new();
    let mut rows = GOOD.as_bytes().to_vec();
    rows.push(b'\n');
    rows.extend_from_slice(bad);
    rows.extend_from_slice(b"\n{\"prompt\":\"And?\",\"answer\":\"Fine.\"}\n");
    place.write("in.jsonl", rows);
    let ended = place
        .redraft("run in.jsonl -o out.jsonl")
        .run()
        .exits(0)
        .says("3 rows read")
        .says("1 row could not be used")
        .says("line 2: ")
        .says("out.jsonl.rejected.jsonl");
    let out = place.json_lines("out.jsonl");
    assert_eq!(out.len(), 2, "{ended}");
    assert_eq!(out[0]["answer"], "Mail [e-mail address].");
    let rejected = place.json_lines("out.jsonl.rejected.jsonl");
    assert_eq!(rejected.len(), 1);
    assert_eq!(rejected[0]["line"], 2);
    rejected[0].clone()
}

#[track_caller]
fn is_rejected(bad: impl AsRef<[u8]>, reason: &str) {
    let row = rejection(bad.as_ref());
    let said = row["reason"].as_str().expect("a reason");
    assert!(said.contains(reason), "{said:?} does not say {reason:?}");
    assert!(row["excerpt"].is_string());
}

#[test]
fn not_json() {
    is_rejected("{\"prompt\": oops}", "not JSON");
    is_rejected("{\"prompt\": \"cut off", "not JSON");
}

#[test]
fn not_an_object() {
    is_rejected("[1, 2]", "not a JSON object but a list");
    is_rejected("\"text\"", "not a JSON object but text");
}

#[test]
fn no_text() {
    is_rejected(
        r#"{"id": "x", "note": "nothing to answer"}"#,
        "no text: has none of messages, conversations, prompt, instruction",
    );
    is_rejected(r#"{"messages": []}"#, "empty list");
}

#[test]
fn wrong_types() {
    is_rejected(
        r#"{"prompt": 7, "answer": "x"}"#,
        "the column `prompt` is a number, expected",
    );
    is_rejected(
        r#"{"prompt": "Hi", "answer": {"text": "x"}}"#,
        "the column `answer` is an object",
    );
    is_rejected(
        r#"{"messages": [{"role": "wizard", "content": "x"}]}"#,
        "has the role `wizard`",
    );
}

#[test]
fn invalid_utf8() {
    is_rejected(b"{\"prompt\": \"caf\xe9\"}", "not valid UTF-8 at byte");
}

#[test]
fn a_line_of_50_mb() {
    let text = "x".repeat(50 << 20);
    is_rejected(
        format!(r#"{{"prompt": "Hi", "answer": "{text}"}}"#),
        "at most 16777216 are read",
    );
}

#[test]
fn no_answer_and_nobody_to_write_one() {
    is_rejected(
        r#"{"prompt": "Hi"}"#,
        "it has no answer, and no model is there to write one",
    );
}

/// The second one is read while the first is in flight.
#[test]
fn equal_rows_without_an_answer_are_each_rejected() {
    let place = Place::new();
    let row = r#"{"prompt":"Hi"}"#;
    place.write("in.jsonl", format!("{GOOD}\n{row}\n{row}\n{row}\n"));
    place
        .redraft("run in.jsonl -o out.jsonl")
        .run()
        .exits(0)
        .says("3 rows could not be used");
    let lines: Vec<Value> = place
        .json_lines("out.jsonl.rejected.jsonl")
        .iter()
        .map(|row| row["line"].clone())
        .collect();
    assert_eq!(lines, [2, 3, 4]);
}

#[test]
fn marks_and_line_ends_of_other_systems_are_simply_read() {
    for (name, text) in [
        ("byte order mark", format!("\u{feff}{GOOD}\n")),
        (
            "CRLF",
            format!("{GOOD}\r\n{{\"prompt\":\"And?\",\"answer\":\"Fine.\"}}\r\n"),
        ),
        ("no last line end", GOOD.to_owned()),
        ("empty last line", format!("{GOOD}\n\n")),
        (
            "empty lines between",
            format!("\n{GOOD}\n\n{{\"prompt\":\"And?\",\"answer\":\"Fine.\"}}\n"),
        ),
    ] {
        let place = Place::new();
        place.write("in.jsonl", text);
        let ended = place.redraft("run in.jsonl -o out.jsonl").run();
        assert_eq!(ended.code, Some(0), "{name}: {ended}");
        assert!(!ended.err.contains("could not be used"), "{name}: {ended}");
        assert_eq!(
            place.json_lines("out.jsonl")[0]["answer"],
            "Mail [e-mail address].",
            "{name}"
        );
        assert!(!place.has("out.jsonl.rejected.jsonl"), "{name}");
    }
}

#[test]
fn an_empty_file_is_a_run_of_no_rows() {
    let place = Place::new();
    place.write("in.jsonl", "");
    place
        .redraft("run in.jsonl -o out.jsonl")
        .run()
        .exits(0)
        .says("0 rows read");
    assert_eq!(place.read("out.jsonl"), "");
}

#[test]
fn twenty_bad_rows_and_no_good_one_are_no_dataset() {
    let place = Place::new();
    let bad = "{\"note\":1}\n";
    place.write("in.jsonl", bad.repeat(20) + GOOD);
    place
        .redraft("run in.jsonl -o out.jsonl")
        .run()
        .exits(1)
        .says("none of the first 20 rows can be used")
        .says("line 1: no text");
    assert!(!place.has("out.jsonl"));
    place.write("in.jsonl", bad.repeat(19) + GOOD + "\n" + &bad.repeat(30));
    place
        .redraft("run in.jsonl -o out.jsonl")
        .run()
        .exits(0)
        .says("49 rows could not be used");
    assert_eq!(place.json_lines("out.jsonl").len(), 1);
    assert_eq!(place.json_lines("out.jsonl.rejected.jsonl").len(), 49);
}

#[test]
fn a_limit_on_bad_rows_holds() {
    let place = Place::new();
    place.write("in.jsonl", format!("{GOOD}\n[]\n[]\n[]\n"));
    place
        .redraft("run in.jsonl --max-bad-rows 2")
        .run()
        .exits(1)
        .says("3 rows cannot be used, and at most 2 may be")
        .says("in line 4");
    place
        .redraft("run in.jsonl --max-bad-rows 3")
        .run()
        .exits(0);
}

#[test]
fn one_id_with_one_content_is_one_record_written_twice() {
    let place = Place::new();
    place.write("in.jsonl", format!("{GOOD}\n{GOOD}\n"));
    let ended = place
        .redraft("run in.jsonl -o out.jsonl --json")
        .run()
        .exits(0);
    assert_eq!(ended.json()["doubled"], 1);
    let out = place.json_lines("out.jsonl");
    assert_eq!(out.len(), 2);
    assert_eq!(out[0], out[1]);
    assert_eq!(place.count("SELECT count(*) FROM transcripts"), 1);
}

#[test]
fn one_id_with_two_contents_is_an_error_that_names_both_lines() {
    let other = r#"{"id":"good","prompt":"Whom?","answer":"Somebody else."}"#;
    is_rejected(other, r#"the id "good" names other content in line 1"#);
    // Far apart, the first one is sealed long before the second is read.
    let place = Place::new();
    let between = lines((0..2000).map(|n| json!({ "prompt": n.to_string(), "answer": "Fine." })));
    place.write("in.jsonl", format!("{GOOD}\n{between}{other}\n"));
    place
        .redraft("run in.jsonl -o out.jsonl")
        .run()
        .exits(0)
        .says(r#"line 2002: the id "good" names other content in line 1"#);
}

/// One bad record costs one record: with a model as without.
#[test]
fn the_sidecar_goes_with_the_model_too_and_is_gone_when_all_is_well() {
    let server = Server::start();
    let place = Place::with_manners();
    place.write("in.jsonl", "{\"prompt\":\"draft: One.\"}\nnonsense\n");
    let command = "run in.jsonl -o out.jsonl -c manners.yaml";
    place.redraft(command).model(&server).run().exits(0);
    assert_eq!(place.json_lines("out.jsonl.rejected.jsonl").len(), 1);
    place.write("in.jsonl", "{\"prompt\":\"draft: One.\"}\n");
    place.redraft(command).model(&server).run().exits(0);
    assert!(
        !place.has("out.jsonl.rejected.jsonl"),
        "the list of an earlier run stays"
    );
}

#[test]
fn prompts_without_a_model_are_no_dataset() {
    let place = Place::new();
    place.write_prompts("in.jsonl", (0..30).map(|n| n.to_string()));
    place
        .redraft("run in.jsonl")
        .run()
        .exits(1)
        .says("none of the first 20 rows can be used")
        .says("it has no answer, and no model is there to write one");
}
