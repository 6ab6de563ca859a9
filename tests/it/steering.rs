//! A run is watched and steered from another process: paused, resumed, limited, drained.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::support::{Act, Part, Place, Server, wait_until};

const COMMAND: &str = "run in.jsonl -o out.jsonl -c manners.yaml --concurrency 4";

/// A server that takes a while for every answer, and rows for much longer than a test takes.
fn slow(rows: usize) -> (Place, Server) {
    let place = Place::with_manners();
    place.write_prompts("in.jsonl", (0..rows).map(|n| format!("draft: Row {n}.")));
    let server = Server::with(|_| Act::AnswerAfter(Duration::from_millis(40)));
    (place, server)
}

fn status(place: &Place) -> Value {
    place.redraft("ctl status --json").run().exits(0).json()
}

#[test]
fn a_paused_run_makes_no_new_call_and_a_resumed_one_goes_on() {
    let (place, server) = slow(2000);
    let running = place.redraft(COMMAND).model(&server).start();
    wait_until("calls are made", || server.count() >= 20);
    place.redraft("ctl pause").run().exits(0).says("Paused");
    wait_until("what was in flight is answered", || server.in_flight() == 0);
    let made = server.count();
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(server.count(), made, "calls begin while it is paused");
    wait_until("its status says so", || {
        status(&place)["status"]["phase"] == "paused"
    });
    place.redraft("ctl pause").run().exits(0).says("already");

    place.redraft("ctl resume").run().exits(0).says("goes on");
    wait_until("calls are made again", || server.count() > made + 20);
    running.signal("INT");
    running.end().exits(130);
}

#[test]
fn a_drained_run_brings_what_is_in_flight_to_its_end() {
    let (place, server) = slow(2000);
    let running = place.redraft(COMMAND).model(&server).start();
    wait_until("calls are made", || server.count() >= 20);
    place.redraft("ctl drain").run().exits(0).says("Draining");
    running.end().exits(130).says("the same command again");
    // Every record that was begun is whole: nothing that was paid for waits for another start.
    let drafted = i64::try_from(server.asked(Part::Drafter).len()).expect("a count");
    let sealed = place.count("SELECT count(*) FROM transcripts");
    assert!(sealed > 0 && sealed < 2000, "{sealed} sealed");
    assert_eq!(sealed, drafted);
}

#[test]
fn another_limit_reaches_the_server() {
    let place = Place::with_manners();
    place.write_prompts("in.jsonl", (0..3000).map(|n| format!("draft: Row {n}.")));
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let server = Server::with(|_| Act::AnswerAfter(Duration::from_millis(40)));
    let running = place.redraft(COMMAND).model(&server).start();
    wait_until("calls are made", || server.count() >= 20);
    let answer = place.redraft("ctl limit 1").run().exits(0);
    assert!(answer.err.contains("At most 1 call"), "{answer}");
    wait_until("only one is in flight", || {
        now.store(server.in_flight(), Ordering::Relaxed);
        now.load(Ordering::Relaxed) <= 1
    });
    for _ in 0..100 {
        most.fetch_max(server.in_flight(), Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(most.load(Ordering::Relaxed) <= 1);
    running.signal("INT");
    running.end().exits(130);
}

#[test]
fn the_status_holds_the_figures() {
    let (place, server) = slow(2000);
    let running = place.redraft(COMMAND).model(&server).start();
    wait_until("its status has rows", || {
        place.has("redraft.db")
            && place.redraft("ctl status --json").run().code == Some(0)
            && status(&place)["status"]["rows"].as_u64() > Some(0)
    });
    let whole = status(&place);
    assert_eq!(whole["alive"], true);
    let figures = &whole["status"];
    assert_eq!(figures["run"], whole["run"]);
    assert_eq!(figures["phase"], "running");
    assert_eq!(figures["total"]["rows"], 2000);
    assert_eq!(figures["total"]["exact"], true);
    assert!(figures["calls"]["asked"].as_u64() > Some(0));
    assert!(figures["money"]["tokens"].as_u64() > Some(0));
    place
        .redraft("ctl status")
        .run()
        .exits(0)
        .prints("of 2,000 rows");
    running.signal("INT");
    running.end().exits(130);

    let name = whole["run"].as_str().expect("a name");
    place
        .redraft(&format!("ctl pause --run {name}"))
        .run()
        .exits(1)
        .says("no process works on the run");
    place
        .redraft(&format!("ctl status --run {name}"))
        .run()
        .exits(0)
        .prints("is stopped");
    place
        .redraft("ctl pause")
        .run()
        .exits(1)
        .says("no run is going on");
}

#[test]
fn a_refused_command_says_so_everywhere() {
    let (place, server) = slow(2000);
    let running = place
        .redraft(&format!("{COMMAND} --events events.jsonl"))
        .model(&server)
        .start();
    wait_until("calls are made", || server.count() >= 20);
    place
        .redraft("ctl budget --cost 3")
        .run()
        .exits(1)
        .says("not done: no model has a price");
    place.redraft("ctl pause").run().exits(0);
    running.signal("INT");
    running.end().exits(130).says("of 2,000 rows");
    let events = place.json_lines("events.jsonl");
    let has = |name: &str| events.iter().any(|event| event["event"] == name);
    assert!(has("paused") && !has("budget"), "{events:?}");
}

/// The same command has no budget, or another one: it needs no higher one.
#[test]
fn a_budget_that_came_on_the_way_asks_for_no_other_command() {
    let (place, server) = slow(2000);
    let running = place.redraft(COMMAND).model(&server).start();
    wait_until("calls are made", || server.count() >= 20);
    place
        .redraft("ctl budget --tokens 1")
        .run()
        .exits(0)
        .says("it is reached, so the run stops");
    let end = running.end().exits(4).says("the command's own holds again");
    assert!(!end.err.contains("it needs a higher"), "{end}");
}

/// Nobody took it, so it must not stop the next process.
#[test]
fn a_command_to_a_process_that_has_ended_is_not_taken_by_the_next() {
    let (place, server) = slow(20);
    place.redraft(COMMAND).model(&server).run().exits(0);
    place
        .store()
        .execute(
            "INSERT INTO commands (run, number, at, text) SELECT id, 1, '2020-01-01T00:00:00.000Z', 'drain' FROM runs",
            [],
        )
        .expect("a command");
    place.write_prompts("in.jsonl", (0..30).map(|n| format!("draft: Row {n}.")));
    place.redraft(COMMAND).model(&server).run().exits(0);
    assert_eq!(place.json_lines("out.jsonl").len(), 30);
}

#[cfg(unix)]
#[test]
fn a_command_to_a_process_that_ends_meanwhile_is_not_waited_for() {
    let (place, server) = slow(2000);
    let running = place.redraft(COMMAND).model(&server).start();
    wait_until("calls are made", || server.count() >= 20);
    // A process that is stopped while it writes would keep the store from everybody.
    place.redraft("ctl pause").run().exits(0);
    wait_until("what was in flight is answered", || server.in_flight() == 0);
    std::thread::sleep(Duration::from_millis(300));
    running.signal("STOP");
    let drain = place.redraft("ctl drain").start();
    wait_until("it is sent", || {
        place.count("SELECT count(*) FROM commands WHERE text = 'drain'") == 1
    });
    running.signal("KILL");
    drain.end().exits(1).says("has ended");
}

#[test]
fn orders_that_make_no_sense_are_refused() {
    let place = Place::with_manners();
    place.redraft("ctl status").run().exits(1);
    assert!(!place.has("redraft.db"), "a store was made");
    let nothing = place.redraft("ctl budget").run();
    nothing.exits(2).says("--cost").says("--tokens");
    place.redraft("ctl limit 0").run().exits(2);
    let refused = place.redraft("ctl limit 65537").run();
    refused.exits(2).says("at most 65536 calls");
    for wrong in ["nan", "-1", "inf", "much"] {
        let refused = place.redraft("ctl budget --cost").arg(wrong).run();
        refused.exits(2).says("a number from 0, or `off`");
    }
}
