//! Rows that are written in a format and read again: what each keeps, and what it cannot.

use std::fs;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::dataset::canonical::{Canonical, Origin};
use crate::dataset::{Ended, Output, OutputError, Source, Target};

/// Writes rows as a run does: once more where more columns came than were known.
fn try_write(mut target: Target, rows: &[Value]) -> Result<u32, OutputError> {
    for passes in 1.. {
        let mut output = Output::create(&target)?;
        for row in rows {
            output.write_row(row.to_string().as_bytes())?;
        }
        match output.commit()? {
            Ended::Whole { .. } => return Ok(passes),
            Ended::Again(wider) => target = *wider,
        }
    }
    unreachable!("a target that fits is found")
}

fn write(path: &Path, rows: &[Value]) -> u32 {
    try_write(Target::check(path, None).unwrap(), rows).unwrap()
}

fn read(path: &Path) -> Vec<Value> {
    let source = Source::open(path).unwrap();
    let origin = Origin::Parts(source.parts().into());
    let mut lines = Canonical::new(String::new(), origin, 1 << 20);
    let mut rows = Vec::new();
    while let Some(line) = lines.next_line().unwrap() {
        rows.push(serde_json::from_slice(line.bytes).unwrap());
    }
    rows
}

fn through(name: &str, rows: &[Value]) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    write(&path, rows);
    read(&path)
}

#[test]
fn every_text_format_gives_back_what_it_was_given() {
    let rows = [
        json!({"id": "1", "text": "a, \"b\"\nc\t\u{1f600}", "answer": ""}),
        json!({"id": "2", "text": "", "answer": "x"}),
    ];
    for ending in ["jsonl", "json", "csv", "tsv"] {
        for packed in ["", ".gz", ".zst"] {
            let name = format!("rows.{ending}{packed}");
            assert_eq!(through(&name, &rows), rows, "{name}");
            assert!(through(&name, &[]).is_empty(), "{name}");
        }
    }
    let one = [json!({"text": ""}), json!({"text": "x"})];
    assert_eq!(through("one.csv", &one), one);
}

#[test]
fn a_table_has_the_columns_of_all_rows_and_what_was_done_last() {
    let rows = [
        json!({"a": 1, "redraft": {"outcome": "compliant"}, "b": null}),
        json!({"c": [true], "a": "x"}),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.csv");
    write(&path, &rows);
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        "a,b,c,redraft\n1,,,\"{\"\"outcome\"\":\"\"compliant\"\"}\"\nx,,[true],\n"
    );
}

/// Larger than what is looked at before the first row is written.
fn many_rows() -> Vec<Value> {
    let text = "x".repeat(4096);
    (0..3000).map(|n| json!({"n": n, "text": text})).collect()
}

#[test]
fn columns_that_come_late_are_there_from_the_first_row() {
    let mut rows = many_rows();
    rows.push(json!({"n": "late", "more": {"a": 1}}));
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "rows.csv",
        #[cfg(feature = "parquet")]
        "rows.parquet",
    ] {
        let path = folder.path().join(name);
        assert_eq!(write(&path, &rows), 2, "{name}");
        let read = read(&path);
        assert_eq!((read.len(), &read[0]["n"]), (3001, &json!("0")), "{name}");
        assert_eq!(read[3000]["n"], "late", "{name}");
        assert_eq!(write(&path, &rows[..3000]), 1, "{name}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), folder_count());
}

fn folder_count() -> usize {
    if cfg!(feature = "parquet") { 2 } else { 1 }
}

#[test]
fn shards_appear_together_and_are_replaced_together() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train.csv.gz");
    let write = |rows: &[Value], most| {
        let target = Target::check(&path, None).unwrap();
        let target = target.in_shards(NonZeroU64::new(most).unwrap())?;
        try_write(target, rows)
    };
    let rows: Vec<Value> = (0..5).map(|n| json!({"n": n.to_string()})).collect();
    let names = |folder: PathBuf| {
        let entries = fs::read_dir(folder).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    };
    for (most, count) in [(2, 3), (5, 1), (1, 5)] {
        write(&rows, most).unwrap();
        let inside = names(folder.path().join("train"));
        assert_eq!(inside.len(), count);
        assert_eq!(inside[0], format!("train-00000-of-{count:05}.csv.gz"));
        assert_eq!(read(&folder.path().join("train")), rows);
        assert_eq!(names(folder.path().to_path_buf()), ["train"]);
    }
    fs::write(folder.path().join("train/notes.txt"), "mine").unwrap();
    let error = write(&rows, 2).unwrap_err().to_string();
    assert!(
        error.contains("holds notes.txt, which is none of it"),
        "{error}"
    );
}

#[cfg(feature = "parquet")]
mod parquet {
    use serde_json::Map;

    use super::*;

    #[test]
    fn types_are_found_out() {
        let rows = [
            json!({"i": 1, "f": 1, "b": true, "n": null, "mixed": "a", "empty": {}, "chat": [{"role": "user", "content": "é"}], "l": []}),
            json!({"i": null, "f": 2.5, "b": null, "n": null, "mixed": 7, "empty": {}, "chat": [], "l": [[1], null]}),
            json!({"chat": null}),
        ];
        let read = through("rows.parquet", &rows);
        assert_eq!(
            read[0],
            json!({"i": 1, "f": 1.0, "b": true, "n": null, "mixed": "a", "empty": "{}", "chat": [{"role": "user", "content": "é"}], "l": []})
        );
        assert_eq!(
            read[1],
            json!({"i": null, "f": 2.5, "b": null, "n": null, "mixed": "7", "empty": "{}", "chat": [], "l": [[1], null]})
        );
        assert_eq!(read[2]["l"], Value::Null);
    }

    #[test]
    fn the_columns_of_parquet_keep_their_types() {
        use std::sync::Arc;

        use arrow_array::{ArrayRef, RecordBatch, StringArray};
        use arrow_cast::cast;
        use arrow_schema::{DataType, Field, Schema, TimeUnit};

        let types = [
            ("prompt", DataType::LargeUtf8, "p"),
            (
                "tag",
                DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
                "x",
            ),
            ("small", DataType::Int8, "-7"),
            ("unsigned", DataType::UInt64, "18446744073709551615"),
            ("single", DataType::Float32, "0.1"),
            ("money", DataType::Decimal128(10, 2), "12.30"),
            ("day", DataType::Date32, "2024-02-29"),
            (
                "at",
                DataType::Timestamp(TimeUnit::Microsecond, None),
                "2024-02-29T12:00:00.000001",
            ),
            ("bytes", DataType::Binary, "raw"),
            ("yes", DataType::Boolean, "true"),
        ];
        let strings =
            |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![Some(text), None])) };
        let mut columns: Vec<ArrayRef> = types
            .iter()
            .map(|(_, data_type, text)| cast(&strings(text), data_type).unwrap())
            .collect();
        let mut fields: Vec<Field> = types
            .iter()
            .map(|(name, data_type, _)| Field::new(*name, data_type.clone(), true))
            .collect();
        let zone = DataType::Timestamp(TimeUnit::Millisecond, Some("Europe/Berlin".into()));
        let plain = cast(
            &strings("2024-02-29T12:00:00"),
            &DataType::Timestamp(TimeUnit::Millisecond, None),
        );
        let data = plain
            .unwrap()
            .to_data()
            .into_builder()
            .data_type(zone.clone());
        columns.push(arrow_array::make_array(data.build().unwrap()));
        fields.push(Field::new("zoned", zone, true));
        let schema = Arc::new(Schema::new(fields));
        let batch = RecordBatch::try_new(Arc::clone(&schema), columns).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("in.parquet");
        let file = fs::File::create(&path).unwrap();
        let mut writer =
            ::parquet::arrow::ArrowWriter::try_new(file, schema.clone(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();

        let rows = read(&path);
        let expected = r#"{"prompt":"p","tag":"x","small":-7,"unsigned":18446744073709551615,"single":0.1,"money":12.30,"day":"2024-02-29","at":"2024-02-29T12:00:00.000001","bytes":"cmF3","yes":true,"zoned":"2024-02-29T12:00:00Z"}"#;
        assert_eq!(rows[0], serde_json::from_str::<Value>(expected).unwrap());
        assert!(rows[1].as_object().unwrap().values().all(Value::is_null));

        let out = folder.path().join("out.parquet");
        let source = Source::open(&path).unwrap();
        let target = Target::check(&out, Some(&source)).unwrap();
        let target = target.with_types_of(&source).unwrap();
        let mut more = rows.clone();
        more[0]["answer"] = json!("new");
        try_write(target, &more).unwrap();
        let written = Source::open(&out).unwrap().parts()[0]
            .schema()
            .unwrap()
            .unwrap();
        let (kept, added) = written.fields().split_at(schema.fields().len());
        assert_eq!(kept, &schema.fields()[..]);
        assert_eq!(
            (added[0].name().as_str(), added[0].data_type()),
            ("answer", &DataType::Utf8)
        );
        more[1]["answer"] = Value::Null;
        assert_eq!(read(&out), more);
    }

    #[test]
    fn what_does_not_fit_a_kept_type_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (
            folder.path().join("one.parquet"),
            folder.path().join("two.parquet"),
        );
        write(&one, &[json!({"n": 1, "prompt": "p"})]);
        let source = Source::open(&one).unwrap();
        let target = Target::check(&two, Some(&source)).unwrap();
        let target = target.with_types_of(&source).unwrap();
        let error = try_write(target, &[json!({"n": 1}), json!({"n": "x"})]).unwrap_err();
        let error = error.to_string();
        assert!(error.starts_with("row 2 does not fit into "), "{error}");
        assert!(error.contains("the column `n`"), "{error}");
        assert!(!two.exists());
    }

    /// What Parquet makes of a value whose column has but one type.
    fn value() -> impl Strategy<Value = [Value; 2]> {
        let texts = proptest::collection::vec(any::<String>(), 0..3);
        prop_oneof![
            any::<[i64; 2]>().prop_map(|pair| pair.map(|n| json!(n))),
            any::<[bool; 2]>().prop_map(|pair| pair.map(|b| json!(b))),
            any::<[String; 2]>().prop_map(|pair| pair.map(|s| json!(s))),
            proptest::array::uniform2(any::<f64>().prop_filter("a number", |n| n.is_finite()))
                .prop_map(|pair| pair.map(|n| json!(n))),
            [texts.clone(), texts].prop_map(|pair| pair.map(|list| json!(list))),
            any::<[(String, Option<bool>); 2]>().prop_map(|pair| {
                pair.map(|(text, truth)| json!([{"role": text, "weight": truth}]))
            }),
        ]
    }

    proptest! {
        #[test]
        fn rows_of_one_type_a_column_come_back(values in proptest::collection::vec(value(), 1..6)) {
            let row = |side: usize| {
                let columns = values.iter().enumerate();
                let columns = columns.map(|(n, pair)| (format!("c{n}"), pair[side].clone()));
                Value::Object(columns.collect::<Map<_, _>>())
            };
            let rows = [row(0), row(1)];
            prop_assert_eq!(through("rows.parquet", &rows), rows);
        }
    }
}

proptest! {
    #[test]
    fn texts_come_back_from_tables(
        cells in proptest::collection::vec(any::<[String; 3]>(), 1..6), tabs in any::<bool>(),
    ) {
        let rows: Vec<Value> = cells
            .iter()
            .map(|[a, b, c]| json!({"a": a, "b ,\"": b, "c": c}))
            .collect();
        let name = if tabs { "rows.tsv" } else { "rows.csv" };
        prop_assert_eq!(through(name, &rows), rows);
    }
}
