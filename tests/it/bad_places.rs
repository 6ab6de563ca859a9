//! Inputs, outputs and stores that cannot be used: said before anything is begun.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::{Place, Server};

const ROW: &str = "{\"prompt\":\"Whom?\",\"answer\":\"Mail ann@example.com.\"}\n";

fn place() -> Place {
    let place = Place::new();
    place.write("in.jsonl", ROW);
    place
}

#[test]
fn inputs_that_are_not_there_or_are_something_else() {
    let place = place();
    place
        .redraft("run no.jsonl")
        .run()
        .exits(1)
        .says("there is no file no.jsonl");
    fs::create_dir(place.path("folder")).expect("a folder");
    place
        .redraft("run folder")
        .run()
        .exits(1)
        .says("the folder folder holds no rows");
    place.write("in.parquet", "PAR1");
    place
        .redraft("run in.parquet")
        .run()
        .exits(1)
        .says("in.parquet is named as Parquet and does not end so: it was cut short");
}

#[test]
fn outputs_that_cannot_be_written() {
    let place = place();
    fs::create_dir(place.path("folder")).expect("a folder");
    symlink(place.path("in.jsonl"), place.path("link.jsonl")).expect("a link");
    for (output, reason) in [
        (
            "nowhere/out.jsonl",
            "there is no folder nowhere for the output",
        ),
        ("folder", "the output folder is a folder"),
        ("in.jsonl", "in.jsonl would replace the input"),
        ("./in.jsonl", "in.jsonl would replace the input"),
        ("link.jsonl", "would replace the input"),
    ] {
        let ended = place
            .redraft("run in.jsonl -o")
            .arg(output)
            .run()
            .exits(1)
            .says(reason);
        assert!(
            !place.has("redraft.db"),
            "{output} is refused before the work begins; {ended}"
        );
    }
    assert_eq!(place.read("in.jsonl"), ROW);
}

/// Checked before the first call: nobody pays for rows that cannot be written.
#[test]
fn no_call_is_made_for_an_output_that_cannot_be_written() {
    let server = Server::start();
    let place = Place::with_manners();
    place.write_prompts("in.jsonl", ["draft: Hi."]);
    place
        .redraft("run in.jsonl -c manners.yaml -o nowhere/x")
        .model(&server)
        .run()
        .exits(1);
    place
        .redraft("run in.jsonl -c manners.yaml --store nowhere/x.db")
        .model(&server)
        .run()
        .exits(1);
    assert_eq!(server.count(), 0);
}

#[test]
fn an_output_that_is_there_is_replaced_only_at_the_end() {
    let place = place();
    place.write("out.jsonl", "old\n");
    place.write("bad.jsonl", "[]\n".repeat(25));
    place.redraft("run bad.jsonl -o out.jsonl").run().exits(1);
    assert_eq!(place.read("out.jsonl"), "old\n");
    place.redraft("run in.jsonl -o out.jsonl").run().exits(0);
    assert_eq!(place.json_lines("out.jsonl").len(), 1);
    assert_eq!(
        place.names(),
        ["bad.jsonl", "in.jsonl", "out.jsonl", "redraft.db"]
    );
}

#[test]
fn stores_that_cannot_be_opened() {
    let place = place();
    place
        .redraft("run in.jsonl --store in.jsonl/x.db")
        .run()
        .exits(1)
        .says("cannot open the store in.jsonl/x.db");
    place
        .redraft("run in.jsonl --store nowhere/x.db")
        .run()
        .exits(1)
        .says("cannot open the store nowhere/x.db");
    fs::create_dir(place.path("folder")).expect("a folder");
    place
        .redraft("run in.jsonl --store folder")
        .run()
        .exits(1)
        .says("folder");
    for command in ["show x", "runs", "stats"] {
        place
            .redraft(command)
            .run()
            .exits(1)
            .says("there is no such file");
    }
    assert!(!place.has("redraft.db"), "reading makes no store");
}

#[test]
fn a_file_that_is_no_store_is_refused_and_left_alone() {
    let place = place();
    place.write("notes.db", "Dear diary, this is longer than a header of SQLite has to be: one hundred bytes, give or take a few.");
    let before = place.read("notes.db");
    place
        .redraft("run in.jsonl --store notes.db")
        .run()
        .exits(1)
        .says("notes.db is not a redraft store");
    assert_eq!(place.read("notes.db"), before);

    let other = rusqlite::Connection::open(place.path("other.db")).expect("a database");
    other
        .execute_batch("CREATE TABLE diary (day TEXT)")
        .expect("a table");
    drop(other);
    place
        .redraft("run in.jsonl --store other.db")
        .run()
        .exits(1)
        .says("other.db is not a redraft store");
}

#[test]
fn a_store_of_a_newer_redraft_is_refused_by_name() {
    let place = place();
    place.redraft("run in.jsonl").run().exits(0);
    place
        .store()
        .execute_batch("PRAGMA user_version = 99")
        .expect("a version");
    for command in ["run in.jsonl", "runs", "stats"] {
        place
            .redraft(command)
            .run()
            .exits(1)
            .says("the store redraft.db has format 99")
            .says("install a newer redraft");
    }
}

#[test]
fn a_store_that_may_only_be_read() {
    let place = place();
    place.redraft("run in.jsonl").run().exits(0);
    let mut permissions = fs::metadata(place.path("redraft.db"))
        .expect("a store")
        .permissions();
    permissions.set_readonly(true);
    fs::set_permissions(place.path("redraft.db"), permissions).expect("permissions");
    if fs::OpenOptions::new()
        .write(true)
        .open(place.path("redraft.db"))
        .is_ok()
    {
        eprintln!("skipped: permissions do not bind this user");
        return;
    }
    place
        .redraft("run in.jsonl")
        .run()
        .exits(1)
        .says("read-only");
    place.redraft("stats").run().exits(0);
}
