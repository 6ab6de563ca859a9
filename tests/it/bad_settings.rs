//! Settings and constitutions that are wrong: exit 2, the place, and the nearest thing that is right.

use crate::support::{MANNERS, Place};

const ROW: &str = "{\"prompt\":\"Whom?\",\"answer\":\"Somebody.\"}\n";

fn place() -> Place {
    let place = Place::with_manners();
    place.write("in.jsonl", ROW);
    place
}

#[test]
fn a_misspelt_field_of_a_constitution() {
    let place = place();
    place.write(
        "bad.yaml",
        MANNERS.replace("severity: high", "severty: high"),
    );
    for command in [
        "run in.jsonl -c bad.yaml",
        "ask Hi -c bad.yaml",
        "constitution check bad.yaml",
    ] {
        place
            .redraft(command)
            .run()
            .exits(2)
            .says("bad.yaml:6:5")
            .says("severty: high")
            .says("severity");
    }
    assert!(!place.has("redraft.db") || place.count("SELECT count(*) FROM runs") == 0);
}

#[test]
fn a_constitution_that_is_no_yaml() {
    let place = place();
    place.write("bad.yaml", "constitution: [unclosed\nprinciples: 7\n");
    place
        .redraft("run in.jsonl -c bad.yaml")
        .run()
        .exits(2)
        .says("bad.yaml:");
}

#[test]
fn a_constitution_that_is_not_there() {
    let place = place();
    place
        .redraft("run in.jsonl -c privcy")
        .run()
        .exits(2)
        .says("privcy")
        .says("did you mean `privacy`?");
    place
        .redraft("run in.jsonl -c no/such.yaml")
        .run()
        .exits(2)
        .says("give the path of a YAML file");
}

#[test]
fn misspelt_and_mistyped_settings() {
    let place = place();
    for (settings, place_of, help) in [
        (
            "constitution: privacy\nsede: 3\n",
            "redraft.yaml:2:1",
            "seed",
        ),
        (
            "recipe: { preset: audit, rouns: 2 }\n",
            "redraft.yaml:1:26",
            "rounds",
        ),
        ("seed: many\n", "redraft.yaml:1:7", "seed"),
        ("recipe: { preset: audti }\n", "redraft.yaml:1:19", "audit"),
        (
            "models:\n  small: { model: m }\nroles: { critic: smal }\n",
            "redraft.yaml:3:18",
            "did you mean `small`?",
        ),
    ] {
        place.write("redraft.yaml", settings);
        place
            .redraft("run in.jsonl")
            .run()
            .exits(2)
            .says(place_of)
            .says(help);
    }
}

#[test]
fn settings_files_that_are_named_or_empty() {
    let place = place();
    place
        .redraft("run in.jsonl --config no.yaml")
        .run()
        .exits(2)
        .says("no.yaml");
    place.write("redraft.yaml", "# nothing but a comment\n");
    place.redraft("run in.jsonl").run().exits(0);
}

#[test]
fn the_command_line_wins_over_the_file() {
    let place = place();
    place.write(
        "redraft.yaml",
        "constitution: no-such\nstore: elsewhere.db\n",
    );
    place.redraft("run in.jsonl").run().exits(2).says("no-such");
    place.redraft("run in.jsonl -c privacy").run().exits(0);
    assert!(place.has("elsewhere.db"));
    place
        .redraft("run in.jsonl -c privacy --store here.db")
        .run()
        .exits(0);
    assert!(place.has("here.db"));
}

#[test]
fn principles_that_need_a_model_are_listed_with_two_ways_on() {
    let place = place();
    place
        .redraft("run in.jsonl -c manners.yaml")
        .run()
        .exits(2)
        .says("the constitution manners has 2 principles that need a model")
        .says("be-kind, be-brief")
        .says("--model NAME")
        .says("-c privacy");
}

#[test]
fn options_that_contradict_each_other() {
    let place = place();
    place
        .redraft("run in.jsonl --base-url http://127.0.0.1:1/v1")
        .run()
        .exits(2)
        .says("add --model NAME");
    place.redraft("run").run().exits(2);
    place
        .redraft("run in.jsonl --recipe mine")
        .run()
        .exits(2)
        .says("audit");
    place.redraft("ask Hi --json --quiet").run().exits(2);
    place
        .redraft("run in.jsonl -c manners.yaml --model m --base-url not-a-url")
        .run()
        .exits(2)
        .says("not a URL such as http://localhost:8000/v1");
}

/// What an answer holds is shown, never obeyed.
#[test]
fn escape_sequences_are_shown_escaped() {
    let place = Place::new();
    let hostile = "Mail ann@example.com \u{1b}[31mred\u{7}\u{1b}]0;title\u{7}\u{202e}";
    let row = serde_json::json!({ "id": "odd", "prompt": "Whom? \u{1b}[2J", "answer": hostile });
    place.write(
        "in.jsonl",
        format!("{row}\n{{\"id\":\"x\\u001b[1m\"}}\n[\"\\u001b\", \u{1b}\n"),
    );
    let run = place.redraft("run in.jsonl -o out.jsonl").run().exits(0);
    let show = place.redraft("show odd").run().exits(0);
    let ask = place
        .redraft("ask Whom? --answer")
        .arg(hostile)
        .run()
        .exits(0);
    let quiet = place
        .redraft("ask Whom? --quiet --answer")
        .arg(hostile)
        .run()
        .exits(0);
    for ended in [&run, &show, &ask, &quiet] {
        for text in [&ended.out, &ended.err] {
            assert!(
                !text.contains(['\u{1b}', '\u{7}', '\u{202e}']),
                "obeyed; {ended}"
            );
        }
    }
    assert!(run.err.contains(r"\u{1b}[31mred"), "{run}");
    assert!(show.out.contains(r"\u{1b}[31mred\u{7}"), "{show}");
    assert!(ask.out.contains(r"\u{1b}[31mred\u{7}"), "{ask}");
    // Data is data: the file holds what the answer held.
    let answer = &place.json_lines("out.jsonl")[0]["answer"];
    assert_eq!(
        *answer,
        hostile.replace("ann@example.com", "[e-mail address]")
    );
}
