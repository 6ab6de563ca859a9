//! What waits for people, and what becomes of what they decide.

use serde_json::{Value, json};

use crate::support::{Place, Server, lines};

const RECIPE: &str = "recipe: { rounds: 1, hold: { severity: high, unresolved: true } }\n";

/// A run of four records: two clean ones, one that was mended, and one that was not.
fn held(recipe: &str) -> (Place, Server) {
    let (place, server) = (Place::with_manners(), Server::start());
    place.write("redraft.yaml", recipe);
    let row = |id: &str, text: &str| json!({ "id": id, "prompt": format!("draft: {text}") });
    let rows = [
        row("clean", "Kind."),
        row("also-clean", "Nice."),
        row("mended", "Rude. !be-kind"),
        row("stubborn", "Rude. !be-kind !stubborn"),
    ];
    place.write("in.jsonl", lines(rows));
    place
        .redraft("run in.jsonl -c manners.yaml --run first")
        .model(&server)
        .run()
        .exits(0);
    (place, server)
}

fn decide(place: &Place, arguments: &str) {
    let command = format!("review decide --run first {arguments}");
    place.redraft(&command).run().exits(0);
}

fn standing(place: &Place) -> Vec<(String, String)> {
    let ended = place.redraft("review list first --json").run().exits(0);
    let row = |row: Value| {
        let text = |name: &str| row[name].as_str().expect("text").to_owned();
        (text("record"), text("standing"))
    };
    let mut rows: Vec<_> = ended.json_lines().into_iter().map(row).collect();
    rows.sort();
    rows
}

fn export(place: &Place, more: &str) -> Vec<Value> {
    let command = format!("export first -f sft {more}");
    let mut rows = place.redraft(&command).run().exits(0).json_lines();
    rows.sort_by_key(|row| row["messages"][1]["content"].to_string());
    rows
}

fn answers(rows: &[Value]) -> Vec<&str> {
    rows.iter()
        .map(|row| row["messages"][1]["content"].as_str())
        .map(|answer| answer.expect("an answer"))
        .collect()
}

#[test]
fn held_records_wait_and_are_exported_once_people_approve_them() {
    let (place, _) = held(RECIPE);
    let waiting = [("mended", "waiting"), ("stubborn", "waiting")];
    let waiting = waiting.map(|(record, how)| (record.to_owned(), how.to_owned()));
    assert_eq!(standing(&place), waiting);
    let transcript = place.redraft("show mended --json").run().exits(0).json();
    assert_eq!(transcript["outcome"], "held");
    assert_eq!(
        transcript["held"],
        json!({ "reasons": ["severity"], "otherwise": "compliant", "reviewers": 1 })
    );
    assert_eq!(answers(&export(&place, "")), ["Kind.", "Nice."]);

    decide(&place, "mended --approve --author ann --note fine");
    place.write("by-hand.txt", "Kinder.");
    decide(&place, "stubborn --edit by-hand.txt --author ann");
    let all = ["Kind.", "Kinder.", "Nice.", "Rude."];
    assert_eq!(answers(&export(&place, "")), all);
    assert_eq!(answers(&export(&place, "--decision edited")), ["Kinder."]);
    let people = "--decision approved,edited";
    assert_eq!(answers(&export(&place, people)), ["Kinder.", "Rude."]);
    assert_eq!(
        answers(&export(&place, "--decision undecided")),
        ["Kind.", "Nice."]
    );

    decide(&place, "mended --reject --author ann");
    assert_eq!(answers(&export(&place, "")), ["Kind.", "Kinder.", "Nice."]);
    let standings = standing(&place);
    assert_eq!(
        standings[0].1, "rejected",
        "the later decision of a person counts"
    );
}

#[test]
fn decisions_are_leaves_of_the_tree_and_nothing_sealed_changes() {
    let (place, _) = held(RECIPE);
    let before = place.transcripts();
    place.redraft("audit verify").run().exits(0);
    decide(&place, "mended --choose 0 --author ann");
    assert_eq!(place.transcripts(), before);
    place.redraft("audit verify").run().exits(0);
    assert_eq!(
        answers(&export(&place, "--decision approved")),
        ["Rude. !be-kind"]
    );
    let forge =
        "UPDATE leaves SET entry = replace(entry, 'ann', 'eve') WHERE entry LIKE '%review%'";
    place.store().execute(forge, []).expect("an edited event");
    place.redraft("audit verify").run().exits(1);
}

#[test]
fn several_people_must_agree_or_somebody_adjudicates() {
    let (place, _) = held("recipe: { rounds: 1, hold: { unresolved: true, reviewers: 2 } }\n");
    let how = || standing(&place).remove(0).1;
    decide(&place, "stubborn --approve --author ann");
    decide(&place, "stubborn --approve --author ann");
    assert_eq!(how(), "waiting", "one person twice is one person");
    decide(&place, "stubborn --reject --author bob");
    assert_eq!(how(), "disputed");
    decide(&place, "stubborn --reject --author cleo --adjudicate");
    assert_eq!(how(), "rejected");
}

#[test]
fn reviews_travel_and_are_added_once() {
    let (place, _) = held(RECIPE);
    decide(
        &place,
        "mended --approve --author ann --verdict be-kind=violates --blind",
    );
    place
        .redraft("review export first -o reviews.jsonl")
        .run()
        .exits(0);
    let (other, _) = held(RECIPE);
    other.write("reviews.jsonl", place.read("reviews.jsonl"));
    let import = "review import reviews.jsonl --run first";
    other.redraft(import).run().exits(0).says("1 review added");
    other.redraft(import).run().exits(0).says("1 there already");
    assert_eq!(standing(&other)[0].1, "approved");

    let bent = place
        .read("reviews.jsonl")
        .replace("\"mended\"", "\"stubborn\"");
    other.write("bent.jsonl", bent);
    other
        .redraft("review import bent.jsonl --run first")
        .run()
        .exits(1)
        .says("bent.jsonl, line 1")
        .says("about another transcript");
}

#[test]
fn the_critic_is_measured_by_what_people_say() {
    let (place, _) = held("recipe: { rounds: 1, hold: { sample: 1.0 } }\n");
    for record in ["mended", "stubborn"] {
        decide(
            &place,
            &format!("{record} --approve --author ann --blind --verdict be-kind=violates"),
        );
    }
    decide(
        &place,
        "clean --reject --author ann --verdict be-kind=violates",
    );
    decide(
        &place,
        "also-clean --approve --author ann --verdict be-kind=complies",
    );
    let stats = place.redraft("stats first --json").run().exits(0).json();
    let kind = &stats["critic_against_people"]["be-kind"];
    assert_eq!(kind["precision"], 1.0);
    assert_eq!(kind["recall"], json!(2.0 / 3.0));
    assert_eq!(kind["agreement"]["agreed"], 3);
    assert_eq!(kind["sampled"], 4);
    let told = place.redraft("stats first").run().exits(0);
    told.prints("The critic against people");
}

#[test]
fn a_decision_that_does_not_fit_is_refused() {
    let (place, _) = held(RECIPE);
    let refused = |arguments: &str, code: i32, why: &str| {
        let command = format!("review decide --run first --author ann {arguments}");
        place.redraft(&command).run().exits(code).says(why);
    };
    refused("mended --choose 7", 1, "no text of round 7");
    refused("nobody --approve", 1, "has no transcript of nobody");
    refused("mended", 2, "--approve");
    refused("mended --approve --verdict be-kind=maybe", 2, "ID=violates");
    refused("mended --approve --verdict be-odd=violates", 1, "be-odd");
    place
        .redraft("run in.jsonl -c manners.yaml --config wrong.yaml")
        .run()
        .exits(2);
    place.write("wrong.yaml", "recipe: { hold: { sample: 2 } }\n");
    let wrong = place.redraft("run in.jsonl -c manners.yaml --config wrong.yaml");
    wrong.run().exits(2).says("`hold: sample` is a share");
}
