//! Places that cannot be read or written: what is said, what is tried again, and what is never
//! shown.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::support::{Buckets, Fault, KEY, Place, Redraft, SECRET, lines};

fn text(count: usize) -> String {
    lines((0..count).map(|n| json!({ "id": n, "prompt": "Whom?", "answer": format!("Ann, {n}.") })))
}

/// A port of this machine on which nobody listens.
fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    format!("http://{address}")
}

fn run(place: &Place, input: &str) -> Redraft {
    place
        .redraft("run")
        .arg(input)
        .env("REDRAFT_REMOTE_RETRIES", "1")
}

#[test]
fn a_machine_that_does_not_answer_is_named() {
    let place = Place::new();
    let address = nobody();
    let host = address.trim_start_matches("http://").to_owned();
    run(&place, &format!("{address}/in.jsonl"))
        .run()
        .exits(1)
        .says(&format!("cannot reach {host} for {address}/in.jsonl"))
        .says("check the address and the network");
    // A name so long that nobody has to be asked for it.
    let name = "a".repeat(70);
    run(&place, &format!("http://{name}/in.jsonl"))
        .run()
        .exits(1)
        .says(&format!("cannot reach {name} for http://{name}/in.jsonl"));
    let bucket = run(&place, "s3://data/in.jsonl")
        .env("AWS_ENDPOINT_URL", &address)
        .env("AWS_ALLOW_HTTP", "true")
        .env("AWS_ACCESS_KEY_ID", KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET);
    bucket
        .run()
        .exits(1)
        .says(&format!("cannot reach {host} for s3://data/in.jsonl"))
        .does_not_say(SECRET);
    run(&place, "hf://datasets/o/n/in.jsonl")
        .env("HF_ENDPOINT", &address)
        .run()
        .exits(1)
        .says(&format!(
            "cannot reach {host} for hf://datasets/o/n/in.jsonl"
        ));
}

#[test]
fn what_is_not_there_is_told_apart() {
    let buckets = Buckets::start();
    buckets.put("data/in.jsonl", text(1));
    let place = Place::new();
    for (input, says) in [
        (
            "s3://none/in.jsonl",
            "nothing at s3://none/in.jsonl: there is no such bucket",
        ),
        (
            "s3://data/none.jsonl",
            "there is nothing at s3://data/none.jsonl",
        ),
        ("s3://data/none/", "there is nothing at s3://data/none/"),
        ("s3://data/none-*.jsonl", "no file fits the pattern"),
        ("s3://data/a//b.jsonl", "a part of the key is empty"),
        ("s3:///in.jsonl", "it names no bucket"),
        (
            "ftp://data/in.jsonl",
            "ftp:// is no place that is read; known are s3://",
        ),
    ] {
        let command = buckets.s3(place.redraft("run").arg(input));
        command.run().exits(1).says(says);
    }
    let web = Buckets::open(|_| Fault::None);
    run(&place, &format!("{}/in.jsonl", web.url()))
        .run()
        .exits(1)
        .says("there is nothing at http://");
    place.write("in.jsonl", text(1));
    for (out, says) in [
        ("s3://none/out.jsonl", "there is no such bucket"),
        ("s3://data", "is a folder; give the path of a file"),
        ("s3://data/out/", "is a folder; give the path of a file"),
    ] {
        let command = buckets.s3(place.redraft("run in.jsonl -o").arg(out));
        command.run().exits(1).says(says);
    }
}

#[test]
fn credentials_that_are_wrong_or_missing_say_where_they_come_from() {
    let buckets = Buckets::start();
    buckets.put("data/in.jsonl", text(1));
    let place = Place::new();
    place.write("in.jsonl", text(1));
    for command in [
        "run s3://data/in.jsonl",
        "run in.jsonl -o s3://data/out.jsonl",
    ] {
        let wrong = buckets
            .s3(place.redraft(command))
            .env("AWS_ACCESS_KEY_ID", "AKIDOTHER");
        wrong
            .run()
            .exits(1)
            .says("may not be used: the server answers 403 (InvalidAccessKeyId)")
            .says("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
            .does_not_say(SECRET)
            .does_not_say("AKIDOTHER");
        let missing = buckets
            .s3(place.redraft(command))
            .env("AWS_ACCESS_KEY_ID", "")
            .env("AWS_SECRET_ACCESS_KEY", "")
            .env("AWS_METADATA_ENDPOINT", nobody());
        missing
            .run()
            .exits(1)
            .says("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
    }
    let web = Buckets::open(|_| Fault::Status(401, ""));
    web.put("files/in.jsonl", text(1));
    let url = format!("{}/files/in.jsonl?sig=never-shown", web.url());
    run(&place, &url)
        .run()
        .exits(1)
        .says("the server answers 401; an address that anyone may read is needed")
        .does_not_say("never-shown");
}

#[test]
fn a_server_that_fails_for_a_while_is_asked_again() {
    let buckets = Buckets::with(|asked| match asked.before {
        0 => Fault::Status(503, "SlowDown"),
        1 => Fault::Status(500, "InternalError"),
        _ => Fault::None,
    });
    buckets.put("data/in/a.jsonl", text(3));
    let place = Place::new();
    for input in ["s3://data/in/a.jsonl", "s3://data/in/"] {
        let command = place.redraft(&format!("run {input} -o s3://data/out.jsonl"));
        buckets.s3(command).run().exits(0).says("3 rows read");
    }
    assert!(buckets.get("data/out.jsonl").is_some());
    let web = Buckets::open(|asked| match asked.before {
        0 => Fault::Status(429, ""),
        _ => Fault::None,
    });
    web.put("files/in.jsonl", text(3));
    let url = format!("{}/files/in.jsonl", web.url());
    run(&place, &url).run().exits(0).says("3 rows read");
}

#[test]
fn a_server_that_fails_for_good_ends_the_run() {
    let failing = Buckets::with(|_| Fault::Status(503, "SlowDown"));
    failing.put("data/in.jsonl", text(3));
    let place = Place::new();
    place.write("in.jsonl", text(1));
    for command in [
        "run s3://data/in.jsonl",
        "run in.jsonl -o s3://data/out.jsonl",
    ] {
        failing
            .s3(place.redraft(command))
            .run()
            .exits(1)
            .says("the server answers 503 for s3://data/")
            .says("the same command goes on where it stopped")
            .does_not_say(SECRET);
    }
    let web = Buckets::open(|_| Fault::Status(500, ""));
    run(&place, &format!("{}/files/in.jsonl", web.url()))
        .run()
        .exits(1)
        .says("the server answers 500 for http://");
    assert_eq!(web.requests().len(), 2, "asked and asked once more");
}

#[test]
fn a_body_that_is_always_cut_ends_the_run_at_that_byte() {
    let web = Buckets::open(|asked| match asked.range() {
        Some((0, _)) => Fault::None,
        _ => Fault::CutAfter(0),
    });
    let text = text(2000);
    web.put("files/in.jsonl", text.clone());
    let place = Place::new();
    run(&place, &format!("{}/files/in.jsonl", web.url()))
        .run()
        .exits(1)
        .says(&format!("breaks off at byte 4096 of {}", text.len()));
}

/// What is uploaded when the server refuses is not left behind, and the run can be continued.
#[test]
fn an_upload_that_is_refused_leaves_nothing_and_goes_on() {
    let is_broken = Arc::new(AtomicBool::new(true));
    let broken = Arc::clone(&is_broken);
    let buckets = Buckets::with(move |asked| {
        let is_real = asked.length > 1 && asked.method == "PUT";
        if broken.load(Ordering::SeqCst) && is_real {
            Fault::Status(403, "AccessDenied")
        } else {
            Fault::None
        }
    });
    buckets.put("data/.keep", "");
    let place = Place::new();
    place.write("in.jsonl", text(40));
    for command in [
        "run in.jsonl -o s3://data/out.jsonl",
        "run in.jsonl -o s3://data/train.jsonl --rows-per-shard 15",
    ] {
        let before = buckets.paths();
        is_broken.store(true, Ordering::SeqCst);
        let ended = buckets.s3(place.redraft(command)).run().exits(1);
        ended.says("answers 403 (AccessDenied)");
        assert_eq!((buckets.paths(), buckets.unfinished()), (before, 0));
        is_broken.store(false, Ordering::SeqCst);
        buckets.s3(place.redraft(command)).run().exits(0).says("40");
    }
}
