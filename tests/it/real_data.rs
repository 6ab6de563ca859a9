//! Real conversations: every row through the checks, prompts through both recipes with a server that
//! fails one time in four.

use std::collections::BTreeSet;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;

use crate::support::{Act, Asked, BreaksContract, Place, Seeded, Server, json_lines};

/// The file of 2,312 conversations, if this machine has it.
fn conversations() -> Option<PathBuf> {
    let beside =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/hh-rlhf-harmless-test.jsonl");
    if beside.is_file() {
        return Some(beside);
    }
    eprintln!("skipped: there is no {}", beside.display());
    None
}

#[test]
fn every_conversation_passes_the_checks() {
    let Some(file) = conversations() else { return };
    let place = Place::new();
    let ended = place
        .redraft("run --json -c privacy -o out.jsonl")
        .arg(&file)
        .run()
        .exits(0);
    let summary = ended.json();
    assert_eq!(
        (&summary["rows"], &summary["rejected"]),
        (&2312.into(), &0.into())
    );
    let out = place.json_lines("out.jsonl");
    let before = json_lines(&std::fs::read_to_string(&file).expect("the rows"));
    assert_eq!(out.len(), 2312);
    let mut changed = 0;
    for (before, after) in before.iter().zip(&out) {
        assert_eq!(before["rejected"], after["rejected"]);
        let differs = before["chosen"] != after["chosen"];
        changed += u64::from(differs);
        assert!(after["redraft"]["outcome"] == "compliant", "{after}");
        assert!(
            !differs || after["redraft"]["violated"] != Value::Array(Vec::new()),
            "{after}"
        );
    }
    assert_eq!(summary["statistics"]["changed"], changed);
    assert!(changed < 200, "{changed} of 2312 conversations changed");
    let records = summary["statistics"]["records"].as_u64().expect("a number");
    let doubled = summary["doubled"].as_u64().expect("a number");
    assert_eq!(records + doubled, 2312, "every row has a transcript");
}

const ROWS: usize = 300;
const SOME: usize = 120;

/// Runs the prompts of the first conversations; gives the place and the output.
fn prompts_through(file: &Path, recipe: &str, rows: usize, server: &Server) -> (Place, String) {
    let place = Place::new();
    let url = server.url();
    place.write(
        "redraft.yaml",
        format!(
            "recipe: {{ preset: {recipe} }}\nconcurrency: 64\nmodels:\n  \
             d: {{ model: drafter, base_url: '{url}' }}\n  c: {{ model: critic, base_url: '{url}' }}\n  \
             r: {{ model: reviser, base_url: '{url}', sampling: {{ max_tokens: 500 }} }}\n\
             roles: {{ drafter: d, critic: c, reviser: r }}\n"
        ),
    );
    place
        .redraft(&format!(
            "run -c harmlessness --draft always -o out.jsonl --limit {rows}"
        ))
        .arg(file)
        .run()
        .exits(0);
    let out = place.read("out.jsonl");
    (place, out)
}

/// The output of a run without faults; the one of `audit` serves two tests.
fn faultless(file: &Path, recipe: &str) -> String {
    static AUDIT: OnceLock<String> = OnceLock::new();
    let run = || prompts_through(file, recipe, ROWS, &Server::start()).1;
    if recipe == "audit" {
        AUDIT.get_or_init(run).clone()
    } else {
        run()
    }
}

fn is_complete(place: &Place, out: &str, rows: usize) {
    let written = json_lines(out);
    assert_eq!(written.len(), rows);
    let named: BTreeSet<String> = written
        .iter()
        .map(|row| row["redraft"]["transcript"].to_string())
        .collect();
    let records = place.count("SELECT count(*) FROM transcripts");
    assert_eq!(i64::try_from(named.len()).expect("small"), records);
    assert_eq!(
        place.count("SELECT count(*) FROM transcripts WHERE outcome = 'failed'"),
        0
    );
    assert_eq!(place.count("SELECT count(*) FROM rejected"), 0);
}

/// A share of all requests came again: the faults did happen.
fn was_faulty(server: &Server) {
    let (repeated, all) = (server.repeated(), server.count());
    assert!(
        repeated * 10 > all,
        "only {repeated} of {all} requests were repeated"
    );
}

fn faults_leave_no_trace(recipe: &str) {
    let Some(file) = conversations() else { return };
    let faulty = Server::with(|asked| Seeded(1).act(asked));
    let (place, out) = prompts_through(&file, recipe, ROWS, &faulty);
    is_complete(&place, &out, ROWS);
    was_faulty(&faulty);
    let expected = faultless(&file, recipe);
    assert!(
        out == expected,
        "the output of a run with faults differs from that of one without"
    );
    let outcomes: Vec<Value> = json_lines(&out)
        .iter()
        .map(|row| row["redraft"]["outcome"].clone())
        .collect();
    let ends = if recipe == "cai" {
        &["revised"][..]
    } else {
        &["compliant", "unresolved"]
    };
    for end in ends {
        assert!(outcomes.contains(&(*end).into()), "no record is {end}");
    }
}

#[test]
fn audit_ends_the_same_with_faults_and_without() {
    faults_leave_no_trace("audit");
}

#[test]
fn cai_ends_the_same_with_faults_and_without() {
    faults_leave_no_trace("cai");
}

/// Critiques that break the contract and replies that are cut off, too: asked again until they hold.
#[test]
fn broken_critiques_change_the_way_and_not_the_end() {
    static CONTRACT: OnceLock<BreaksContract> = OnceLock::new();
    let Some(file) = conversations() else { return };
    let contract = CONTRACT.get_or_init(|| BreaksContract(2));
    let plan = |asked: &Asked| match Seeded(3).act(asked) {
        Act::Answer => contract.act(asked),
        fault => fault,
    };
    let (place, out) = prompts_through(&file, "audit", SOME, &Server::with(plan));
    is_complete(&place, &out, SOME);
    // Records do not know of each other: fewer rows are the start of more.
    let expected = faultless(&file, "audit");
    for (number, (row, expected)) in json_lines(&out)
        .iter()
        .zip(json_lines(&expected))
        .enumerate()
    {
        let end = |row: &Value| {
            let mut column = row["redraft"].clone();
            column["transcript"].take();
            (column, row["chosen"].to_string())
        };
        assert_eq!(end(row), end(&expected), "row {}", number + 1);
    }
    let asked_again =
        place.count("SELECT count(*) FROM transcripts WHERE body LIKE '%\"faults\"%'");
    assert!(
        asked_again > 20,
        "only {asked_again} records had a broken critique"
    );
}
