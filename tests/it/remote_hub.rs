//! Datasets read from the hub: files, folders, patterns, revisions, and who may read them.

use serde_json::{Value, json};

use crate::support::{Buckets, Fault, Hub, Place, TOKEN, lines};

fn row(id: &str) -> Value {
    json!({ "id": id, "prompt": "Whom?", "answer": format!("Mail {id}@example.com.") })
}

fn hub() -> Hub {
    let hub = Hub::start(Buckets::open(|_| Fault::None));
    for (path, id) in [
        ("o/n/main/data/train-0.jsonl", "t0"),
        ("o/n/main/data/train-1.jsonl", "t1"),
        ("o/n/main/data/train-2.jsonl", "t2"),
        ("o/n/main/data/test-0.jsonl", "e0"),
        ("o/n/main/more/x/train-9.jsonl", "t9"),
        ("o/n/v2/data/train-0.jsonl", "v0"),
        ("o/n/refs/convert/parquet/a.jsonl", "c0"),
        ("private/n/main/a.jsonl", "p0"),
        ("gated/n/main/a.jsonl", "g0"),
    ] {
        hub.put(path, lines([row(id)]));
    }
    hub.put("o/n/main/README.md", "# Data");
    hub
}

#[test]
fn files_folders_patterns_and_revisions_are_read() {
    let hub = hub();
    for (input, ids) in [
        ("o/n/data/train-1.jsonl", &["t1"][..]),
        ("o/n@v2/data/train-0.jsonl", &["v0"]),
        ("o/n@refs/convert/parquet/a.jsonl", &["c0"]),
        ("o/n/data", &["e0", "t0", "t1", "t2"]),
        ("o/n/data/train-*.jsonl", &["t0", "t1", "t2"]),
        ("o/n/**/train-[29].jsonl", &["t2", "t9"]),
        ("o/n@v2/data/", &["v0"]),
    ] {
        let place = Place::new();
        let command = place.redraft(&format!("run hf://datasets/{input} -o out.jsonl"));
        hub.env(command).run().exits(0);
        let rows = place.json_lines("out.jsonl");
        let found: Vec<&str> = rows
            .iter()
            .map(|row| row["id"].as_str().expect("text"))
            .collect();
        assert_eq!(found, ids, "{input}");
    }
    let pages = hub
        .requests()
        .into_iter()
        .filter(|(path, _)| path.contains("cursor="));
    assert!(pages.count() > 0, "no second page was asked for");
}

#[test]
fn the_token_goes_to_the_hub_and_nowhere_else() {
    let hub = hub();
    let place = Place::new();
    let command = place.redraft("run hf://datasets/private/n/a.jsonl -o out.jsonl");
    hub.env(command)
        .env("HF_TOKEN", TOKEN)
        .env("RUST_LOG", "trace")
        .run()
        .exits(0)
        .does_not_say(TOKEN);
    assert_eq!(place.json_lines("out.jsonl").len(), 1);
    assert!(
        hub.requests().iter().all(|(_, told)| *told),
        "the hub was not told the token"
    );
    let files = hub.files().requests();
    assert!(!files.is_empty(), "nobody was sent on");
    for asked in files {
        assert!(!asked.headers.contains_key("authorization"), "{asked:?}");
    }
}

#[test]
fn refusals_of_the_hub_say_what_to_do() {
    let hub = hub();
    for (input, token, says) in [
        (
            "gated/n/a.jsonl",
            None,
            "is in a gated dataset: accept its terms at http://",
        ),
        (
            "private/n/a.jsonl",
            None,
            "no token is set: the dataset is private, or there is none",
        ),
        (
            "private/n/a.jsonl",
            Some("hf_wrong"),
            "HF_TOKEN is set, but expired, wrong, or without",
        ),
        (
            "private/n/a.jsonl",
            Some("hf_\nwrong"),
            "HF_TOKEN holds what no token can hold",
        ),
        ("o/none/a.jsonl", None, "the hub knows no such dataset"),
        (
            "o/n@v9/a.jsonl",
            None,
            "the hub knows no such revision; check what stands behind the @",
        ),
        (
            "o/n/none.jsonl",
            None,
            "nothing at hf://datasets/o/n/none.jsonl: the hub knows no such file",
        ),
        ("o/n/none-*.jsonl", None, "no file fits the pattern"),
        ("o/n", None, "holds no rows; "),
        ("o", None, "give hf://datasets/OWNER/NAME[@REVISION]/PATH"),
    ] {
        let place = Place::new();
        let mut command = hub.env(place.redraft("run").arg(format!("hf://datasets/{input}")));
        if let Some(token) = token {
            command = command.env("HF_TOKEN", token);
        }
        command
            .run()
            .exits(1)
            .says(says)
            .does_not_say("wrong\n")
            .does_not_say("hf_")
            .does_not_say(TOKEN);
    }
    let place = Place::new();
    place.write("in.jsonl", lines([row("a")]));
    place
        .redraft("run in.jsonl -o hf://datasets/o/n/out.jsonl")
        .run()
        .exits(1)
        .says("nothing can be written to hf://datasets/o/n/out.jsonl")
        .says("hf upload OWNER/NAME PATH --repo-type dataset");
    place
        .redraft("run in.jsonl -o https://h.example/out.jsonl?key=secret")
        .run()
        .exits(1)
        .says("nothing can be written to https://h.example/out.jsonl; give a file")
        .does_not_say("secret");
}
