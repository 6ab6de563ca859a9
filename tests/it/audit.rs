//! `redraft audit`: checkpoints, proofs, erasure, and what verify says of a store.

use serde_json::{Value, json};

use crate::support::{Act, Asked, MANNERS, Place, Server, example};

const RUN: &str = "run in.jsonl -c manners.yaml --concurrency 2 --run r";

/// A run of a few records with a model, and a key.
fn audited(server: &Server) -> Place {
    let place = Place::with_manners();
    place.write_prompts(
        "in.jsonl",
        ["draft: Go. !be-kind", "draft: Hello.", "draft: Bye."],
    );
    place.redraft("audit keygen --name us").run().exits(0);
    place
        .redraft(&format!("{RUN} --audit-key redraft.key"))
        .model(server)
        .run()
        .exits(0)
        .says("checkpoint:")
        .says("signed by us");
    place
}

fn verified(place: &Place, arguments: &str, code: i32) -> Value {
    let command = format!("audit verify --json --public-key redraft.key.pub {arguments}");
    place.redraft(&command).run().exits(code).json()
}

#[test]
fn three_commands_give_a_run_and_a_verified_checkpoint() {
    let place = Place::new();
    place.redraft("audit keygen").run().exits(0);
    place
        .redraft("run")
        .arg(example("support-replies.jsonl"))
        .env("REDRAFT_AUDIT_KEY", "redraft.key")
        .run()
        .exits(0);
    place
        .redraft("audit verify --public-key redraft.key.pub")
        .run()
        .exits(0)
        .prints("payloads      holds: 240 transcripts")
        .prints("signature     holds: signed by redraft")
        .prints("completeness  holds: 1 of 1 runs finished and complete")
        .prints("every row has its transcript");
}

#[cfg(unix)]
#[test]
fn a_key_is_for_its_owner_alone_and_never_written_over() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let public = place.redraft("audit keygen").run().exits(0).out;
    let secret = place.read("redraft.key");
    assert_eq!(place.read("redraft.key.pub"), public);
    assert!(secret.starts_with("PRIVATE+KEY+redraft+") && !public.contains("PRIVATE"));
    let mode = std::fs::metadata(place.path("redraft.key"))
        .expect("a key")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    place
        .redraft("audit keygen")
        .run()
        .exits(1)
        .says("no key is ever written over");
    assert_eq!(place.read("redraft.key"), secret);
}

#[test]
fn a_checkpoint_without_a_key_says_that_it_is_unsigned() {
    let place = Place::new();
    place
        .redraft("run")
        .arg(example("support-replies.jsonl"))
        .run()
        .exits(0)
        .says("242 leaves, unsigned");
    place
        .redraft("audit checkpoint -o checkpoint")
        .run()
        .exits(0)
        .says("It is unsigned");
    let lines = place.read("checkpoint").lines().count();
    assert_eq!(lines, 4, "origin, size, root and time");
    place.redraft("audit keygen").run().exits(0);
    let told = verified(&place, "--checkpoint checkpoint", 1);
    assert_eq!(told["signature"]["state"], "fails");
    assert_eq!(told["tree"]["state"], "holds");
}

#[test]
fn an_edit_is_named_and_newest_rows_that_are_gone_are_seen() {
    let server = Server::start();
    let place = audited(&server);
    place
        .redraft("audit checkpoint --key redraft.key -o kept")
        .run()
        .exits(0);
    let told = verified(&place, "--checkpoint kept --older kept", 0);
    for part in [
        "payloads",
        "tree",
        "consistency",
        "signature",
        "completeness",
    ] {
        assert_eq!(told[part]["state"], "holds", "{part}: {told:#}");
    }
    let store = place.store();
    store
        .execute(
            "UPDATE transcripts SET body = replace(body, 'Hello', 'Hallo') WHERE record = 'r2'",
            [],
        )
        .expect("an edit");
    let told = verified(&place, "--checkpoint kept", 1);
    assert_eq!(told["payloads"]["bad"], 1);
    assert_eq!(told["payloads"]["problems"][0]["record"], "r2");
    assert_eq!(told["tree"]["state"], "holds");
    place
        .redraft("audit verify")
        .run()
        .exits(1)
        .prints("✗ record r2, run r, leaf")
        .prints("its transcript was edited");
    store
        .execute_batch(
            "DELETE FROM transcripts WHERE position > 1;
             DELETE FROM leaves WHERE number > 2;
             DELETE FROM tree_checkpoints;
             UPDATE runs SET sealed = 1",
        )
        .expect("an edit");
    place
        .redraft("audit verify --checkpoint kept")
        .run()
        .exits(1)
        .prints("the newest 3 are gone");
}

#[test]
fn a_proof_is_checked_without_the_store_and_stays_when_the_payload_is_erased() {
    let server = Server::start();
    let place = audited(&server);
    let secret = "Hello";
    place.redraft("audit prove r2 -o proof.json").run().exits(0);
    place
        .redraft("audit prove r2 --without-payload -o bare.json")
        .run()
        .exits(0);
    assert!(place.read("proof.json").contains(secret));
    assert!(!place.read("bare.json").contains(secret));
    let check = |name: &str, code| {
        let command = format!("audit verify --json --public-key redraft.key.pub --proof {name}");
        let elsewhere = Place::new();
        for file in [name, "redraft.key.pub"] {
            elsewhere.write(file, place.read(file));
        }
        elsewhere.redraft(&command).run().exits(code).json()
    };
    let told = check("proof.json", 0);
    assert_eq!(told["entry"]["record"], "r2");
    let parts = json!([
        told["is_included"],
        told["payload_matches"],
        told["is_signed"]
    ]);
    assert_eq!(parts, json!([true, true, true]));
    assert_eq!(check("bare.json", 0)["payload_matches"], Value::Null);
    for (name, from, to) in [
        ("payload.json", secret, "Hallo"),
        ("entry.json", "\\\"line\\\":2", "\\\"line\\\":3"),
        ("checkpoint.json", "time 20", "time 30"),
    ] {
        let proof = place.read("proof.json");
        assert!(proof.contains(from), "{from}");
        place.write(name, proof.replacen(from, to, 1));
        check(name, 1);
    }

    let calls = place.count("SELECT count(*) FROM calls");
    place
        .redraft("audit erase r2 --author Ann")
        .args(["--reason", "the customer asked"])
        .run()
        .exits(0)
        .says("2 calls");
    assert_eq!(place.count("SELECT count(*) FROM calls"), calls - 2);
    place
        .redraft("show r2")
        .run()
        .exits(0)
        .prints("erased by Ann: the customer asked");
    place
        .redraft("audit erase r2 --reason again")
        .run()
        .exits(1)
        .says("it was erased already");
    place
        .redraft("audit checkpoint --key redraft.key")
        .run()
        .exits(0);
    place
        .redraft("audit prove r2 -o erased.json")
        .run()
        .exits(0);
    let told = check("erased.json", 0);
    assert_eq!(told["erasure_is_included"], true);
    check("proof.json", 0);
    let told = verified(&place, "", 0);
    assert_eq!(told["runs"][0]["erased"], 1);
    // What was said is in no page of the file any more.
    let bytes = std::fs::read(place.path("redraft.db")).expect("the store");
    let needle = b"draft: Hello.";
    assert!(!bytes.windows(needle.len()).any(|part| part == needle));

    // And the run goes on without doing the record again.
    server.forget();
    place
        .redraft(&format!("{RUN} -o out.jsonl"))
        .model(&server)
        .run()
        .exits(0);
    assert_eq!(server.count(), 0);
    assert_eq!(place.json_lines("out.jsonl").len(), 2);
    assert!(
        place
            .read("out.jsonl.rejected.jsonl")
            .contains("its transcript was erased")
    );
}

#[test]
fn records_that_are_done_again_leave_their_leaves_and_an_event() {
    let refusing = Server::with(|asked: &Asked| {
        if asked.body.to_string().contains("Hello") {
            Act::Status(400, r#"{"error":{"message":"no"}}"#.to_owned())
        } else {
            Act::Answer
        }
    });
    let place = Place::with_manners();
    place.write_prompts("in.jsonl", ["draft: Go.", "draft: Hello.", "draft: Bye."]);
    place.redraft(RUN).model(&refusing).run().exits(3);
    place.redraft("audit checkpoint -o first").run().exits(0);
    let server = Server::start();
    place
        .redraft(&format!("{RUN} --retry-failed"))
        .model(&server)
        .run()
        .exits(0);
    let told = place
        .redraft("audit verify --json --older first")
        .run()
        .exits(0)
        .json();
    let run = &told["runs"][0];
    assert_eq!(
        (&run["withdrawn"], &run["transcripts"]),
        (&json!(1), &json!(3)),
        "{told:#}"
    );
    assert_eq!(run["state"], "holds");
    assert_eq!(told["consistency"]["state"], "holds");
    // began, three seals, ended, withdrawn, a seal, ended
    assert_eq!(told["leaves"], 8);
}

#[test]
fn a_run_that_has_not_ended_is_not_called_complete() {
    let refusal = r#"{"error":{"message":"no"}}"#;
    let server = Server::with(move |_: &Asked| Act::Status(401, refusal.to_owned()));
    let place = Place::with_manners();
    place.write_prompts("in.jsonl", ["draft: Go.", "draft: Hello."]);
    place
        .redraft("run in.jsonl -c manners.yaml --concurrency 1 --run r")
        .model(&server)
        .run()
        .exits(1);
    let told = place.redraft("audit verify --json").run().exits(0).json();
    assert_eq!(told["completeness"]["state"], "not-checked");
    assert_eq!(told["runs"][0]["what"], "it has not ended");
}

#[test]
fn a_replay_comes_out_the_same_and_names_what_does_not() {
    let server = Server::start();
    let place = audited(&server);
    server.forget();
    let replay = |arguments: &str, code| {
        let command = format!("audit replay r -c manners.yaml --json {arguments}");
        place.redraft(&command).run().exits(code).json()
    };
    let told = replay("", 0);
    assert_eq!(
        (&told["transcripts"], &told["same"]),
        (&json!(3), &json!(3)),
        "{told:#}"
    );
    assert_eq!(replay("r1", 0)["same"], 1);

    // A reply in the journal that somebody edited.
    let store = place.store();
    let edited = store
        .execute(
            "UPDATE calls SET reply = CAST(replace(CAST(reply AS TEXT), 'be-brief', 'be-kind') AS BLOB)
             WHERE id = (SELECT min(id) FROM calls WHERE CAST(reply AS TEXT) LIKE '%be-brief%')",
            [],
        )
        .expect("an edit");
    assert_eq!(edited, 1);
    let told = replay("", 1);
    assert_eq!(told["same"], 2, "{told:#}");
    let why = &told["failed"][0];
    assert!(
        why["different"]["call"].is_object() || why["missed"].is_object(),
        "{told:#}"
    );

    store
        .execute(
            "DELETE FROM calls WHERE id = (SELECT min(id) FROM calls WHERE request LIKE '%Bye%')",
            [],
        )
        .expect("an edit");
    let told = replay("", 1);
    let failed = told["failed"].as_array().expect("a list");
    assert!(
        failed
            .iter()
            .any(|failed| failed["missed"]["compared"] == "gone"),
        "{told:#}"
    );
    place
        .redraft("audit replay r -c manners.yaml")
        .run()
        .exits(1)
        .prints("no reply to the call of the");
    assert_eq!(server.count(), 0, "nobody is asked");

    place.write("manners.yaml", MANNERS.replace("kind to", "gentle to"));
    place
        .redraft("audit replay r -c manners.yaml")
        .run()
        .exits(2)
        .says("this is not the constitution of the run r");
}
