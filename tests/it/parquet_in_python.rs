//! Parquet as the Python packages write and read it: types survive the way through.

use serde_json::{Value, json};

use crate::support::{Place, Python, lines};

/// Writes a table of many types, and a second one whose prompts are numbers.
const WRITE: &str = r#"
import datetime, decimal, json, sys
import pyarrow as pa, pyarrow.parquet as pq

folder = json.load(sys.stdin)
turn = pa.struct([("role", pa.string()), ("content", pa.string())])
table = pa.table({
    "id": pa.array([1, 2, 3], pa.int32()),
    "prompt": pa.array(["Whom?"] * 3, pa.large_string()),
    "answer": pa.array(["Ask ann@example.com."] * 3),
    "score": pa.array([0.5, None, 1.5], pa.float32()),
    "ok": pa.array([True, False, None]),
    "when": pa.array([datetime.datetime(2031, 1, 2, 3, 4, 5)] * 3, pa.timestamp("us", "UTC")),
    "day": pa.array([datetime.date(2031, 1, 2)] * 3),
    "price": pa.array([decimal.Decimal("1.50")] * 3, pa.decimal128(9, 2)),
    "before": pa.array([[{"role": "user", "content": "Hello"}], [], None], pa.list_(turn)),
    "tags": pa.array([["a"], ["b", "c"], []], pa.list_(pa.string())),
})
pq.write_table(table, folder + "/in.parquet")
pq.write_table(table.set_column(1, "prompt", pa.array([1, 2, 3])), folder + "/numbers.parquet")
pq.write_table(table.drop_columns(["prompt"]), folder + "/without.parquet")
schema = pq.read_schema(folder + "/in.parquet")
json.dump({str(field.name): str(field.type) for field in schema}, sys.stdout)
"#;

/// Reads the schema of files, and their rows, with `pyarrow` alone.
const READ: &str = r#"
import json, sys
import pyarrow.parquet as pq

read = {}
for name, path in json.load(sys.stdin).items():
    table = pq.read_table(path)
    types = {str(field.name): str(field.type) for field in table.schema}
    read[name] = {"types": types, "rows": table.num_rows, "ids": table.column("id").to_pylist()}
json.dump(read, sys.stdout)
"#;

#[test]
fn types_survive_the_way_through() {
    let Some(python) = Python::find() else {
        return;
    };
    let place = Place::new();
    let given = python.run_on(WRITE, place.folder(), &json!(place.folder()));
    place
        .redraft("run in.parquet -o out.parquet")
        .run()
        .exits(0);
    place
        .redraft("run in.parquet -o train.parquet --rows-per-shard 2")
        .run()
        .exits(0);
    let out = place.path("out.parquet");
    let folder = place.path("train");
    let read = python.run_on(
        READ,
        place.folder(),
        &json!({ "one": out, "shards": folder }),
    );
    for name in ["one", "shards"] {
        let types = read[name]["types"].as_object().expect("types");
        for (column, kind) in given.as_object().expect("types") {
            assert_eq!(&types[column], kind, "{name}: {column}");
        }
        let ours = types["redraft"].as_str().expect("a type");
        assert!(ours.starts_with("struct<outcome: string"), "{ours}");
        assert_eq!(read[name]["ids"], json!([1, 2, 3]), "{name}");
    }
    let files = json!({ "one": out, "shards": format!("{}/", folder.display()) });
    let loaded = python.load(place.folder(), &files);
    let rows = loaded["one"]["rows"].as_array().expect("rows");
    assert_eq!(
        rows,
        loaded["shards"]["train"]["rows"].as_array().expect("rows")
    );
    assert_eq!(rows[0]["answer"], "Ask [e-mail address].");
    assert_eq!(
        rows[0]["redraft"]["violated"],
        json!(["no-email-addresses"])
    );
    assert_eq!(rows[1]["score"], Value::Null);
}

#[test]
fn types_are_found_out_from_rows() {
    let Some(python) = Python::find() else {
        return;
    };
    let place = Place::new();
    let row = |n: u64| {
        let turns = json!([{ "role": "user", "content": "Hello" }]);
        json!({ "id": n, "prompt": "Whom?", "answer": "Ann.", "share": 0.5, "ok": true,
            "turns": turns, "odd": if n == 1 { json!(1) } else { json!("one") } })
    };
    place.write("in.jsonl", lines([row(1), row(2)]));
    place.redraft("run in.jsonl -o out.parquet").run().exits(0);
    let out = place.path("out.parquet");
    let loaded = python.load(place.folder(), &json!({ "out": out }));
    let types = &loaded["out"]["types"];
    let turn = json!([{ "role": "string", "content": "string" }]);
    for (column, kind) in [
        ("id", json!("int64")),
        ("prompt", json!("string")),
        ("share", json!("double")),
        ("ok", json!("bool")),
        ("turns", turn),
        ("odd", json!("string")),
    ] {
        assert_eq!(types[column], kind, "{column}");
    }
}

#[test]
fn a_shard_of_other_columns_is_named_before_the_run() {
    let Some(python) = Python::find() else {
        return;
    };
    let place = Place::new();
    python.run_on(WRITE, place.folder(), &json!(place.folder()));
    for (shard, says) in [
        (
            "numbers.parquet",
            "its column `prompt` is int64, and in in.parquet it is string and holds the prompt",
        ),
        (
            "without.parquet",
            "its column `prompt` is missing, and in in.parquet it is string",
        ),
    ] {
        place
            .redraft("run in.parquet")
            .arg(shard)
            .run()
            .exits(1)
            .says(&format!("{shard} does not fit the files before it"))
            .says(says);
    }
}
