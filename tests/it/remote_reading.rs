//! Datasets read from other machines: buckets and addresses of the web, by the command as its users
//! have it.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use serde_json::{Value, json};

use crate::support::{Buckets, Ended, Fault, ObjectAsked, Place, hash, lines};

/// Rows whose answers hold an address to mend, and beside them so many bytes that do not compress
/// away.
fn rows(count: usize, bytes: usize) -> Vec<Value> {
    (0..count)
        .map(|n| {
            let odd = (0..bytes / 16).map(|k| format!("{:016x}", hash(&format!("{n}/{k}"))));
            let odd: String = odd.collect();
            let answer = format!("Mail a{n}@example.com, \"please\",\nor call.");
            let prompt = format!("Whom, {n}?");
            json!({ "id": format!("r{n}"), "prompt": prompt, "answer": answer, "note": odd })
        })
        .collect()
}

/// What the command makes of rows in a file, in the format of its name.
fn pack(rows: &[Value], name: &str) -> Bytes {
    let place = Place::new();
    place.write("rows.jsonl", lines(rows));
    place.redraft("run rows.jsonl -o").arg(name).run().exits(0);
    fs::read(place.path(name)).expect("a file").into()
}

fn ids(place: &Place, name: &str) -> Vec<Value> {
    let rows = place.json_lines(name);
    rows.iter().map(|row| row["id"].clone()).collect()
}

/// Reads an address of a bucket into `out.jsonl`.
fn read(buckets: &Buckets, place: &Place, inputs: &str) -> Ended {
    let command = place.redraft(&format!("run {inputs} -o out.jsonl --json"));
    buckets.s3(command).run()
}

#[test]
fn every_format_is_read_from_a_bucket_as_from_a_file() {
    let buckets = Buckets::start();
    let rows = rows(300, 100);
    for name in [
        "in.jsonl",
        "in.jsonl.gz",
        "in.jsonl.zst",
        "in.json",
        "in.json.gz",
        "in.csv",
        "in.csv.zst",
        "in.tsv",
        "in.parquet",
    ] {
        let bytes = pack(&rows, name);
        let place = Place::new();
        place.write(name, &bytes);
        place.redraft("run -o local.jsonl").arg(name).run().exits(0);
        buckets.put(&format!("data/{name}"), bytes);
        let ended = read(&buckets, &place, &format!("s3://data/{name}"));
        ended.exits(0).says("reads: 1 file of");
        assert_eq!(place.read("out.jsonl"), place.read("local.jsonl"), "{name}");
    }
}

#[test]
fn folders_and_patterns_are_listed_page_by_page() {
    let buckets = Buckets::start();
    let rows = rows(8, 0);
    for (number, row) in rows.iter().enumerate() {
        buckets.put(&format!("data/in/p{number}.jsonl"), lines([row]));
    }
    buckets.put("data/in/README.md", "# Data");
    buckets.put(
        "data/in/deeper/p9.jsonl",
        lines([&json!({ "id": "deep", "prompt": "Whom?", "answer": "Ann." })]),
    );
    let place = Place::new();
    for (inputs, count, last) in [
        ("s3://data/in/", 8, "r7"),
        ("s3://data/in", 8, "r7"),
        ("s3://data/in/p[0-5].jsonl", 6, "r5"),
        ("s3://data/*/p*.jsonl", 8, "r7"),
        ("s3://data/**/p[79].jsonl", 2, "r7"),
        ("s3://data/in/p3.jsonl s3://data/in/p1.jsonl", 2, "r1"),
    ] {
        let ended = read(&buckets, &place, inputs).exits(0);
        let ids = ids(&place, "out.jsonl");
        assert_eq!(
            (ids.len(), ids.last()),
            (count, Some(&json!(last))),
            "{inputs}: {ended}"
        );
    }
    read(&buckets, &place, "s3://data/in/")
        .exits(0)
        .says("in against privacy")
        .says("left out: README.md");
    let lists = buckets.requests().into_iter();
    let lists = lists.filter(|asked| asked.query.contains("continuation-token"));
    assert!(lists.count() > 0, "no second page was asked for");
}

#[test]
fn google_and_azure_are_read_and_listed() {
    let buckets = Buckets::open(|_| Fault::None);
    let rows = rows(5, 0);
    for (number, row) in rows.iter().enumerate() {
        buckets.put(&format!("data/in/p{number}.jsonl"), lines([row]));
    }
    for (scheme, env) in [
        (
            "gs://data",
            [
                ("GOOGLE_BASE_URL", buckets.url()),
                ("GOOGLE_SKIP_SIGNATURE", "true"),
            ]
            .to_vec(),
        ),
        (
            "az://data",
            [
                ("AZURE_ENDPOINT", buckets.url()),
                ("AZURE_ALLOW_HTTP", "true"),
                ("AZURE_STORAGE_ACCOUNT_NAME", "account"),
                ("AZURE_SKIP_SIGNATURE", "true"),
            ]
            .to_vec(),
        ),
    ] {
        for (inputs, count) in [("in/p1.jsonl", 1), ("in/", 5), ("*/p[0-2].jsonl", 3)] {
            let place = Place::new();
            let mut command = place.redraft(&format!("run {scheme}/{inputs} -o out.jsonl"));
            for (name, value) in &env {
                command = command.env(name, value);
            }
            command.run().exits(0);
            assert_eq!(ids(&place, "out.jsonl").len(), count, "{scheme}/{inputs}");
        }
    }
}

#[test]
fn the_web_is_read_whatever_its_server_can() {
    let rows = rows(400, 100);
    let text = Bytes::from(lines(&rows));
    let packed = pack(&rows, "in.csv.gz");
    for fault in [Fault::None, Fault::Whole, Fault::Unsaid] {
        let does = fault.clone();
        let web = Buckets::open(move |_| does.clone());
        web.put("files/in.jsonl", text.clone());
        web.put("files/in.csv.gz", packed.clone());
        for name in ["in.jsonl", "in.csv.gz"] {
            let place = Place::new();
            let url = format!("{}/files/{name}?signature=never-shown", web.url());
            place
                .redraft("run -o out.jsonl")
                .arg(&url)
                .run()
                .exits(0)
                .says("in against privacy")
                .does_not_say("never-shown");
            assert_eq!(ids(&place, "out.jsonl").len(), 400, "{fault:?} {name}");
        }
        let place = Place::new();
        let url = format!("{}/files/*.jsonl", web.url());
        place
            .redraft("run")
            .arg(url)
            .run()
            .exits(1)
            .says("https has no folders and no patterns");
    }
}

#[test]
fn what_breaks_off_goes_on_at_that_byte() {
    let rows = rows(2000, 1600);
    let text = Bytes::from(lines(&rows));
    let packed = pack(&rows, "in.jsonl.zst");
    for (name, bytes) in [("in.jsonl", text), ("in.jsonl.zst", packed)] {
        let path = format!("/data/{name}");
        let wanted = path.clone();
        let buckets = Buckets::with(move |asked| {
            // Every answer but the smallest ones is cut.
            if asked.path == wanted {
                Fault::CutAfter(300_000)
            } else {
                Fault::None
            }
        });
        buckets.put(&path[1..], bytes.clone());
        let place = Place::new();
        read(&buckets, &place, &format!("s3:/{path}")).exits(0);
        let out = place.json_lines("out.jsonl");
        assert_eq!(out.len(), rows.len(), "{name}");
        assert!(
            out.iter()
                .zip(&rows)
                .all(|(out, row)| out["id"] == row["id"]),
            "{name}"
        );
        let starts: Vec<u64> = buckets
            .requests()
            .iter()
            .filter_map(|asked| Some(asked.range()?.0))
            .collect();
        assert!(starts.contains(&304_096), "{name}: {starts:?}");
        let size = bytes.len() as u64;
        assert!(
            starts.iter().all(|start| *start < size),
            "{name}: {starts:?}"
        );
    }
}

#[test]
fn what_changes_while_it_is_read_is_no_longer_read() {
    let rows = rows(2000, 1600);
    let buckets = Buckets::with(|asked| match asked.before {
        _ if asked.path != "/data/in.jsonl" => Fault::None,
        0 => Fault::None,
        1 | 2 => Fault::CutAfter(200_000),
        _ => Fault::Changed,
    });
    buckets.put("data/in.jsonl", lines(&rows));
    let place = Place::new();
    read(&buckets, &place, "s3://data/in.jsonl")
        .exits(1)
        .says("s3://data/in.jsonl was changed while it was read; run the same command again");
    assert!(!place.has("out.jsonl"));
}

#[test]
fn a_run_goes_on_when_the_server_works_again() {
    let rows = rows(2000, 4000);
    let text = Bytes::from(lines(&rows));
    let packed = pack(&rows, "in.csv.gz");
    let parquet = pack(&rows, "in.parquet");
    for (name, bytes) in [
        ("in.jsonl", text),
        ("in.csv.gz", packed),
        ("in.parquet", parquet),
    ] {
        let is_broken = Arc::new(AtomicBool::new(true));
        let broken = Arc::clone(&is_broken);
        let half = bytes.len() as u64 / 2;
        let buckets = Buckets::with(move |asked| {
            let end = asked.range().map_or(u64::MAX, |(_, end)| end);
            let start = asked.range().map_or(0, |(start, _)| start);
            match broken.load(Ordering::SeqCst) {
                true if start > half && end < 2 * half - 300_000 => Fault::Status(503, "SlowDown"),
                true if start <= half && end > half + 300_000 => {
                    Fault::CutAfter(usize::try_from(half - start).expect("a length"))
                }
                _ => Fault::None,
            }
        });
        buckets.put(&format!("data/{name}"), bytes);
        let place = Place::new();
        let input = format!("s3://data/{name}");
        let ended = read(&buckets, &place, &input).exits(1);
        let says = ended.err.contains("however often it is asked");
        assert!(
            says && ended.err.contains("same command goes on"),
            "{name}: {ended}"
        );
        let done = place.count("SELECT count(*) FROM transcripts");
        assert!((100..2000).contains(&done), "{name}: {done} are done");
        is_broken.store(false, Ordering::SeqCst);
        let ended = read(&buckets, &place, &input).exits(0);
        let resumed = ended.json()["resumed"].as_u64().expect("a number");
        assert!(resumed > 0 && resumed < 2000, "{name}: {resumed} resumed");
        assert_eq!(ids(&place, "out.jsonl").len(), 2000, "{name}");
    }
}

#[test]
fn of_parquet_only_what_is_needed_is_asked_for() {
    let bytes = pack(&rows(2500, 8000), "in.parquet");
    assert!(bytes.len() > 4 << 20, "only {} bytes", bytes.len());
    let buckets = Buckets::start();
    buckets.put("data/in.parquet", bytes.clone());
    let place = Place::new();
    let command = place.redraft("run s3://data/in.parquet --limit 10 --json");
    buckets.s3(command).run().exits(0).says("1 file of Parquet");
    let requests = buckets.requests();
    let ranges = requests.iter().filter_map(ObjectAsked::range);
    let asked: u64 = ranges.map(|(start, end)| end - start).sum();
    let all = buckets
        .requests()
        .into_iter()
        .all(|asked| asked.range().is_some());
    assert!(all, "the whole file was asked for");
    assert!(
        asked < bytes.len() as u64 / 2,
        "{asked} of {} bytes",
        bytes.len()
    );

    let web = Buckets::open(|_| Fault::Whole);
    web.put("files/in.parquet", bytes);
    let url = format!("{}/files/in.parquet", web.url());
    place
        .redraft("run")
        .arg(url)
        .run()
        .exits(1)
        .says("cannot be read in parts, which Parquet needs");
}

#[test]
fn other_commands_read_there_too() {
    let buckets = Buckets::start();
    let rows = rows(3, 0);
    buckets.put("data/in.jsonl", lines(&rows));
    let place = Place::new();
    let command = place.redraft("run s3://data/in.jsonl --limit 1 -o -");
    let ended = buckets.s3(command).run().exits(0);
    assert_eq!(ended.json_lines().len(), 1);
}
