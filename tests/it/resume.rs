//! Killed at any moment and started again: nothing lost, nothing doubled, nothing asked twice.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Act, Place, Server, hash, lines, wait_until};

const COMMAND: &str = "run in.jsonl -o out.jsonl -c manners.yaml --concurrency 6";
/// Calls in flight at that concurrency: a call keeps its place until its reply is on disk.
const IN_FLIGHT: usize = 6;

/// How many calls are journalled in a store that was just killed. A copy is read: to look at the
/// store itself would mend what the next process must mend.
fn journalled(place: &Place) -> usize {
    let copy = Place::new();
    for name in ["redraft.db", "redraft.db-wal"] {
        if place.has(name) {
            fs::copy(place.path(name), copy.path(name)).expect("a copy");
        }
    }
    let known: Result<i64, _> = copy
        .store()
        .query_row("SELECT count(*) FROM calls", [], |row| row.get(0));
    // Killed before its tables were made, it holds none.
    usize::try_from(known.unwrap_or(0)).expect("a count")
}

fn write_rows(place: &Place) {
    place.write_prompts(
        "in.jsonl",
        (0..80).map(|n| match n % 4 {
            0 => format!("draft: Row {n}. !be-kind"),
            1 => format!("draft: Row {n}. !be-kind !be-brief !be-kind"),
            2 => format!("draft: Row {n}. !be-brief !stubborn"),
            _ => format!("draft: Row {n}."),
        }),
    );
}

#[test]
fn kill_at_any_moment_loses_nothing_and_asks_nothing_twice() {
    let server = Server::with(|_| Act::AnswerAfter(Duration::from_millis(8)));
    let whole = Place::with_manners();
    write_rows(&whole);
    whole.redraft(COMMAND).model(&server).run().exits(0);
    let (asked, expected) = (server.count(), whole.read("out.jsonl"));

    let place = Place::with_manners();
    write_rows(&place);
    server.forget();
    let (mut kills, mut unknown) = (0, 0);
    // How many calls had been asked, and kept, before the process that runs.
    let mut before = (0, 0);
    for attempt in 0_u64..6 {
        let until = server.count()
            + 5
            + usize::try_from(hash(&format!("kill {attempt}")) % 40).expect("small");
        let mut running = place.redraft(COMMAND).model(&server).start();
        wait_until("the moment of the kill", || {
            server.count() >= until || running.has_ended()
        });
        if running.has_ended() {
            running.end().exits(0);
            break;
        }
        running.kill();
        kills += 1;
        // What the process sent last may still be on its way to the server.
        std::thread::sleep(Duration::from_millis(30));
        // Of this process alone: what an earlier one lost may not have been asked again yet.
        let (now_asked, now_kept) = (server.count(), journalled(&place));
        let lost = (now_asked - before.0) - (now_kept - before.1);
        before = (now_asked, now_kept);
        assert!(lost <= IN_FLIGHT, "{lost} replies were not journalled");
        unknown += lost;
        assert!(!place.has("out.jsonl"), "no output before the end");
    }
    assert!(kills >= 4, "only {kills} kills");
    let ended = place.redraft(COMMAND).model(&server).run().exits(0);
    assert_eq!(place.read("out.jsonl"), expected, "{ended}");
    assert_eq!(place.transcripts(), whole.transcripts());
    assert!(
        server.repeated() <= unknown,
        "{} calls were asked again, and only {unknown} were not journalled",
        server.repeated()
    );
    assert_eq!(server.count() - server.repeated(), asked);
    assert_eq!(
        place.names(),
        ["in.jsonl", "manners.yaml", "out.jsonl", "redraft.db"]
    );
}

/// The same without models, where the disk is all there is to wait for.
#[test]
fn checks_only_runs_resume_too() {
    let rows = lines((0..2500).map(|n| {
        let answer = format!("Mail a{n}@example.com.");
        json!({ "id": n.to_string(), "prompt": "Whom?", "answer": answer })
    }));
    let whole = Place::new();
    whole.write("in.jsonl", &rows);
    whole.redraft("run in.jsonl -o out.jsonl").run().exits(0);
    let place = Place::new();
    place.write("in.jsonl", &rows);
    for wait in [40, 90, 150] {
        let running = place.redraft("run in.jsonl -o out.jsonl").start();
        std::thread::sleep(Duration::from_millis(wait));
        running.kill();
    }
    place.redraft("run in.jsonl -o out.jsonl").run().exits(0);
    assert!(
        place.read("out.jsonl") == whole.read("out.jsonl"),
        "the outputs differ"
    );
    assert_eq!(place.count("SELECT count(*) FROM transcripts"), 2500);
}

fn rows(answers: impl IntoIterator<Item = String>) -> String {
    lines(
        answers.into_iter().enumerate().map(
            |(n, answer)| json!({ "id": format!("r{n}"), "prompt": "Whom?", "answer": answer }),
        ),
    )
}

fn summary(place: &Place) -> Value {
    place.redraft("run in.jsonl --json").run().exits(0).json()
}

#[test]
fn a_finished_start_is_skipped_and_new_rows_are_done() {
    let place = Place::new();
    let answers = |count: usize| (0..count).map(|n| format!("Answer {n}."));
    place.write("in.jsonl", rows(answers(700)));
    assert_eq!(summary(&place)["resumed"], 0);
    assert_eq!(summary(&place)["resumed"], 700);
    place.write("in.jsonl", rows(answers(705)));
    let after = summary(&place);
    assert_eq!(
        (&after["resumed"], &after["rows"]),
        (&json!(700), &json!(705))
    );
    assert_eq!(place.count("SELECT count(*) FROM transcripts"), 705);
}

/// What stands before the checkpoint has changed, so nothing may be skipped unread; what is sealed
/// stays sealed, and the changed row is another record of the same name.
#[test]
fn a_changed_early_line_makes_everything_be_read_again() {
    let place = Place::new();
    let answers = || (0..300).map(|n| format!("Answer {n}.")).collect::<Vec<_>>();
    place.write("in.jsonl", rows(answers()));
    summary(&place);
    let sealed = place.transcripts();
    let mut changed = answers();
    changed[1] = "Another answer.".to_owned();
    place.write("in.jsonl", rows(changed));
    let ended = place
        .redraft("run in.jsonl --json -o out.jsonl")
        .run()
        .exits(0);
    assert_eq!(ended.json()["resumed"], 0);
    assert_eq!(place.transcripts(), sealed, "sealed records are left alone");
    let rejected = place.json_lines("out.jsonl.rejected.jsonl");
    assert_eq!(rejected.len(), 1);
    assert_eq!(rejected[0]["line"], 2);
    let reason = rejected[0]["reason"].as_str().expect("a reason");
    assert!(reason.contains("\"r1\" names other content"), "{reason}");
    assert_eq!(place.json_lines("out.jsonl").len(), 299);
}

#[test]
fn a_kill_between_rejected_rows_keeps_their_list_exact() {
    let server = Server::with(|_| Act::AnswerAfter(Duration::from_millis(5)));
    let place = Place::with_manners();
    let rows = lines((0..60).map(|n| match n % 3 {
        0 => format!("{{broken {n}"),
        _ => json!({ "prompt": format!("draft: Row {n}.") }).to_string(),
    }));
    place.write("in.jsonl", rows);
    let running = place.redraft(COMMAND).model(&server).start();
    wait_until("some calls were made", || server.count() > 40);
    running.kill();
    place
        .redraft(COMMAND)
        .model(&server)
        .run()
        .exits(0)
        .says("20 rows could not be used");
    let lines: Vec<u64> = place
        .json_lines("out.jsonl.rejected.jsonl")
        .iter()
        .map(|row| row["line"].as_u64().expect("a line"))
        .collect();
    let expected: Vec<u64> = (0..20).map(|n| 3 * n + 1).collect();
    assert_eq!(lines, expected);
    assert_eq!(place.json_lines("out.jsonl").len(), 40);
}
