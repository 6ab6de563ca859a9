//! The rows on the page of exports: each is what the program writes.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Act, Asked, Part, Place, Server, material};

const FORMATS: [&str; 13] = [
    "sft",
    "prompt-completion",
    "dpo",
    "dpo-chat",
    "kto",
    "reward",
    "cai",
    "slmadison",
    "langchain",
    "nemo",
    "sharegpt",
    "annotated-pairs",
    "transcripts",
];
/// Those whose sample is of a run in the paper's chat.
const IN_CHAT: [&str; 3] = ["cai", "slmadison", "langchain"];

const RULES: &str = "\
constitution: front-desk
version: \"1.0\"
principles:
  - id: keepable-promises
    text: The answer promises nothing that nobody can promise.
    severity: high
    critique: Say what the answer promises that nobody can promise.
    revision: Rewrite the answer so that it promises only what can be kept.
";
const PROMPT: &str = "Where is my parcel?";
const DRAFT: &str = "It comes tomorrow for sure.";
const FINAL: &str = "Your tracking page shows the day it is due.";

fn server() -> Server {
    Server::with(|asked: &Asked| match asked.part {
        Part::Drafter => Act::say(DRAFT),
        Part::Critic if material(&asked.body)["answer"] == FINAL => Act::say(
            json!({ "violations": [], "complies": ["keepable-promises"], "not_applicable": [] })
                .to_string(),
        ),
        Part::Critic => Act::say(
            json!({
                "violations": [{
                    "principle": "keepable-promises",
                    "evidence": "tomorrow for sure",
                    "explanation": "Nobody can promise the day.",
                    "severity": "high",
                    "fix": "Say where the day can be seen.",
                }],
                "complies": [],
                "not_applicable": [],
            })
            .to_string(),
        ),
        Part::ChatCritic => Act::say("It promises a day, and nobody can."),
        Part::Reviser | Part::ChatReviser => Act::say(FINAL),
    })
}

/// A run of one record by each recipe.
fn runs() -> Place {
    let (place, server) = (Place::new(), server());
    let url = server.url();
    place.write("front-desk.yaml", RULES);
    let row = json!({ "id": "row-1", "prompt": PROMPT });
    place.write("desk.jsonl", format!("{row}\n"));
    for (recipe, run) in [("audit", "desk"), ("cai", "desk-cai")] {
        place.write(
            "redraft.yaml",
            format!(
                "recipe: {{ preset: {recipe}, rounds: 1 }}\nmodels:\n  d: {{ model: drafter, base_url: '{url}' }}\n  \
                 c: {{ model: critic, base_url: '{url}' }}\n  r: {{ model: reviser, base_url: '{url}' }}\n\
                 roles: {{ drafter: d, critic: c, reviser: r }}\n"
            ),
        );
        place
            .redraft(&format!("run desk.jsonl -c front-desk.yaml --run {run}"))
            .run()
            .exits(0);
    }
    place
}

/// The first block of JSON under the heading of a format.
fn sample(page: &str, format: &str) -> Option<Value> {
    let (_, section) = page.split_once(&format!("\n## `{format}`\n"))?;
    let section = section.split("\n## ").next()?;
    let (_, block) = section.split_once("```json\n")?;
    serde_json::from_str(block.split("```").next()?).ok()
}

#[test]
fn the_samples_on_the_page_are_what_the_program_writes() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/exports.md");
    let page = fs::read_to_string(page).unwrap_or_default();
    let place = runs();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("export-samples");
    fs::create_dir_all(&folder).expect("a folder");
    let mut wrong = Vec::new();
    for format in FORMATS {
        let run = if IN_CHAT.contains(&format) {
            "desk-cai"
        } else {
            "desk"
        };
        let written = place
            .redraft(&format!("export {run} -f {format}"))
            .run()
            .exits(0);
        let first = if format == "annotated-pairs" {
            written.json()
        } else {
            written.json_lines().remove(0)
        };
        let pretty = serde_json::to_string_pretty(&first).expect("JSON");
        fs::write(folder.join(format!("{format}.json")), pretty).expect("a sample");
        // A transcript has a page of its own, and a sample there.
        if format != "transcripts" && sample(&page, format) != Some(first) {
            wrong.push(format);
        }
    }
    assert!(
        wrong.is_empty(),
        "docs/exports.md has other samples of {wrong:?} than {}",
        folder.display()
    );
}
