//! Whole runs through files and batches: the same result as online, whatever becomes of a batch,
//! and nothing paid for twice.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::{BatchServer, Course, Create, End, Part, Place, RowAct, Server, wait_until};

const COMMAND: &str = "run in.jsonl -o out.jsonl -c manners.yaml";

fn prompts(count: usize) -> Vec<String> {
    let prompt = |n: usize| match n % 4 {
        0 => format!("draft: Row {n}. !be-kind"),
        1 => format!("draft: Row {n}. !be-kind !be-brief"),
        2 => format!("draft: Row {n}. !be-brief !stubborn"),
        _ => format!("draft: Row {n}."),
    };
    (0..count).map(prompt).collect()
}

/// A folder with rows, and settings that use this server.
fn place(server: &BatchServer, rows: usize) -> Place {
    let place = Place::with_manners();
    place.write_prompts("in.jsonl", prompts(rows));
    place.write("redraft.yaml", server.settings());
    place
}

/// What the same run gives without batches, and how many calls that takes.
fn online(rows: usize) -> (Place, usize) {
    let server = Server::start();
    let place = Place::with_manners();
    place.write_prompts("in.jsonl", prompts(rows));
    place.write(
        "redraft.yaml",
        format!(
            "models: {{ stub: {{ model: stub, base_url: \"{}\", structured: json_schema }} }}\n",
            server.url()
        ),
    );
    place.redraft(COMMAND).run().exits(0);
    (place, server.count())
}

#[track_caller]
fn assert_same(place: &Place, online: &Place) {
    assert_eq!(place.read("out.jsonl"), online.read("out.jsonl"));
    assert_eq!(place.transcripts(), online.transcripts());
}

#[test]
fn a_run_in_batches_gives_what_a_run_online_gives() {
    let server = BatchServer::start();
    let (online, calls) = online(24);
    let place = place(&server, 24);
    place.redraft(COMMAND).run().exits(0);
    assert_same(&place, &online);
    assert_eq!((server.paid(), server.paid_twice()), (calls, 0));
    let batches = server.batches();
    assert_eq!(batches.iter().sum::<usize>(), calls);
    assert!(
        batches.len() < calls / 2,
        "calls did not gather: {batches:?}"
    );
    // Everything is journalled, so a second start asks for nothing.
    place.redraft(COMMAND).run().exits(0);
    assert_eq!(server.batches(), batches);
    // One more row: its batches may still be noted, and no earlier one.
    place.write_prompts("in.jsonl", prompts(25));
    place.redraft(COMMAND).run().exits(0);
    let new = server.batches().len() - batches.len();
    let noted = place.count("SELECT count(*) FROM notes WHERE name LIKE 'batch %'");
    assert!(
        usize::try_from(noted).expect("a count") <= new,
        "{noted} batches are noted, and only {new} are new"
    );
    assert_eq!(server.paid_twice(), 0);
}

#[test]
fn the_flag_batches_a_model_that_has_no_such_setting() {
    let server = BatchServer::with(
        |_, _| Course {
            looks: 0,
            ..Course::to(End::Completed)
        },
        |_| RowAct::Answer,
    );
    let place = place(&server, 0);
    place.write("in.jsonl", r#"{ "prompt": "Whom?", "answer": "Nobody." }"#);
    let plain = server.settings().replace(
        "batch: { gather_seconds: 0.3, poll_seconds: 0.05 }",
        "structured: auto",
    );
    place.write("redraft.yaml", plain);
    place.redraft(COMMAND).arg("--batch").run().exits(0);
    assert_eq!(server.batches(), [1]);
}

#[test]
fn rows_that_fail_fail_alone_and_what_may_pass_goes_into_the_next_batch() {
    let server = BatchServer::with(
        |_, _| Course::to(End::Completed),
        |asked| {
            let text = asked.body["messages"].to_string();
            match asked.before {
                _ if text.contains("Row 7.") && asked.part == Part::Drafter => {
                    RowAct::Refuse(400, "that prompt is not allowed")
                }
                0 if text.contains("Row 0.") => RowAct::Refuse(429, "slow down"),
                0 if text.contains("Row 1.") => RowAct::Refuse(500, "oops"),
                0 if text.contains("Row 2.") => RowAct::Leave,
                0 if text.contains("Row 3.") => RowAct::Garble,
                _ if text.contains("Row 4.") => RowAct::AnswerTwice,
                _ => RowAct::Answer,
            }
        },
    );
    let (online, calls) = online(8);
    let place = place(&server, 8);
    let ended = place.redraft(COMMAND).run().exits(3);
    let ended = ended.says("that prompt is not allowed");
    assert_eq!(server.paid_twice(), 0, "{ended}");
    let (rows, expected) = (
        place.json_lines("out.jsonl"),
        online.json_lines("out.jsonl"),
    );
    assert_eq!(rows[..7], expected[..7]);
    assert_eq!(rows[7]["redraft"]["outcome"], "failed");
    assert!(server.worked() > calls, "nothing was submitted again");
}

#[test]
fn expired_and_cancelled_batches_are_made_good_by_the_next() {
    for end in ["expired", "cancelled"] {
        let server = BatchServer::with(
            move |number, _| {
                Course::to(match (number, end) {
                    (0, "expired") => End::Expired,
                    (0, _) => End::Cancelled,
                    _ => End::Completed,
                })
            },
            |asked| {
                let odd = asked.body.to_string().len() % 2 == 1;
                if asked.before == 0 && asked.part == Part::Drafter && odd {
                    RowAct::Leave
                } else {
                    RowAct::Answer
                }
            },
        );
        let (online, calls) = online(12);
        let place = place(&server, 12);
        place.redraft(COMMAND).run().exits(0);
        assert_same(&place, &online);
        assert_eq!((server.paid(), server.paid_twice()), (calls, 0), "{end}");
        assert!(server.worked() > calls, "{end}");
    }
}

#[test]
fn a_request_whose_batches_are_cancelled_again_and_again_fails() {
    let server = BatchServer::with(|_, _| Course::to(End::Cancelled), |_| RowAct::Leave);
    let place = place(&server, 2);
    place
        .redraft(COMMAND)
        .run()
        .exits(3)
        .says("two batches with this request were cancelled");
    assert_eq!(server.worked(), 4);
}

#[test]
fn a_refused_file_costs_its_bad_lines_only() {
    let server = BatchServer::with(
        |number, _| {
            Course::to(match number {
                0 => End::Failed(vec![(Some(2), "invalid_request", "line 2 is wrong")]),
                _ => End::Completed,
            })
        },
        |_| RowAct::Answer,
    );
    let place = place(&server, 6);
    place
        .redraft(COMMAND)
        .run()
        .exits(3)
        .says("line 2 is wrong");
    let failed = place.json_lines("out.jsonl");
    let failed = failed
        .iter()
        .filter(|row| row["redraft"]["outcome"] == "failed");
    assert_eq!(failed.count(), 1);
    assert_eq!(server.paid_twice(), 0);
}

#[test]
fn a_full_queue_makes_batches_smaller() {
    let server = BatchServer::with(
        |number, rows| {
            if number < 9 && rows > 3 {
                let message = "Enqueued token limit reached for stub in organization x.";
                Course::to(End::Failed(vec![(None, "token_limit_exceeded", message)]))
            } else {
                Course::to(End::Completed)
            }
        },
        |_| RowAct::Answer,
    );
    let (online, calls) = online(12);
    let place = place(&server, 12);
    place.redraft(COMMAND).run().exits(0);
    assert_same(&place, &online);
    assert_eq!((server.paid(), server.paid_twice()), (calls, 0));
    let batches = server.batches();
    assert!(batches.iter().any(|rows| *rows <= 3), "{batches:?}");
}

#[test]
fn a_provider_that_refuses_batches_ends_the_run_at_once() {
    let refusing = BatchServer::with(
        |_, _| {
            Course::to(End::Failed(vec![(
                None,
                "billing",
                "the account has no credit",
            )]))
        },
        |_| RowAct::Answer,
    );
    let place = place(&refusing, 6);
    place
        .redraft(COMMAND)
        .run()
        .exits(1)
        .says("the account has no credit");
    assert_eq!(place.count("SELECT count(*) FROM transcripts"), 0);

    // A server that only knows completions.
    let server = Server::start();
    let place = Place::with_manners();
    place.write_prompts("in.jsonl", prompts(2));
    let ended = place.redraft(COMMAND).arg("--batch").model(&server).run();
    ended.exits(1).says("leave `batch` out");
    assert_eq!(place.count("SELECT count(*) FROM transcripts"), 0);
}

#[test]
fn a_provider_that_is_away_for_a_while_is_waited_for() {
    let server = BatchServer::with(
        |_, _| Course {
            looks: 6,
            ..Course::to(End::Completed)
        },
        |_| RowAct::Answer,
    );
    let place = place(&server, 3);
    let running = place.redraft(COMMAND).start();
    wait_until("a batch was looked at", || server.looks() > 0);
    server.fail_looks(2);
    running.end().exits(0);
    assert_eq!(server.paid_twice(), 0);
}

#[test]
fn a_killed_run_takes_its_batches_up_again() {
    let (online, calls) = online(24);
    let server = BatchServer::with(
        |_, _| Course {
            looks: 8,
            ..Course::to(End::Completed)
        },
        |_| RowAct::Answer,
    );
    let place = place(&server, 24);
    for kill in 1..=4 {
        let running = place.redraft(COMMAND).start();
        let (looks, batches) = (server.looks(), server.batches().len());
        // Each process dies at another moment: just after making a batch, or while it waits.
        wait_until("a batch is on its way", || {
            server.looks() >= looks + 2 * kill && server.batches().len() > batches.min(kill / 2)
        });
        running.kill();
    }
    place.redraft(COMMAND).run().exits(0);
    assert_same(&place, &online);
    assert_eq!((server.paid(), server.paid_twice()), (calls, 0));
}

#[test]
fn a_run_that_leaves_batches_behind_says_so() {
    let server = BatchServer::with(
        |_, _| Course {
            looks: u32::MAX,
            ..Course::to(End::Completed)
        },
        |_| RowAct::Answer,
    );
    let place = place(&server, 4);
    let running = place.redraft(COMMAND).start();
    wait_until("a batch was looked at", || server.looks() > 1);
    running.kill();

    let online = Server::start();
    let settings = |url: &str, more: &str| {
        format!("models: {{ stub: {{ model: stub, base_url: \"{url}\"{more} }} }}\n")
    };
    place.write("redraft.yaml", settings(online.url(), ""));
    place
        .redraft(COMMAND)
        .run()
        .exits(0)
        .says("4 requests to stub wait in batches");

    place.write(
        "redraft.yaml",
        settings("http://a/v1,http://b/v1", ", batch: true"),
    );
    let refused = place.redraft(COMMAND).arg("--fresh").run().exits(2);
    refused.says("batches go to one address");
}

#[test]
fn an_account_that_is_spent_in_the_midst_of_a_batch_stops_the_run_and_is_asked_again() {
    let server = BatchServer::with(
        |_, _| Course::to(End::Completed),
        |asked| match asked.before {
            0 if asked.part == Part::Drafter && asked.body.to_string().contains("Row 1.") => {
                RowAct::Refuse(429, "insufficient_quota")
            }
            _ => RowAct::Answer,
        },
    );
    let place = place(&server, 4);
    place
        .redraft(COMMAND)
        .run()
        .exits(1)
        .says("nothing left to spend");
    place.redraft(COMMAND).run().exits(0);
    assert_eq!(server.paid_twice(), 0);
}

/// A process that dies while it makes a batch: whether that came to pass is found out.
#[test]
fn a_batch_of_which_nobody_heard_is_found_or_made_anew() {
    let (online, calls) = online(8);
    for create in [Create::HangAfter, Create::HangBefore, Create::BreakAfter] {
        let asked = std::sync::Arc::new(AtomicUsize::new(0));
        let count = std::sync::Arc::clone(&asked);
        let server = BatchServer::with(
            move |_, _| Course {
                create: match count.fetch_add(1, Ordering::SeqCst) {
                    0 => create,
                    _ => Create::Answer,
                },
                ..Course::to(End::Completed)
            },
            |_| RowAct::Answer,
        );
        let place = place(&server, 8);
        if create != Create::BreakAfter {
            let running = place.redraft(COMMAND).start();
            wait_until("a batch was asked for", || asked.load(Ordering::SeqCst) > 0);
            running.kill();
        }
        place.redraft(COMMAND).run().exits(0);
        assert_same(&place, &online);
        assert_eq!((server.paid(), server.paid_twice()), (calls, 0));
    }
}

#[cfg(unix)]
#[test]
fn a_stopped_run_says_that_its_batches_go_on() {
    let server = BatchServer::with(
        |_, _| Course {
            looks: u32::MAX,
            ..Course::to(End::Completed)
        },
        |_| RowAct::Answer,
    );
    let place = place(&server, 4);
    let running = place.redraft(COMMAND).start();
    wait_until("a batch was looked at", || server.looks() > 1);
    running.signal("INT");
    running
        .end()
        .exits(130)
        .says("1 batch goes on at the provider; the same command takes it up again.");
}
