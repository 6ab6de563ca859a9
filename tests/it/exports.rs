//! `redraft export`: what is chosen, where it goes, and that the tools it is for can read it.

use serde_json::{Value, json};

use crate::support::{Act, Asked, Part, Place, Python, Server, json_lines, material};

/// Every format that has one JSON object a line.
const LINES: [&str; 12] = [
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
    "transcripts",
];

/// A run of `audit` over six records: clean, mended once, mended twice, stubborn, one whose critic
/// talks nonsense, one that nobody drafts.
fn audited() -> Place {
    let server = Server::with(|asked: &Asked| match asked.part {
        Part::Critic if material(&asked.body)["answer"] == "Nonsense." => Act::say("What?"),
        Part::Drafter if asked.message(0) == "fail" => {
            Act::Status(400, r#"{"error":{"message":"no"}}"#.to_owned())
        }
        _ => Act::Answer,
    });
    let place = Place::with_manners();
    place.write_prompts(
        "in.jsonl",
        [
            "draft: Fine.",
            "draft: Rude. !be-kind",
            "draft: Both. !be-kind !be-brief",
            "draft: Never. !be-kind !stubborn",
            "draft: Nonsense.",
            "fail",
        ],
    );
    place
        .redraft("run in.jsonl -c manners.yaml --run audited --concurrency 1")
        .model(&server)
        .run()
        .exits(3);
    place
}

/// A run of `cai` over eight records, three rounds each.
fn drawn() -> Place {
    let server = Server::start();
    let (place, url) = (Place::with_manners(), server.url());
    place.write(
        "redraft.yaml",
        format!(
            "recipe: {{ preset: cai, rounds: 3 }}\nmodels:\n  d: {{ model: drafter, base_url: '{url}' }}\n  \
             c: {{ model: critic, base_url: '{url}' }}\n  r: {{ model: reviser, base_url: '{url}' }}\n\
             roles: {{ drafter: d, critic: c, reviser: r }}\n"
        ),
    );
    place.write_prompts("in.jsonl", (1..=8).map(|n| format!("draft: Answer {n}.")));
    place
        .redraft("run in.jsonl -c manners.yaml --run drawn --concurrency 1")
        .run()
        .exits(0);
    place
}

fn rows(place: &Place, arguments: &str) -> Vec<Value> {
    let ended = place.redraft(&format!("export {arguments}")).run().exits(0);
    json_lines(&ended.out)
}

/// The answers of rows of `sft`, sorted: they come in the order in which records ended.
fn answers(rows: &[Value]) -> Vec<&str> {
    let mut answers: Vec<&str> = rows
        .iter()
        .map(|row| {
            let turns = row["messages"].as_array().expect("turns");
            let last = turns.last().expect("an answer");
            last["content"].as_str().expect("text")
        })
        .collect();
    answers.sort_unstable();
    answers
}

#[test]
fn what_is_not_fit_is_left_out_unless_it_is_asked_for_by_name() {
    let place = audited();
    let ended = place.redraft("export -f sft").run().exits(0);
    let ended = ended
        .says("Exported 4 rows of 4 transcripts of run audited")
        .says("1  failed (--include failed)")
        .says("1  with an error verdict (--include error)");
    let rows_of_all = json_lines(&ended.out);
    let fit = ["Both.", "Fine.", "Never. !be-kind !stubborn", "Rude."];
    assert_eq!(answers(&rows_of_all), fit, "{ended}");
    let with_errors = rows(&place, "-f sft --include error,failed");
    assert!(answers(&with_errors).contains(&"Nonsense."));
    // A record that failed before there was a draft has no answer even so; its transcript is there.
    let named = rows(&place, "audited -f transcripts --outcome failed");
    assert_eq!(named.len(), 1);
    assert_eq!(named[0]["record"]["id"], "r6");
}

#[test]
fn filters_choose_and_go_together() {
    let place = audited();
    let chosen = |filters: &str| {
        let rows = rows(&place, &format!("-f transcripts {filters}"));
        let ids = rows.iter().map(|row| row["record"]["id"].as_str());
        let mut ids: Vec<String> = ids.map(|id| id.expect("an id").to_owned()).collect();
        ids.sort();
        ids.join(" ")
    };
    assert_eq!(chosen(""), "r1 r2 r3 r4");
    assert_eq!(chosen("--only changed"), "r2 r3");
    assert_eq!(chosen("--only compliant"), "r1 r2 r3");
    assert_eq!(chosen("--only changed,compliant"), "r2 r3");
    assert_eq!(chosen("--principle be-brief"), "r3");
    assert_eq!(chosen("--principle be-brief,be-kind"), "r2 r3 r4");
    assert_eq!(chosen("--severity high"), "r2 r3 r4");
    assert_eq!(chosen("--severity critical"), "");
    assert_eq!(chosen("--outcome unresolved"), "r4");
    assert_eq!(chosen("--outcome unresolved --only changed"), "");
    assert_eq!(chosen("--outcome unresolved,failed"), "r4 r6");
}

#[test]
fn a_pair_is_two_texts_of_which_one_is_better() {
    let place = audited();
    let pairs = rows(&place, "-f reward");
    let mut told: Vec<(&str, &str, f64)> = pairs
        .iter()
        .map(|row| {
            let text = |side: &str| row[side][0]["content"].as_str().expect("text");
            let margin = row["margin"].as_f64().expect("a margin");
            (text("rejected"), text("chosen"), margin)
        })
        .collect();
    told.sort_by(|one, other| one.0.cmp(other.0));
    // Two violations of high severity are worth twice one.
    let expected = [
        ("Both. !be-kind !be-brief", "Both.", 8.0),
        ("Rude. !be-kind", "Rude.", 4.0),
    ];
    assert_eq!(told, expected);
    // Every kept revision beside what it revised; the stubborn answer came back as it was.
    let steps = rows(&place, "-f dpo --texts revisions");
    assert_eq!(steps.len(), 3);
    let first = steps
        .iter()
        .position(|row| row["rejected"][0]["content"] == "Both. !be-kind !be-brief");
    let first = first.expect("the first step");
    assert_eq!(steps[first]["chosen"], steps[first + 1]["rejected"]);
    // Nothing was assessed in the paper's chats: pairs without a margin.
    let place = drawn();
    assert_eq!(rows(&place, "-f dpo").len(), 8);
    let ended = place.redraft("export -f reward").run().exits(0);
    ended
        .prints_nothing()
        .says("8  without a principle assessed in both texts");
}

#[test]
fn labels_are_verdicts() {
    let mut told: Vec<(String, bool)> = rows(&audited(), "-f kto")
        .iter()
        .map(|row| {
            let text = row["completion"][0]["content"].as_str().expect("text");
            (text.to_owned(), row["label"].as_bool().expect("a label"))
        })
        .collect();
    told.sort();
    let expected = [
        ("Both.", true),
        ("Both. !be-kind !be-brief", false),
        ("Fine.", true),
        ("Never. !be-kind !stubborn", false),
        ("Rude.", true),
        ("Rude. !be-kind", false),
    ]
    .map(|(text, label)| (text.to_owned(), label));
    assert_eq!(told, expected);
}

#[test]
fn the_papers_chat_goes_out_with_what_was_asked() {
    let place = drawn();
    let transcript = place.redraft("show r1 --json").run().exits(0).json();
    let mut rows = rows(&place, "-f cai --texts revisions");
    assert_eq!(rows.len(), 24);
    rows.retain(|row| row["init_prompt"] == "draft: Answer 1.");
    assert_eq!(rows.len(), 3);
    let round = &transcript["rounds"][1];
    assert_eq!(
        rows[1]["init_response"],
        transcript["rounds"][0]["revision"]["text"]
    );
    assert_eq!(rows[1]["critic_response"], round["critique"]);
    assert_eq!(rows[1]["revision_response"], round["revision"]["text"]);
    let asked = rows[1]["critic_prompt"].as_str().expect("a request");
    let principle = round["principles"][0].as_str().expect("a principle");
    let words = match principle {
        "be-kind" => "kind to whoever reads it",
        _ => "could be left out",
    };
    assert!(asked.contains(words), "{asked:?} is not about {principle}");
    let asked = rows[1]["revision_prompt"].as_str().expect("a request");
    assert!(asked.contains(words), "{asked:?} is not about {principle}");
    let samples = self::rows(&place, "-f slmadison");
    let sample = samples
        .iter()
        .find(|sample| sample["rl_prompt"] == "\n\nHuman: draft: Answer 1.\n\nAssistant:")
        .expect("the record's sample");
    assert_eq!(sample["cst"].as_array().map(Vec::len), Some(3));
    let framed = sample["cst"][1]["cst_value"]["prompt"][0].as_str();
    let framed = framed.expect("a request");
    assert!(framed.starts_with("\n\nCritiqueRequest: ") && framed.ends_with("\n\nCritique:"));
}

#[test]
fn splits_are_shares_of_the_records_and_the_same_for_every_format() {
    let place = Place::new();
    let prompts: Vec<String> = (0..200)
        .map(|n| json!({ "id": n.to_string(), "prompt": format!("Q{n}?"), "answer": format!("Write to a{n}@example.com.") }).to_string())
        .collect();
    place.write("in.jsonl", prompts.join("\n"));
    place.redraft("run in.jsonl").run().exits(0);
    place
        .redraft("export -f sft --split train=0.8,test=0.2 -o sft.jsonl")
        .run()
        .exits(0)
        .says("sft-train.jsonl");
    place
        .redraft("export -f dpo --split train=0.8,test=0.2 -o dpo/ --quiet")
        .run()
        .exits(0)
        .does_not_say("Exported");
    let questions = |file: &str, pointer: &str| {
        let rows = place.json_lines(file);
        let mut asked: Vec<String> = rows
            .iter()
            .map(|row| row.pointer(pointer).expect("a prompt").to_string())
            .collect();
        asked.sort();
        asked
    };
    for split in ["train", "test"] {
        assert_eq!(
            questions(&format!("sft-{split}.jsonl"), "/messages/0/content"),
            questions(&format!("dpo/{split}.jsonl"), "/prompt/0/content")
        );
    }
    let test = place.json_lines("sft-test.jsonl").len();
    assert!((25..55).contains(&test), "{test} of 200 in a fifth");
    assert_eq!(test + place.json_lines("sft-train.jsonl").len(), 200);
}

#[test]
fn rows_that_are_there_already_are_dropped_on_request() {
    let place = Place::new();
    let row = |id: &str, tag: &str| {
        json!({ "id": id, "prompt": "Who?", "answer": "Ann.", "tags": [tag] }).to_string()
    };
    place.write(
        "in.jsonl",
        format!("{}\n{}\n", row("a", "x"), row("b", "y")),
    );
    place.redraft("run in.jsonl").run().exits(0);
    assert_eq!(rows(&place, "-f sft").len(), 2);
    let ended = place.redraft("export -f sft --deduplicate").run().exits(0);
    assert_eq!(ended.json_lines().len(), 1);
    ended.says("1  there already, as the same row");
}

#[test]
fn what_cannot_be_done_is_said_before_anything_is_written() {
    let place = audited();
    let fails = |arguments: &str, code: i32, text: &str| {
        let ended = place.redraft(&format!("export {arguments}")).run();
        ended.exits(code).prints_nothing().says(text);
    };
    fails("nobody -f sft", 1, "there is no run \"nobody\"");
    fails("-f parchment", 2, "annotated-pairs");
    fails("", 2, "--format");
    fails(
        "-f sft --split train=0.5,test=0.4 -o x.jsonl",
        2,
        "must be 1",
    );
    fails("-f sft --split train=1", 2, "--split needs files");
    fails("-f sft --card -o -", 2, "--card needs files");
    fails("-f transcripts --texts revisions", 2, "hold every round");
    fails("-f sft -o redraft.db", 2, "is the store");
    fails("-f sft -o no/where.jsonl", 1, "there is no folder");
    fails("-f sft --store gone.db", 1, "gone.db");
    let names = ["in.jsonl", "manners.yaml", "redraft.db"];
    let left = place.names();
    let left: Vec<&String> = left.iter().filter(|name| !name.contains("db-")).collect();
    assert_eq!(left, names);
}

#[test]
fn a_card_is_written_and_somebody_elses_readme_is_not_replaced() {
    let place = audited();
    place.redraft("export -f dpo -o out/").run().exits(0);
    let card = place.read("out/README.md");
    for told in [
        "pretty_name: \"audited\"",
        "`manners` `1.0`",
        "\"model\":\"stub\"",
        "redraft export -f dpo -o out/",
    ] {
        assert!(card.contains(told), "no {told:?} in\n{card}");
    }
    // What was counted stands there, and it is written anew.
    assert!(card.contains("Of 6 transcripts, 2 gave rows"), "{card}");
    place.redraft("export -f sft -o out/").run().exits(0);
    assert!(
        place
            .read("out/README.md")
            .contains("Of 6 transcripts, 4 gave rows")
    );
    place.write("README.md", "Mine.\n");
    place
        .redraft("export -f sft -o sft.jsonl --card")
        .run()
        .exits(0)
        .says("stays as it is");
    assert_eq!(place.read("README.md"), "Mine.\n");
}

#[test]
fn annotated_pairs_are_one_document_with_an_annotator_for_each_principle() {
    let place = audited();
    place
        .redraft("export -f annotated-pairs -o pairs.json")
        .run()
        .exits(0);
    let document: Value = serde_json::from_str(&place.read("pairs.json")).expect("JSON");
    assert_eq!(document["metadata"]["version"], "2.0");
    let default = document["metadata"]["default_annotator"]
        .as_str()
        .expect("an id");
    let annotators = document["annotators"].as_object().expect("annotators");
    assert_eq!(annotators.len(), 3);
    let comparisons = document["comparisons"].as_array().expect("comparisons");
    assert_eq!(comparisons.len(), 2);
    for comparison in comparisons {
        let votes = comparison["annotations"].as_object().expect("annotations");
        assert!(votes.keys().all(|id| annotators.contains_key(id)));
        let chosen = votes[default]["pref"].as_str().expect("a preference");
        let text = |side: &str| comparison[format!("response_{side}")]["text"].as_str();
        let rejected = if chosen == "a" { "b" } else { "a" };
        assert!(text(rejected).expect("a text").contains("!be-kind"));
        assert!(!text(chosen).expect("a text").contains('!'));
        for (id, annotator) in annotators {
            let expected = match annotator["description"].as_str() {
                Some("be-brief") if text(rejected) == Some("Rude. !be-kind") => {
                    json!({ "pref": null, "no_pref_reason": "not_applicable" })
                }
                _ => json!({ "pref": chosen }),
            };
            assert_eq!(votes[id], expected, "{annotator}");
        }
    }
    // Without a pair it is a document all the same.
    place
        .redraft("export -f annotated-pairs -o none.json --outcome held")
        .run()
        .exits(0);
    let none: Value = serde_json::from_str(&place.read("none.json")).expect("JSON");
    assert_eq!(none["comparisons"], json!([]));
}

#[test]
fn every_export_loads_with_its_columns_and_content() {
    let Some(python) = Python::find() else {
        return;
    };
    for place in [audited(), drawn()] {
        let mut files = serde_json::Map::new();
        for format in LINES {
            let file = format!("{format}.jsonl");
            place
                .redraft(&format!("export -f {format} -o {file}"))
                .run()
                .exits(0);
            if !place.json_lines(&file).is_empty() {
                files.insert(format.to_owned(), json!(place.path(&file)));
            }
        }
        let loaded = python.load(place.folder(), &Value::Object(files.clone()));
        for format in files.keys() {
            let written = place.json_lines(&format!("{format}.jsonl"));
            let loaded = &loaded[format];
            if let Some(types) = types(format) {
                assert_eq!(loaded["types"], types, "{format}");
                assert_eq!(loaded["rows"], Value::Array(written), "{format}");
            } else {
                // Transcripts have fields that are absent; a table has them all, some without value.
                let count = loaded["rows"].as_array().map(Vec::len);
                assert_eq!(count, Some(written.len()), "{format}");
                assert_eq!(
                    loaded["rows"][0]["record"]["id"],
                    written[0]["record"]["id"]
                );
            }
        }
    }
}

/// The columns that a trainer expects.
fn types(format: &str) -> Option<Value> {
    let turns = json!([{ "role": "string", "content": "string" }]);
    Some(match format {
        "sft" => json!({ "messages": turns }),
        "prompt-completion" => json!({ "prompt": turns, "completion": turns }),
        "dpo" => json!({ "prompt": turns, "chosen": turns, "rejected": turns }),
        "dpo-chat" => json!({ "prompt": "string", "chosen": turns, "rejected": turns }),
        "kto" => json!({ "prompt": turns, "completion": turns, "label": "bool" }),
        "reward" => {
            json!({ "prompt": turns, "chosen": turns, "rejected": turns, "margin": "double" })
        }
        "cai" => json!({
            "init_prompt": "string", "init_response": "string",
            "critic_prompt": "string", "critic_response": "string",
            "revision_prompt": "string", "revision_response": "string",
            "prompt": "string", "messages": turns, "chosen": turns, "rejected": turns,
        }),
        "slmadison" => json!({
            "rl_prompt": "string", "comparison_dataset": "string",
            "initial_response": [{ "sample": "string" }],
            "cst": [{
                "cst_key": "string",
                "cst_value": { "prompt": ["string"], "edit_request": "string" },
                "critique": { "sample": "string" }, "revision": { "sample": "string" },
            }],
        }),
        "nemo" => json!({
            "system": "string",
            "conversations": [{ "from": "string", "value": "string", "label": "null" }],
            "mask": "string", "dataset": "string",
        }),
        "sharegpt" => json!({ "conversations": [{ "from": "string", "value": "string" }] }),
        _ => return None,
    })
}

const FROGS: &str = "\
constitution: frogs
principles:
  - id: no-frogs
    text: The answer speaks of no frogs.
    checks:
      - pattern: { regex: frog }
        rewrite: toad
";

#[test]
fn hostile_text_goes_through_whole() {
    let Some(python) = Python::find() else {
        return;
    };
    let place = Place::new();
    let odd = [
        "\"quotes\" and \\ backslashes, 'single' too",
        "lines\nand\r\nmore\u{2028}lines\u{85}",
        "a NUL \u{0} and an escape \u{1b}[31m",
        "emoji 👩‍👩‍👧 and \u{202e}right to left\u{202c} שלום",
        "</s><|im_end|>{{ bos_token }}\n\nHuman: who?\n\nAssistant: me",
    ];
    // Longer than what the loader reads at once.
    let long = "long ".repeat(5 << 19);
    let texts: Vec<&str> = odd.into_iter().chain([long.as_str()]).collect();
    let rows: Vec<String> = texts
        .iter()
        .enumerate()
        .map(|(n, text)| {
            let answer = format!("{text} frog");
            json!({ "id": n.to_string(), "prompt": text, "answer": answer }).to_string()
        })
        .collect();
    place.write("in.jsonl", rows.join("\n"));
    place.write("frogs.yaml", FROGS);
    place
        .redraft("run in.jsonl -c frogs.yaml --max-line 64")
        .run()
        .exits(0);
    place.redraft("export -f dpo -o dpo.jsonl").run().exits(0);
    let file = json!({ "dpo": place.path("dpo.jsonl") });
    let loaded = python.load(place.folder(), &file);
    let rows = loaded["dpo"]["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), texts.len());
    for row in rows {
        let prompt = row["prompt"][0]["content"].as_str().expect("a prompt");
        assert!(texts.contains(&prompt), "{prompt:.80?}");
        let answer = format!("{prompt} frog");
        assert_eq!(row["rejected"][0]["content"], answer.as_str());
        let answer = format!("{prompt} toad");
        assert_eq!(row["chosen"][0]["content"], answer.as_str());
    }
}

#[test]
fn a_folder_with_its_card_is_a_dataset() {
    let Some(python) = Python::find() else {
        return;
    };
    let place = drawn();
    place
        .redraft("export -f cai --texts revisions --split train=0.5,test=0.5 -o data/")
        .run()
        .exits(0);
    let folder = format!("{}/", place.path("data").display());
    let loaded = python.load(place.folder(), &json!({ "data": folder }));
    for split in ["train", "test"] {
        let written = place.json_lines(&format!("data/{split}.jsonl"));
        assert_eq!(
            loaded["data"][split]["rows"],
            Value::Array(written),
            "{split}"
        );
    }
}
