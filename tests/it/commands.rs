//! The smaller commands: one prompt, one transcript, the runs, the figures, a first settings file.

use serde_json::{Value, json};

use crate::support::{Act, Part, Place, Server};

#[test]
fn ask_tells_the_story() {
    let (place, server) = (Place::with_manners(), Server::start());
    let ended = place
        .redraft("ask -c manners.yaml")
        .arg("draft: Go away. !be-kind")
        .model(&server)
        .run()
        .exits(0)
        .says("kept as record ");
    let story = [
        "Draft",
        "Go away.",
        "Round 1 · critique",
        "be-kind",
        "“!be-kind”",
        "Round 1 · revision",
        "[-",
        "Outcome",
        "compliant",
        "Final answer",
    ];
    let mut rest = &*ended.out;
    for part in story {
        let Some(place_of) = rest.find(part) else {
            panic!("no {part:?} in its place; {ended}")
        };
        rest = &rest[place_of + part.len()..];
    }
    assert!(!ended.out.contains('\u{1b}'), "styles without a terminal");
    // What it says to type works.
    let id = ended
        .err
        .split("redraft show ")
        .nth(1)
        .expect("what to type")
        .trim()
        .to_owned();
    place
        .redraft("show")
        .arg(id)
        .run()
        .exits(0)
        .prints("Round 1 · revision")
        .prints("compliant");
}

#[test]
fn ask_for_machines_and_for_pipes() {
    let (place, server) = (Place::with_manners(), Server::start());
    let ask = |options: &str| {
        place
            .redraft(&format!("ask -c manners.yaml {options}"))
            .arg("draft: Go away. !be-kind")
            .model(&server)
            .run()
            .exits(0)
    };
    assert_eq!(ask("--quiet").out, "Go away.\n");
    let transcript = ask("--json").json();
    assert_eq!(transcript["format"], "redraft-transcript/1");
    assert_eq!(
        (&transcript["outcome"], &transcript["final"]["text"]),
        (&json!("compliant"), &json!("Go away."))
    );
    assert_eq!(
        server.count(),
        4,
        "the second asking is answered from the journal"
    );
    let stdin = place
        .redraft("ask - -c manners.yaml --quiet")
        .stdin("draft: Hello.")
        .model(&server)
        .run()
        .exits(0);
    assert_eq!(stdin.out, "Hello.\n");
    place
        .redraft("ask -c manners.yaml --system Be.short --quiet Hi")
        .model(&server)
        .run()
        .exits(0);
    let first = &server.asked(Part::Drafter)[2].body["messages"][0];
    assert_eq!(*first, json!({ "role": "system", "content": "Be.short" }));
}

#[test]
fn ask_without_a_model() {
    let place = Place::new();
    place
        .redraft("ask Whom?")
        .run()
        .exits(2)
        .says("there is no model to draft an answer")
        .says("--answer TEXT");
    let ended = place
        .redraft("ask Whom? --quiet --answer ann@example.com")
        .run()
        .exits(0);
    assert_eq!(ended.out, "[e-mail address]\n");
}

#[test]
fn ask_says_when_it_failed() {
    let server = Server::with(|asked| match asked.part {
        Part::Drafter => Act::Status(400, "no".to_owned()),
        _ => Act::Answer,
    });
    let place = Place::with_manners();
    place
        .redraft("ask Hi -c manners.yaml")
        .model(&server)
        .run()
        .exits(1)
        .prints("failed");
}

/// Three records in two runs of one store.
fn filled() -> (Place, Server) {
    let (place, server) = (Place::with_manners(), Server::start());
    place.write_prompts(
        "in.jsonl",
        [
            "draft: One.",
            "draft: Two. !be-kind",
            "draft: Three. !be-brief !stubborn",
        ],
    );
    let command = "run in.jsonl -c manners.yaml";
    place
        .redraft(&format!("{command} --run first"))
        .model(&server)
        .run()
        .exits(0);
    place
        .redraft(&format!("{command} --run second --seed 2"))
        .model(&server)
        .run()
        .exits(0);
    (place, server)
}

#[test]
fn show_finds_a_record() {
    let (place, _server) = filled();
    place
        .redraft("show r2")
        .run()
        .exits(0)
        .prints("Record r2")
        .prints("run second, line 2")
        .prints("constitution manners 1.0")
        .prints("Two. !be-kind")
        .prints("It says !be-kind.")
        .prints("compliant")
        .says("in run first");
    place
        .redraft("show r2 --run first")
        .run()
        .exits(0)
        .prints("run first, line 2");
    let transcript = place.redraft("show r2 --json").run().exits(0).json();
    let keys: Vec<&str> = transcript
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    let expected = [
        "format",
        "run",
        "record",
        "provenance",
        "draft",
        "rounds",
        "final",
        "outcome",
        "why",
        "usage",
        "times",
    ];
    assert_eq!(keys, expected);
    // The beginning of several ids: the newest is shown, and the others are named.
    let newest = place.redraft("show r --run first").run().exits(0);
    let newest = newest.says("Also in this run, by their whole ids:");
    assert!(!newest.err.contains("--run NAME"), "{newest}");
    place.redraft("show r").run().exits(0).prints("Record r");
    place
        .redraft("show nobody")
        .run()
        .exits(1)
        .says("no transcript of a record \"nobody\"");
}

#[test]
fn runs_lists_them() {
    let (place, _server) = filled();
    place
        .redraft("runs")
        .run()
        .exits(0)
        .prints("first")
        .prints("second")
        .prints("finished");
    let runs = place.redraft("runs --json").run().exits(0).json_lines();
    let names: Vec<&Value> = runs.iter().map(|run| &run["run"]).collect();
    assert_eq!(
        names,
        ["second", "first"],
        "the one last worked on comes first"
    );
    assert_eq!(
        (&runs[0]["sealed"], &runs[0]["state"]),
        (&json!(3), &json!("finished"))
    );
}

#[test]
fn stats_has_intervals() {
    let (place, _server) = filled();
    place
        .redraft("stats")
        .run()
        .exits(0)
        .prints("Run second: 3 records")
        .prints("compliant")
        .prints("unresolved")
        .prints("be-kind")
        .prints("33.3 %")
        .prints("drafter");
    let stats = place.redraft("stats first --json").run().exits(0).json();
    assert_eq!(
        (&stats["run"], &stats["records"]),
        (&json!("first"), &json!(3))
    );
    let principle = &stats["principles"]["be-kind"];
    assert_eq!(
        (&principle["violated"], &principle["mended"]),
        (&json!(1), &json!(1))
    );
    // One of three: Wilson's 95 % interval.
    let interval = &principle["violated_interval"];
    let [low, high] = ["low", "high"].map(|end| interval[end].as_f64().expect("a number"));
    assert!(
        (low - 0.0615).abs() < 0.001 && (high - 0.7923).abs() < 0.001,
        "{interval:?}"
    );
    assert_eq!(
        stats["outcomes"],
        json!({ "compliant": 2, "unresolved": 1 })
    );
    assert!(stats["usage"]["critic"]["input"].as_u64() > Some(0));
    place
        .redraft("stats nobody")
        .run()
        .exits(1)
        .says("there is no run \"nobody\"")
        .says("redraft runs");
}

#[test]
fn prices_become_costs() {
    let (place, server) = (Place::with_manners(), Server::start());
    place.write("redraft.yaml", format!(
        "models:\n  m: {{ model: stub, base_url: '{}', price: {{ input: 1000000, output: 0 }} }}\n",
        server.url()
    ));
    place.write_prompts("in.jsonl", ["draft: Hi."]);
    place.redraft("run in.jsonl -c manners.yaml").run().exits(0);
    let usage = &place.redraft("stats --json").run().exits(0).json()["usage"]["drafter"];
    assert_eq!(usage["cost"].as_f64(), usage["input"].as_f64());
}
