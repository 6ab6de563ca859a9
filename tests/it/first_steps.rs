//! What comes before the first run: a settings file, shipped constitutions, completions.

use crate::support::{Place, Server};

#[test]
fn init_writes_files_that_work() {
    let place = Place::new();
    place
        .redraft("init")
        .run()
        .exits(0)
        .prints("redraft.yaml")
        .says("constitution check");
    place
        .redraft("constitution check --strict ./constitutions/ours.yaml")
        .run()
        .exits(0);
    place
        .redraft("init")
        .run()
        .exits(2)
        .says("is there already");
    // What it wrote is what the next command takes.
    let server = Server::start();
    place.write_prompts("in.jsonl", ["draft: Hi."]);
    place
        .redraft("run in.jsonl")
        .model(&server)
        .run()
        .exits(0)
        .says("against ours");
    place.redraft("init other").run().exits(0);
    assert!(place.has("other/redraft.yaml"));
}

#[test]
fn shipped_constitutions_are_listed_and_hold() {
    let place = Place::new();
    let list = place
        .redraft("constitution list --json")
        .run()
        .exits(0)
        .json_lines();
    let names: Vec<&str> = list
        .iter()
        .filter_map(|line| line["constitution"].as_str())
        .collect();
    for name in [
        "privacy",
        "harmlessness",
        "honesty-helpfulness",
        "customer-support",
        "medical-information",
    ] {
        assert!(names.contains(&name), "{names:?}");
        place
            .redraft("constitution check --strict")
            .arg(name)
            .run()
            .exits(0)
            .prints(name);
        place
            .redraft("constitution show")
            .arg(name)
            .run()
            .exits(0)
            .prints("e.g.");
    }
    let show = place
        .redraft("constitution show harmlessness --json")
        .run()
        .exits(0)
        .json();
    assert_eq!(show["principles"].as_array().map(Vec::len), Some(16));
}

#[test]
fn completions_and_versions() {
    let place = Place::new();
    place
        .redraft("completions bash")
        .run()
        .exits(0)
        .prints("complete -F _redraft");
    place.redraft("completions tcsh").run().exits(2);
    place
        .redraft("--version")
        .run()
        .exits(0)
        .prints(concat!("redraft ", env!("CARGO_PKG_VERSION")));
    place
        .redraft("--help")
        .run()
        .exits(0)
        .prints("constitution")
        .prints("stats");
    assert_eq!(
        place.names(),
        Vec::<String>::new(),
        "none of them touches the disk"
    );
}
