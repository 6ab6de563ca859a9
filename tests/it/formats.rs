//! Datasets in every format and compression, in and out, by the command as its users have it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Place, Server, lines, wait_until};

fn rows(count: usize) -> Vec<Value> {
    (0..count)
        .map(|n| {
            let answer = format!("Mail a{n}@example.com, \"please\",\nor call.");
            json!({ "id": format!("r{n}"), "prompt": format!("Whom, {n}?"), "answer": answer })
        })
        .collect()
}

/// Puts rows into a file in the format of its name, by the command itself.
fn convert(rows: &[Value], place: &Place, name: &str) {
    let other = Place::new();
    other.write("in.jsonl", lines(rows));
    let path = place.path(name);
    other
        .redraft("run in.jsonl --draft given -o")
        .arg(path.display().to_string())
        .run()
        .exits(0);
}

/// What `convert` makes of the rows, as the command reads it.
fn plain(place: &Place, name: &str) -> Vec<Value> {
    place
        .redraft("run -o plain.jsonl --store plain.db")
        .arg(name)
        .run()
        .exits(0);
    place.json_lines("plain.jsonl")
}

const ENDINGS: [&str; 13] = [
    "jsonl",
    "jsonl.gz",
    "jsonl.zst",
    "json",
    "json.gz",
    "json.zst",
    "csv",
    "csv.gz",
    "csv.zst",
    "tsv",
    "tsv.gz",
    "tsv.zst",
    "parquet",
];

#[test]
fn every_format_goes_in_and_comes_out() {
    let rows = rows(60);
    let place = Place::new();
    place.write("in.jsonl", lines(&rows));
    place
        .redraft("run in.jsonl -o expected.jsonl")
        .run()
        .exits(0);
    let expected = place.json_lines("expected.jsonl");
    for ending in ENDINGS {
        let place = Place::new();
        let (first, second) = (format!("first.{ending}"), format!("second.{ending}"));
        convert(&rows, &place, &first);
        let ended = place
            .redraft("run -o")
            .arg(&second)
            .arg(&first)
            .run()
            .exits(0)
            .says("60 rows read")
            .says("prompt, answer, id; 1 other passes through");
        let read = plain(&place, &second);
        assert_eq!(read.len(), 60, "{ending}: {ended}");
        for (read, expected) in read.iter().zip(&expected) {
            for column in ["id", "prompt", "answer"] {
                assert_eq!(read[column], expected[column], "{ending}");
            }
            assert_eq!(read["redraft"]["outcome"], "compliant", "{ending}");
        }
        assert!(!place.has(&format!("{second}.rejected.jsonl")), "{ending}");
    }
}

#[test]
fn what_is_read_is_said_before_the_first_call() {
    let place = Place::new();
    fs::create_dir(place.path("data")).expect("a folder");
    for (name, text) in [
        (
            "data/b.csv",
            "uid,question,reply\n2,Whom?,ann@example.com\n",
        ),
        (
            "data/a.csv",
            "uid,question,reply\n1,Whom?,bob@example.com\n",
        ),
        ("data/README.md", "# Data"),
        ("data/.hidden.csv", "x\n"),
    ] {
        place.write(name, text);
    }
    place
        .redraft("run data -o out.jsonl --map prompt=question,answer=reply,id=uid")
        .run()
        .exits(0)
        .says("data against privacy")
        .says("reads: 2 files of CSV")
        .says("columns: question (as prompt), reply (as answer), uid (as id)")
        .says("left out: .hidden.csv, README.md");
    let out = place.json_lines("out.jsonl");
    assert_eq!((&out[0]["uid"], &out[1]["uid"]), (&json!("1"), &json!("2")));
    assert_eq!(out[0]["reply"], "[e-mail address]");
    place
        .redraft("run data --map prompt=ask")
        .run()
        .exits(2)
        .says("there is no column `ask` to take the prompt from in data")
        .says("it has uid, question, reply");
    place
        .redraft("run data --map ask=prompt")
        .run()
        .exits(2)
        .says("--map knows no ask");
    place
        .redraft("run data -o data/out.csv --map prompt=question")
        .run()
        .exits(1)
        .says("would become a part of the input");
    let quiet = place
        .redraft("run data --quiet --map prompt=question,answer=reply,id=uid")
        .run()
        .exits(0);
    assert_eq!(quiet.err, "");
}

#[test]
fn several_files_a_pattern_and_a_stream_are_one_dataset() {
    let place = Place::new();
    let rows = rows(9);
    for (name, rows) in [("part-1.jsonl", &rows[..4]), ("part-0.jsonl", &rows[4..8])] {
        // The last line of a file need not be ended.
        place.write(name, lines(rows).trim_end());
    }
    convert(&rows[8..], &place, "part-2.csv.gz");
    place
        .redraft("run part-* -o out.jsonl --json")
        .run()
        .exits(0)
        .says("part against privacy")
        .says("reads: 3 files of JSON lines and CSV (gzip)");
    let ids: Vec<Value> = place
        .json_lines("out.jsonl")
        .iter()
        .map(|row| row["id"].clone())
        .collect();
    assert_eq!(ids, ["r4", "r5", "r6", "r7", "r0", "r1", "r2", "r3", "r8"]);
    place
        .redraft("run part-1.jsonl part-0.jsonl --json")
        .run()
        .exits(0)
        .says("8 rows read");
    convert(&rows, &place, "in.jsonl.zst");
    let packed = fs::read(place.path("in.jsonl.zst")).expect("a file");
    place
        .redraft("run - -o piped.jsonl")
        .stdin(packed)
        .run()
        .exits(0)
        .says("9 rows read");
    assert_eq!(place.json_lines("piped.jsonl").len(), 9);
}

#[test]
fn shards_are_a_folder_that_appears_whole() {
    let place = Place::new();
    place.write("in.jsonl", lines(rows(10)) + "nonsense\n");
    for ending in ["parquet", "jsonl.gz"] {
        let command = format!("run in.jsonl -o train.{ending} --rows-per-shard 4");
        place.redraft(&command).run().exits(0);
        let mut names: Vec<String> = fs::read_dir(place.path("train"))
            .expect("a folder")
            .map(|entry| {
                entry
                    .expect("a file")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        let expected = (0..3).map(|n| format!("train-{n:05}-of-00003.{ending}"));
        assert_eq!(names, expected.collect::<Vec<_>>());
        assert_eq!(plain(&place, "train").len(), 10);
        assert_eq!(place.json_lines("train.rejected.jsonl").len(), 1);
        fs::remove_dir_all(place.path("train")).expect("it can go");
    }
}

/// A run over an input that cannot be entered anywhere goes on all the same, and asks nothing twice.
#[test]
fn a_killed_run_goes_on_in_what_is_packed() {
    for ending in ["parquet", "csv.gz", "json.zst"] {
        let server = Server::start();
        let rows: Vec<Value> = (0..400)
            .map(|n| json!({ "id": format!("r{n}"), "prompt": format!("draft: Row {n}.") }))
            .collect();
        let name = format!("in.{ending}");
        let place = Place::with_manners();
        pack(&place, &name, &rows);
        let command = format!("run {name} -o out.jsonl -c manners.yaml --concurrency 4");
        let running = place.redraft(&command).model(&server).start();
        wait_until("some calls were made", || server.count() > 300);
        running.kill();
        std::thread::sleep(Duration::from_millis(30));
        let before = server.count();
        place.redraft(&command).model(&server).run().exits(0);
        assert!(
            server.repeated() <= 4,
            "{ending}: {} asked again",
            server.repeated()
        );
        assert!(server.count() > before, "{ending}");
        assert_eq!(place.json_lines("out.jsonl").len(), 400, "{ending}");
        assert_eq!(place.count("SELECT count(*) FROM transcripts"), 400);
        let again = place
            .redraft(&command)
            .arg("--json")
            .model(&server)
            .run()
            .exits(0);
        assert_eq!(again.json()["resumed"], 400, "{ending}");
    }
}

/// Rows without answers, packed by way of a model that writes them: their answers are dropped again.
fn pack(place: &Place, name: &str, rows: &[Value]) {
    let with_answers: Vec<Value> = rows
        .iter()
        .map(|row| {
            let mut row = row.clone();
            row["unused"] = json!("Fine.");
            row
        })
        .collect();
    let other = Place::new();
    other.write("in.jsonl", lines(with_answers));
    other
        .redraft("run in.jsonl --answer unused -o")
        .arg(place.path(name).display().to_string())
        .run()
        .exits(0);
}

fn damage(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).expect("a file");
    change(&mut bytes);
    fs::write(path, bytes).expect("a file");
}

#[test]
fn damaged_files_say_what_to_do() {
    let place = Place::new();
    convert(&rows(50), &place, "cut.parquet");
    damage(&place.path("cut.parquet"), |bytes| {
        bytes.truncate(bytes.len() / 2);
    });
    convert(&rows(50), &place, "packed.jsonl.gz");
    fs::copy(place.path("packed.jsonl.gz"), place.path("wrong.parquet")).expect("a copy");
    fs::copy(place.path("packed.jsonl.gz"), place.path("wrong.jsonl")).expect("a copy");
    convert(&rows(50), &place, "broken.parquet");
    damage(&place.path("broken.parquet"), |bytes| {
        bytes[8..200].fill(0x55);
    });
    place.write("wrong.zst", "plain");
    place.write("doubled.csv", "prompt,answer,prompt\n1,2,3\n");
    place.write(
        "cut.json",
        "[{\"prompt\":\"Whom?\",\"answer\":\"Ann.\"}, {\"prompt\":",
    );
    for (name, says) in [
        (
            "cut.parquet",
            "is named as Parquet and does not end so: it was cut short; get it again",
        ),
        (
            "wrong.parquet",
            "is named as Parquet and begins as gzip does",
        ),
        (
            "wrong.jsonl",
            "is named as JSON lines and begins as gzip does",
        ),
        ("wrong.zst", "is named as zstd and does not begin so"),
        ("broken.parquet", "broken.parquet is damaged behind row 0"),
        (
            "doubled.csv",
            "doubled.csv cannot be read: its header has two columns `prompt`",
        ),
        (
            "cut.json",
            "cut.json is damaged behind row 1: the array ends too early",
        ),
        ("none-*.jsonl", "no file fits none-*.jsonl"),
    ] {
        let ended = place.redraft("run").arg(name).run();
        assert_eq!(ended.code, Some(1), "{name}: {ended}");
        assert!(ended.err.contains(says), "{name}: {ended}");
    }
}

/// What stands before the damage is done and stays so; with the whole file the same command goes on.
#[test]
fn a_run_goes_on_when_a_damaged_file_was_mended() {
    let rows = rows(3000);
    let other = Place::new();
    other.write("in.jsonl", lines(&rows));
    other.redraft("run in.jsonl -o in.jsonl.gz").run().exits(0);
    let whole = fs::read(other.path("in.jsonl.gz")).expect("a file");
    let place = Place::new();
    place.write("in.jsonl.gz", &whole[..whole.len() * 2 / 3]);
    place
        .redraft("run in.jsonl.gz -o out.jsonl")
        .run()
        .exits(1)
        .says("in.jsonl.gz is damaged behind line ")
        .says(
            "its gzip data end too early; get the file again, and the same command goes on with it",
        );
    let done = place.count("SELECT count(*) FROM transcripts");
    assert!((500..3000).contains(&done), "{done} are done");
    assert!(!place.has("out.jsonl"));
    place.write("in.jsonl.gz", &whole);
    let ended = place
        .redraft("run in.jsonl.gz -o out.jsonl --json")
        .run()
        .exits(0);
    let resumed = ended.json()["resumed"].as_u64().expect("a number");
    assert!(resumed > 0 && resumed < 3000, "{resumed}");
    let out = place.json_lines("out.jsonl");
    assert_eq!(out.len(), 3000);
    for (out, row) in out.iter().zip(&rows) {
        assert_eq!(out["id"], row["id"]);
    }
}

#[test]
fn a_shard_that_is_gone_ends_the_run_resumable() {
    let server = Server::start();
    let place = Place::with_manners();
    let prompts = |from: usize| (from..from + 200).map(|n| format!("draft: Row {n}."));
    place.write_prompts("part-0.jsonl", prompts(0));
    let rows = place
        .read("part-0.jsonl")
        .replace("\"r", "\"s")
        .replace("Row", "Other");
    place.write("part-1.jsonl", &rows);
    let command = "run part-*.jsonl -o out.jsonl -c manners.yaml --concurrency 2";
    let running = place.redraft(command).model(&server).start();
    wait_until("a call was made", || server.count() > 2);
    fs::remove_file(place.path("part-1.jsonl")).expect("it can go");
    let ended = running.end();
    if ended.code == Some(1) {
        ended.says("part-1.jsonl is gone since the run began; put it back");
        assert_eq!(place.count("SELECT count(*) FROM transcripts"), 200);
    }
    place.write("part-1.jsonl", &rows);
    place.redraft(command).model(&server).run().exits(0);
    assert_eq!(place.json_lines("out.jsonl").len(), 400);
    assert_eq!(server.repeated(), 0);
}

#[test]
fn bad_rows_of_shards_are_named_with_their_file() {
    let place = Place::new();
    place.write("a.csv", "prompt,answer\nWhom?,Ann.\nragged\n");
    place.write(
        "b.csv",
        b"prompt,answer\ncaf\xe9,Ann.\n\"two\nlines\",Bob.\nx,y,z\n",
    );
    place.write("c.csv", "prompt,note\nWhom?,no answer here\n");
    place
        .redraft("run a.csv b.csv c.csv -o out.csv")
        .run()
        .exits(0)
        .says("4 rows could not be used");
    let rejected = place.json_lines("out.csv.rejected.jsonl");
    let told: Vec<(u64, &str)> = rejected
        .iter()
        .map(|row| {
            (
                row["line"].as_u64().unwrap_or(0),
                row["reason"].as_str().unwrap_or(""),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (
                2,
                "has 1 cell where the header has 2 columns (line 3 of the file) (row 2 of a.csv)"
            ),
            (
                3,
                "the cell in the column `prompt` is not valid UTF-8 (row 1 of b.csv)"
            ),
            (
                5,
                "has 3 cells where the header has 2 columns (line 5 of the file) (row 3 of b.csv)"
            ),
            (6, "it has no answer, and no model is there to write one"),
        ]
    );
    let out = place.read("out.csv");
    assert!(
        out.starts_with("prompt,answer,redraft\nWhom?,Ann.,\"{\"\"outcome"),
        "{out}"
    );
}

/// A table without the column that the question is in ends the run before it begins.
#[test]
fn a_table_without_the_question_is_named_before_the_run() {
    let place = Place::new();
    place.write("a.csv", "prompt,answer\nWhom?,Ann.\n");
    place.write("b.csv", "question,answer\nWhom?,Ann.\n");
    place.write("c.csv", "instruction,output\nWhom?,Ann.\n");
    place
        .redraft("run a.csv b.csv")
        .run()
        .exits(1)
        .says("b.csv does not fit the files before it: its column `prompt` is missing");
    place
        .redraft("run a.csv c.csv")
        .run()
        .exits(0)
        .says("2 rows read");
}
