//! How fast rows are read and written; run with
//! `cargo test --release --lib dataset::speed -- --ignored --nocapture`.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use crate::dataset::lines::LineReader;
use crate::dataset::{Output, ReadOptions, RowReader, Source, Target, write_back};

/// How often the 2,312 real rows are repeated, each time under other ids.
const TIMES: usize = 100;

fn repeat_rows(path: &Path, text: &str) {
    let mut file = std::io::BufWriter::new(fs::File::create(path).unwrap());
    for time in 0..TIMES {
        for (number, line) in text.lines().enumerate() {
            writeln!(file, "{{\"id\": \"{time}-{number}\", {}", &line[1..]).unwrap();
        }
    }
    file.flush().unwrap();
}

/// Seconds of processor time that this thread took, so that other work on the machine does not
/// count; the clock's where the system does not tell.
struct Stopwatch(Instant, Option<f64>);

impl Stopwatch {
    fn start() -> Self {
        Self(Instant::now(), processor_seconds())
    }

    fn seconds(&self) -> f64 {
        match (self.1, processor_seconds()) {
            (Some(begin), Some(end)) => end - begin,
            _ => self.0.elapsed().as_secs_f64(),
        }
    }
}

fn processor_seconds() -> Option<f64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = text.split(' ').next()?.parse().ok()?;
    Some(nanoseconds / 1e9)
}

fn print_speed(what: &str, begin: &Stopwatch, rows: u32, bytes: u64) {
    let seconds = begin.seconds();
    let megabytes = f64::from(u32::try_from(bytes >> 10).unwrap()) / 1024.0;
    println!(
        "{what}: {:.0} rows/s, {:.0} MiB/s",
        f64::from(rows) / seconds,
        megabytes / seconds
    );
}

#[test]
#[ignore = "measures, and takes a large file"]
fn reading_and_writing_back() {
    let Some(text) = super::real_data::harmless() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.jsonl");
    repeat_rows(&path, &text);
    let bytes = fs::metadata(&path).unwrap().len();

    let begin = Stopwatch::start();
    let mut lines = LineReader::new(fs::File::open(&path).unwrap(), 16 << 20);
    let mut count = 0;
    while lines.next_line().unwrap().is_some() {
        count += 1;
    }
    lines.position();
    print_speed("lines and digest", &begin, count, bytes);

    let mut source = Source::open(&path).unwrap();
    let mut reader = RowReader::new(source.first_pass().unwrap(), ReadOptions::default());
    let begin = Stopwatch::start();
    let mut rows = 0;
    while let Some(read) = reader.next_row().unwrap() {
        rows += u32::from(read.result.is_ok());
    }
    print_speed("rows and records", &begin, rows, bytes);
    assert_eq!(rows, count);
    let end = reader.position();

    let mut reader = RowReader::new(source.second_pass().unwrap(), ReadOptions::default());
    let begin = Stopwatch::start();
    assert!(reader.resume_at(&end).unwrap());
    print_speed("checking where to resume", &begin, rows, bytes);

    let target = Target::check(&folder.path().join("out.jsonl"), Some(&source)).unwrap();
    let mut output = Output::create(&target).unwrap();
    let mut reader = RowReader::new(source.second_pass().unwrap(), ReadOptions::default());
    let begin = Stopwatch::start();
    while let Some(read) = reader.next_row().unwrap() {
        let read = read.result.unwrap();
        let answer = read.record.answer();
        let row = write_back(&read.row, answer, &[1]).unwrap();
        output.write_row(&row).unwrap();
    }
    let _ = output.commit().unwrap();
    print_speed("rows read and written back", &begin, rows, bytes);
}

/// Text that was read or written per second of one core, counted as plain JSON lines.
#[test]
#[ignore = "measures, and takes a large file"]
fn every_format() {
    let Some(text) = super::real_data::harmless() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.jsonl");
    repeat_rows(&path, &text);
    let bytes = fs::metadata(&path).unwrap().len();
    let rows: Vec<String> = fs::read_to_string(&path)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    let count = u32::try_from(rows.len()).unwrap();
    let endings = ["jsonl", "jsonl.zst", "jsonl.gz", "json", "csv"];
    let parquet = cfg!(feature = "parquet").then_some("parquet");
    for ending in endings.into_iter().chain(parquet) {
        let path = folder.path().join(format!("out.{ending}"));
        let target = Target::check(&path, None).unwrap();
        let begin = Stopwatch::start();
        let mut output = Output::create(&target).unwrap();
        for row in &rows {
            output.write_row(row.as_bytes()).unwrap();
        }
        let _ = output.commit().unwrap();
        print_speed(&format!("{ending} written"), &begin, count, bytes);

        let mut source = Source::open(&path).unwrap();
        let begin = Stopwatch::start();
        let mut reader = RowReader::new(source.first_pass().unwrap(), ReadOptions::default());
        let mut read = 0;
        while let Some(row) = reader.next_row().unwrap() {
            read += u32::from(row.result.is_ok());
        }
        print_speed(
            &format!("{ending} read, with records"),
            &begin,
            count,
            bytes,
        );
        assert_eq!(read, count);
        let end = reader.position();

        let mut reader = RowReader::new(source.second_pass().unwrap(), ReadOptions::default());
        let begin = Stopwatch::start();
        assert!(reader.resume_at(&end).unwrap());
        print_speed(&format!("{ending} read to resume"), &begin, count, bytes);
    }
}
