//! The same run over something else: what failed, other rows, another constitution.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::support::{Act, MANNERS, Part, Place, Server, lines};

const COMMAND: &str = "run in.jsonl -o out.jsonl -c manners.yaml --concurrency 8";

fn row(n: usize) -> Value {
    json!({ "id": format!("r{n}"), "prompt": format!("draft: Row {n}. !be-kind") })
}

fn write(place: &Place, rows: impl IntoIterator<Item = usize>) {
    place.write("in.jsonl", lines(rows.into_iter().map(row)));
}

fn ids(place: &Place) -> Vec<String> {
    let rows = place.json_lines("out.jsonl");
    rows.iter()
        .map(|row| row["id"].as_str().expect("an id").to_owned())
        .collect()
}

fn names(rows: impl IntoIterator<Item = usize>) -> Vec<String> {
    rows.into_iter().map(|n| format!("r{n}")).collect()
}

/// The rows that some request was about.
fn rows_asked(server: &Server) -> BTreeSet<usize> {
    let about = |body: &Value| {
        let text = body["messages"].to_string();
        let rest = &text[text.rfind("Row ").expect("a row's text") + 4..];
        rest[..rest.find('.').expect("its end")]
            .parse()
            .expect("a number")
    };
    server
        .requests()
        .iter()
        .map(|asked| about(&asked.body))
        .collect()
}

#[test]
fn what_failed_is_done_again_and_nothing_else() {
    let down = Arc::new(AtomicBool::new(true));
    let seen = Arc::clone(&down);
    // Rows that end in 7 fail, half of them once they have their draft.
    let server = Server::with(move |asked| {
        let text = asked.body["messages"].to_string();
        let fails =
            text.contains("7. !be-kind") && (asked.part == Part::Critic || !text.contains("Row 1"));
        if fails && seen.load(Ordering::SeqCst) {
            Act::Status(400, r#"{"error":{"message":"not this one"}}"#.to_owned())
        } else {
            Act::Answer
        }
    });
    let place = Place::with_manners();
    write(&place, 0..600);
    place.redraft(COMMAND).model(&server).run().exits(3);
    let failed = place.count("SELECT count(*) FROM transcripts WHERE outcome = 'failed'");
    assert_eq!(failed, 60);
    let before = place.transcripts();

    down.store(false, Ordering::SeqCst);
    server.forget();
    place.redraft(COMMAND).model(&server).run().exits(3);
    assert_eq!(server.count(), 0, "nobody asked for them");
    place
        .redraft(&format!("{COMMAND} --retry-failed"))
        .model(&server)
        .run()
        .exits(0);
    let again: BTreeSet<usize> = (0..600).filter(|n| n % 10 == 7).collect();
    assert_eq!(rows_asked(&server), again);
    assert_eq!(server.repeated(), 0);
    // Drafts that were there are not paid for twice.
    let drafted = server.asked(Part::Drafter).len();
    let known = again
        .iter()
        .filter(|n| n.to_string().starts_with('1'))
        .count();
    assert_eq!(drafted, 60 - known);
    let after = place.transcripts();
    assert_eq!(after.len(), 600);
    let untouched = before
        .iter()
        .zip(&after)
        .filter(|((id, old), (_, new))| !id.ends_with('7') && old == new);
    assert_eq!(untouched.count(), 540);
}

#[test]
fn a_changed_dataset_goes_on_with_the_same_run() {
    let server = Server::start();
    let place = Place::with_manners();
    write(&place, 0..400);
    place.redraft(COMMAND).model(&server).run().exits(0);

    // Reordered, without every fourth row, and with forty new ones among them.
    let mut changed: Vec<usize> = (0..400).rev().filter(|n| n % 4 != 0).collect();
    for n in 0..40 {
        changed.insert(n * 7, 1000 + n);
    }
    write(&place, changed.iter().copied());
    server.forget();
    let ended = place
        .redraft(&format!("{COMMAND} --json"))
        .model(&server)
        .run()
        .exits(0);
    let summary = ended.json();
    assert_eq!(summary["rows"], 340);
    assert_eq!(summary["doubled"], 0);
    assert_eq!(rows_asked(&server), (1000..1040).collect());
    assert_eq!(ids(&place), names(changed));
    assert_eq!(place.count("SELECT count(*) FROM runs"), 1);
    assert_eq!(place.count("SELECT count(*) FROM transcripts"), 440);

    // Nothing of those that are back is asked again.
    write(&place, 0..400);
    server.forget();
    place.redraft(COMMAND).model(&server).run().exits(0);
    assert_eq!(server.count(), 0);
    assert_eq!(ids(&place), names(0..400));
}

#[test]
fn a_changed_constitution_makes_only_the_calls_that_it_changes() {
    let server = Server::start();
    let place = Place::with_manners();
    write(&place, 0..50);
    place.redraft(COMMAND).model(&server).run().exits(0);
    let drafts = server.asked(Part::Drafter).len();
    assert_eq!(drafts, 50);
    let before: BTreeSet<String> = server
        .requests()
        .iter()
        .map(|asked| asked.body.to_string())
        .collect();

    place.write(
        "manners.yaml",
        MANNERS.replace("could be left out without loss", "could be shorter"),
    );
    server.forget();
    place
        .redraft(COMMAND)
        .model(&server)
        .run()
        .exits(0)
        .says("a new run, because")
        .says("this changed: constitution");
    assert_eq!(place.count("SELECT count(*) FROM runs"), 2);
    assert_eq!(server.asked(Part::Drafter).len(), 0, "drafts are known");
    assert!(!server.asked(Part::Critic).is_empty());
    for asked in server.requests() {
        assert!(!before.contains(&asked.body.to_string()), "asked before");
    }
    let calls = place.count("SELECT count(*) FROM calls");
    assert_eq!(
        usize::try_from(calls).ok(),
        Some(before.len() + server.count())
    );

    // Back again: all of it is known.
    place.write("manners.yaml", MANNERS);
    server.forget();
    place
        .redraft(&format!("{COMMAND} --run back"))
        .model(&server)
        .run()
        .exits(0);
    assert_eq!(server.count(), 0);
}
