//! Outputs written to buckets: whole or not at all, in parts, in shards, and by every command that
//! writes rows.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Buckets, Fault, Place, Server, hash, json_lines, lines, wait_until};

fn rows(count: usize) -> Vec<Value> {
    (0..count)
        .map(|n| json!({ "id": format!("r{n}"), "prompt": "Whom?", "answer": format!("Mail a{n}@example.com.") }))
        .collect()
}

fn bucket() -> Buckets {
    let buckets = Buckets::start();
    buckets.put("data/.keep", "");
    buckets
}

#[test]
fn every_format_is_written_to_a_bucket_as_to_a_file() {
    let buckets = bucket();
    let place = Place::new();
    place.write("in.jsonl", lines(rows(50)));
    for ending in [
        "jsonl",
        "jsonl.gz",
        "jsonl.zst",
        "json",
        "csv",
        "tsv.gz",
        "parquet",
    ] {
        let name = format!("out.{ending}");
        place.redraft("run in.jsonl -o").arg(&name).run().exits(0);
        let out = format!("s3://data/deep/er/{name}");
        let command = place.redraft("run in.jsonl -o").arg(&out);
        buckets.s3(command).run().exits(0).says(&out);
        let written = buckets
            .get(&format!("data/deep/er/{name}"))
            .expect("an object");
        assert_eq!(
            written,
            fs::read(place.path(&name)).expect("a file"),
            "{name}"
        );
    }
    assert_eq!(buckets.unfinished(), 0);
}

#[test]
fn google_and_azure_are_written_in_parts() {
    let buckets = Buckets::open(|_| Fault::None);
    buckets.put("data/.keep", "");
    let place = Place::new();
    // More than one part, since nothing of it compresses away.
    let odd = |n: usize| (0..600).map(move |k| format!("{:016x}", hash(&format!("{n}/{k}"))));
    let long = (0..2000).map(|n| {
        let odd: String = odd(n).collect();
        json!({ "id": n, "prompt": "Whom?", "answer": "Ann.", "note": odd })
    });
    place.write("in.jsonl", lines(long));
    place.redraft("run in.jsonl -o out.jsonl").run().exits(0);
    let local = fs::read(place.path("out.jsonl")).expect("a file");
    assert!(local.len() > 17 << 20, "only {} bytes", local.len());
    for (out, env) in [
        (
            "gs://data/out.jsonl",
            [
                ("GOOGLE_BASE_URL", buckets.url()),
                ("GOOGLE_BEARER_TOKEN", "token"),
            ]
            .to_vec(),
        ),
        (
            "abfs://data@account.dfs.core.windows.net/out.jsonl",
            [
                ("AZURE_ENDPOINT", buckets.url()),
                ("AZURE_ALLOW_HTTP", "true"),
                ("AZURE_SKIP_SIGNATURE", "true"),
            ]
            .to_vec(),
        ),
        (
            "s3://data/out.jsonl",
            [
                ("AWS_ENDPOINT_URL", buckets.url()),
                ("AWS_ALLOW_HTTP", "true"),
                ("AWS_SKIP_SIGNATURE", "true"),
            ]
            .to_vec(),
        ),
    ] {
        let mut command = place.redraft("run in.jsonl -o").arg(out);
        for (name, value) in env {
            command = command.env(name, value);
        }
        command.run().exits(0);
        assert_eq!(
            buckets.get("data/out.jsonl").expect("an object"),
            local,
            "{out}"
        );
        buckets.put("data/out.jsonl", "");
    }
    let longest = buckets.requests().iter().map(|asked| asked.length).max();
    assert!(
        longest <= Some(16 << 20),
        "{longest:?} bytes in one request"
    );
}

#[test]
fn rejected_rows_lie_beside_the_output_and_go_when_there_are_none() {
    let buckets = bucket();
    let place = Place::new();
    place.write("in.jsonl", lines(rows(3)) + "nonsense\n");
    let run = || {
        buckets
            .s3(place.redraft("run in.jsonl -o s3://data/out.jsonl"))
            .run()
            .exits(0)
    };
    run().says("s3://data/out.jsonl.rejected.jsonl");
    let rejected = buckets
        .get("data/out.jsonl.rejected.jsonl")
        .expect("an object");
    assert_eq!(json_lines(&String::from_utf8_lossy(&rejected)).len(), 1);
    place.write("in.jsonl", lines(rows(3)));
    run();
    assert_eq!(buckets.get("data/out.jsonl.rejected.jsonl"), None);
}

#[test]
fn who_may_write_needs_not_read() {
    let buckets = Buckets::with(|asked| match asked.method.as_str() {
        "GET" | "HEAD" => Fault::Status(403, "AccessDenied"),
        _ => Fault::None,
    });
    buckets.put("data/.keep", "");
    let place = Place::new();
    place.write("in.jsonl", lines(rows(3)));
    let command = place.redraft("run in.jsonl -o s3://data/out.jsonl");
    buckets.s3(command).run().exits(0);
    assert!(buckets.get("data/out.jsonl").is_some());
}

#[test]
fn shards_replace_those_of_an_earlier_output_and_nothing_else() {
    let buckets = bucket();
    let place = Place::new();
    let run = |count: usize| {
        place.write("in.jsonl", lines(rows(count)));
        let command = "run in.jsonl -o s3://data/train.jsonl.gz --rows-per-shard 4";
        buckets.s3(place.redraft(command)).run()
    };
    let names = |count: usize| (0..count).map(|n| format!("data/train/train-{n:05}.jsonl.gz"));
    let expected = |count| {
        ["data/.keep".to_owned()]
            .into_iter()
            .chain(names(count))
            .collect::<Vec<_>>()
    };
    run(18).exits(0).says("s3://data/train");
    assert_eq!(buckets.paths(), expected(5));
    run(10).exits(0);
    assert_eq!(buckets.paths(), expected(3));
    let command = place.redraft("run s3://data/train/ -o again.jsonl");
    buckets.s3(command).run().exits(0).says("10 rows read");
    assert_eq!(buckets.unfinished(), 0);
    buckets.put("data/train/notes.txt", "mine");
    run(10)
        .exits(1)
        .says("holds notes.txt, which is none of it");
}

#[test]
fn the_input_is_not_replaced() {
    let buckets = bucket();
    buckets.put("data/in/a.jsonl", lines(rows(2)));
    let place = Place::new();
    for (input, out, says) in [
        (
            "s3://data/in/a.jsonl",
            "s3://data/in/a.jsonl",
            "would replace the input",
        ),
        (
            "s3://data/in/",
            "s3://data/in/out.jsonl",
            "would become a part of the input",
        ),
        (
            "s3://data/**/*.jsonl",
            "s3://data/in/out.jsonl",
            "would become a part of the input",
        ),
    ] {
        let command = place.redraft("run").arg(input).arg("-o").arg(out);
        buckets.s3(command).run().exits(1).says(says);
    }
    let command = place.redraft("run s3://data/in/a.jsonl -o s3://data/in/b.jsonl");
    buckets.s3(command).run().exits(0);
}

/// Nothing is seen of an output whose run was killed, and the same command writes it.
#[test]
fn an_output_of_a_killed_run_is_not_seen() {
    let server = Server::start();
    let buckets = bucket();
    let place = Place::with_manners();
    place.write_prompts("in.jsonl", (0..200).map(|n| format!("draft: Row {n}.")));
    let command = "run in.jsonl -o s3://data/out.jsonl -c manners.yaml --concurrency 2";
    let running = buckets.s3(place.redraft(command)).model(&server).start();
    wait_until("some calls were made", || server.count() > 50);
    running.kill();
    assert_eq!(buckets.paths(), ["data/.keep"]);
    buckets
        .s3(place.redraft(command))
        .model(&server)
        .run()
        .exits(0);
    let out = buckets.get("data/out.jsonl").expect("an object");
    assert_eq!(json_lines(&String::from_utf8_lossy(&out)).len(), 200);
}

#[test]
fn exports_go_to_a_bucket_with_their_card() {
    let buckets = bucket();
    let place = Place::new();
    place.write("in.jsonl", lines(rows(20)));
    place.redraft("run in.jsonl").run().exits(0);
    let export = |out: &str| {
        let command = place.redraft(&format!(
            "export --format sft -o {out} --split train=0.5,test=0.5"
        ));
        buckets.s3(command).run()
    };
    export("s3://data/sets/").exits(0).says("s3://data/sets");
    let expected = [
        "data/.keep",
        "data/sets/README.md",
        "data/sets/test.jsonl",
        "data/sets/train.jsonl",
    ];
    assert_eq!(buckets.paths(), expected);
    let card = buckets.get("data/sets/README.md").expect("a card");
    assert!(String::from_utf8_lossy(&card).contains("train.jsonl"));
    export("s3://data/sets/").exits(0);
    buckets.put("data/sets/README.md", "mine");
    export("s3://data/sets/").exits(0);
    assert_eq!(buckets.get("data/sets/README.md").expect("a file"), "mine");
    export("s3://data/sft.jsonl.gz").exits(0);
    assert!(buckets.get("data/sft-test.jsonl.gz").is_some());
}
