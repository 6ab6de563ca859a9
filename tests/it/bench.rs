//! `redraft bench`: figures that are labelled for what they are, and settings that can be pasted.

use std::time::Duration;

use redraft::config::SettingsFile;
use redraft::simulated::{CapacityChange, RateLimit, SimulatedOptions, SimulatedServer, WhenFull};
use redraft::yaml::{SourceFile, parse};
use serde_json::{Value, json};

use crate::support::{Place, json_lines, lines, wait_until};

fn simulated(options: SimulatedOptions) -> SimulatedServer {
    SimulatedServer::start(options).expect("a server")
}

fn quick() -> SimulatedOptions {
    SimulatedOptions {
        slots: 8,
        latency: Duration::from_millis(5),
        ..SimulatedOptions::default()
    }
}

const QUICK: [&str; 9] = [
    "bench",
    "--simulated",
    "--records=12",
    "--slots=8",
    "--latency=5ms",
    "--concurrency=8",
    "--rounds=2",
    "--cache-blocks=400",
    "--seed=3",
];

#[test]
fn a_simulated_run_says_that_it_is_one_and_leaves_nothing_behind() {
    let place = Place::new();
    let temporary = place.path("temporary");
    std::fs::create_dir(&temporary).expect("a folder");
    let ended = place
        .redraft("")
        .args(QUICK)
        .env("TMPDIR", &temporary)
        .run()
        .exits(0)
        .says("SIMULATED")
        .prints("SIMULATED server: figures of this machine and of redraft, not of any model")
        .prints("12 transcripts");
    assert!(ended.out.contains("capacity used"), "{ended}");
    let left = std::fs::read_dir(&temporary).expect("a folder").count();
    assert_eq!(left, 0, "{ended}");
    assert_eq!(place.names(), ["temporary"]);
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_nothing_behind_either() {
    let place = Place::new();
    let temporary = place.path("temporary");
    std::fs::create_dir(&temporary).expect("a folder");
    let left = || std::fs::read_dir(&temporary).expect("a folder").count();
    let running = place
        .redraft("bench --simulated --records=1000 --slots=1 --latency=1s --concurrency=4")
        .env("TMPDIR", &temporary)
        .start();
    wait_until("the store is there", || {
        let mut folders = std::fs::read_dir(&temporary).expect("a folder").flatten();
        folders.any(|folder| folder.path().join("bench.db").exists())
    });
    running.signal("INT");
    running.end().exits(130);
    assert_eq!(left(), 0);
}

#[test]
fn the_figures_of_a_simulated_run_count_every_call_once() {
    let place = Place::new();
    let figures = place
        .redraft("")
        .args(QUICK)
        .arg("--json")
        .run()
        .exits(0)
        .json();
    assert_eq!(figures["simulated"], true);
    assert_eq!(
        (&figures["records"], &figures["sealed"]),
        (&json!(12), &json!(12))
    );
    assert_eq!(figures["failed"], 0);
    // One draft, and a critique and a revision in each of two rounds.
    let statistics = &figures["statistics"];
    assert_eq!(statistics["answered"], 12 * 5);
    assert_eq!(figures["calls"]["counts"]["asked"], 12 * 5);
    let seconds = statistics["seconds"].as_array().expect("seconds");
    let answered: u64 = seconds
        .iter()
        .filter_map(|one| one["answered"].as_u64())
        .sum();
    assert_eq!(answered, 12 * 5);
    let used = statistics["utilisation"].as_f64().expect("a share");
    assert!(used > 0.0 && used <= 1.0, "{used}");
    assert!(
        statistics["most_in_flight"].as_u64() <= Some(8),
        "{statistics}"
    );
    assert!(
        figures["calls"]["cached"].as_f64() > Some(0.0),
        "later rounds begin as earlier ones did"
    );
}

#[test]
fn faults_are_drawn_by_the_seed_and_overcome() {
    let place = Place::new();
    let args = [
        &QUICK[..],
        &[
            "--faults=0.3",
            "--recipe=audit",
            "-c=manners.yaml",
            "--json",
        ],
    ]
    .concat();
    place.write("manners.yaml", crate::support::MANNERS);
    let figures = place.redraft("").args(args).run().exits(0).json();
    let faults = figures["statistics"]["faults"].as_u64().expect("a number");
    assert!(faults > 0, "{figures:#}");
    let counts = &figures["calls"]["counts"];
    assert!(counts["retries"].as_u64() > Some(0), "{counts}");
    // A violation each time, and a revision that mends it.
    assert_eq!(figures["statistics"]["answered"], 12 * 4);
}

#[test]
fn an_endpoint_is_measured_to_its_slots_and_gives_settings_to_paste() {
    let place = Place::new();
    let server = simulated(SimulatedOptions {
        latency: Duration::from_millis(100),
        cache_blocks: 1_000,
        ..quick()
    });
    let report = place
        .redraft("")
        .args(["bench", "--json", "--seconds=12", "--base-url"])
        .arg(server.base_url())
        .run()
        .exits(0)
        .json();
    let best = report["concurrency"].as_u64().expect("a number");
    assert!(
        (4..=64).contains(&best),
        "8 slots, and the best is {best}: {report:#}"
    );
    assert_eq!(report["model"], "simulated");
    assert_eq!(
        report["structured"],
        json!({ "answer": "work", "rung": "json_schema" })
    );
    assert!(report["prefix"]["cached"].as_u64() > Some(0), "{report:#}");
    assert_eq!(report["calls"].as_u64(), Some(server.statistics().requests));
    let settings = report["settings"].as_str().expect("a text");
    let file: SettingsFile = parse(&SourceFile::new("settings", settings)).expect("settings");
    assert_eq!(file.models["simulated"].base_url.0, [server.base_url()]);

    // They are what a run takes.
    place.write("redraft.yaml", settings);
    place.write(
        "rows.jsonl",
        lines([json!({ "prompt": "Who can help me?" })]),
    );
    place
        .redraft("")
        .args(["run", "rows.jsonl", "-c", "harmlessness", "--quiet"])
        .run()
        .exits(0);
}

#[test]
fn numbers_that_nothing_can_be_measured_with_are_refused() {
    let place = Place::new();
    for (what, wrong, bounds) in [
        ("--simulated", "--slots=0", "a whole number from 1"),
        ("--simulated", "--replicas=0", "a whole number from 1"),
        ("--simulated", "--records=0", "a whole number from 1"),
        ("--simulated", "--rate=0", "a whole number from 1"),
        ("--simulated", "--faults=2", "a number from 0 to 1"),
        ("--simulated", "--spread=nan", "a number from 0"),
        (
            "--base-url=http://127.0.0.1:9/v1",
            "--seconds=0",
            "a whole number from 1",
        ),
        (
            "--base-url=http://127.0.0.1:9/v1",
            "--most=0",
            "a whole number from 1",
        ),
        (
            "--base-url=http://127.0.0.1:9/v1",
            "--max-tokens=0",
            "a whole number from 1",
        ),
    ] {
        let ended = place.redraft("bench").args([what, wrong]).run();
        ended.exits(2).says(bounds);
    }
    place
        .redraft("bench --simulated --records=1 -c nope")
        .run()
        .exits(2)
        .says("nope");
}

#[test]
fn a_public_address_is_not_measured_unasked() {
    let place = Place::new();
    place
        .redraft("")
        .args([
            "bench",
            "--model=m",
            "--base-url=https://models.example.com/v1",
        ])
        .run()
        .exits(2)
        .says("it may take money for every call")
        .says("--yes");
}

#[test]
fn a_server_that_lists_no_single_model_and_one_that_is_not_there_are_told_of() {
    let place = Place::new();
    place
        .redraft("")
        .args(["bench", "--base-url=http://127.0.0.1:9/v1"])
        .run()
        .exits(1)
        .says("could not connect to http://127.0.0.1:9/v1")
        .says("check that a server runs there");
    place
        .redraft("bench --model=m --base-url=http://127.0.0.1:9/v1")
        .run()
        .exits(1)
        .says("could not connect")
        .says("check that a server runs there");
}

/// Sends prompts to a server, one after the other, by the command itself.
fn ask(place: &Place, server: &SimulatedServer, rows: usize, concurrency: &str) -> Value {
    let prompts = (0..rows).map(|row| json!({ "id": row, "prompt": format!("Question {row}?") }));
    place.write("rows.jsonl", lines(prompts));
    let ended = place
        .redraft("")
        .args([
            "run",
            "rows.jsonl",
            "-o",
            "out.jsonl",
            "--json",
            "--quiet",
            "--recipe=cai",
        ])
        .args([
            "--rounds=1",
            "-c=harmlessness",
            "--model=simulated",
            "--base-url",
        ])
        .arg(server.base_url())
        .args(["--concurrency", concurrency])
        .run()
        .exits(0);
    ended.json()
}

#[test]
fn a_server_that_refuses_when_full_counts_what_it_refused() {
    let place = Place::new();
    let server = simulated(SimulatedOptions {
        slots: 2,
        latency: Duration::from_millis(20),
        when_full: WhenFull::Refuse,
        ..quick()
    });
    ask(&place, &server, 4, "3");
    let statistics = server.statistics();
    assert_eq!(statistics.answered, 4 * 3);
    assert!(
        statistics.refused > 0 && statistics.most_in_flight == 2,
        "{statistics:?}"
    );
    assert_eq!(
        statistics.requests,
        statistics.answered + statistics.refused
    );
}

#[test]
fn a_server_with_a_rate_lets_in_no_more_than_it_allows() {
    let place = Place::new();
    let server = simulated(SimulatedOptions {
        rate: Some(RateLimit {
            per_minute: 1_200,
            burst: 4,
            headers: false,
        }),
        ..quick()
    });
    ask(&place, &server, 4, "2");
    let statistics = server.statistics();
    let allowed = statistics.allowed.expect("a rate");
    assert_eq!(statistics.answered, 4 * 3);
    assert!(allowed >= 12.0 && statistics.refused > 0, "{statistics:?}");
}

#[test]
fn queued_requests_get_their_turn_when_capacity_returns() {
    let place = Place::new();
    let server = simulated(SimulatedOptions {
        capacity_schedule: vec![CapacityChange {
            from: Duration::ZERO,
            until: Duration::from_millis(300),
            factor: 0.0,
        }],
        ..quick()
    });
    ask(&place, &server, 6, "6");
    let statistics = server.statistics();
    assert_eq!((statistics.answered, statistics.refused), (18, 0));
    assert!(
        statistics.elapsed >= 0.3 && statistics.most_queued > 0,
        "{statistics:?}"
    );
}

#[test]
fn two_servers_of_one_seed_answer_alike() {
    let answers = || {
        let place = Place::new();
        let server = simulated(SimulatedOptions {
            spread: 0.5,
            faults: 0.5,
            ..quick()
        });
        ask(&place, &server, 6, "4");
        json_lines(&place.read("out.jsonl"))
    };
    assert_eq!(answers(), answers());
}
