//! Figures, measured on request:
//! `cargo test --release --lib figures -- --ignored --nocapture --test-threads 1`.
//!
//! `FIGURES_ROWS` sets how many rows are written, `FIGURES_DIR` where.

use std::fs;
use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use rusqlite::Connection;

use futures::stream::{FuturesUnordered, StreamExt};
use tokio::runtime::Runtime;

use super::Fresh;
use crate::digest::Digest;
use crate::record::RecordId;
use crate::store::conformance::{Backend, call, new_run, sealed_row};
use crate::store::{Checkpoint, SealedRow, Store};
use crate::transcript::Outcome;

fn rows() -> u64 {
    std::env::var("FIGURES_ROWS").map_or(200_000, |rows| rows.parse().unwrap())
}

/// What this process has used of the processors, in seconds.
fn cpu() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit_once(") ").unwrap().1;
    let ticks = |field: usize| -> u32 {
        let mut fields = after_name.split(' ');
        fields.nth(field).unwrap().parse().unwrap()
    };
    f64::from(ticks(11) + ticks(12)) / 100.0
}

/// A line of `/proc/self/status` such as `VmHWM`, in MiB.
fn memory(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib / 1024
}

/// An id as records without one have it: in no order.
fn id(number: u64) -> String {
    Digest::of(&number.to_le_bytes()).to_string()
}

fn row(number: u64, body: &str) -> SealedRow {
    sealed_row(&id(number), number, Outcome::Compliant, body)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "figures are read, not reckoned with"
)]
fn measured(what: &str, count: u64, work: impl FnOnce()) {
    let (began, used) = (Instant::now(), cpu());
    work();
    let (took, used) = (began.elapsed().as_secs_f64(), cpu() - used);
    println!(
        "{what:<44} {:>9.0} /s {:>7.1} µs CPU each, resident {} MiB, at most {}",
        count as f64 / took,
        used * 1e6 / count as f64,
        memory("VmRSS"),
        memory("VmHWM"),
    );
}

async fn many_in_flight<F: Future>(flight: usize, work: impl Iterator<Item = F>) {
    let mut work = work;
    let mut flying: FuturesUnordered<F> = work.by_ref().take(flight).collect();
    while flying.next().await.is_some() {
        flying.extend(work.next());
    }
}

async fn from_tasks<F: Future + Send + 'static>(
    tasks: u64,
    work: fn(Arc<dyn Store>, u64) -> F,
    store: &Arc<dyn Store>,
) {
    let mut running = tokio::task::JoinSet::new();
    for task in 0..tasks {
        let store = Arc::clone(store);
        running.spawn(async move {
            for number in (task..rows()).step_by(usize::try_from(tasks).unwrap()) {
                work(Arc::clone(&store), number).await;
            }
        });
    }
    running.join_all().await;
}

fn fresh() -> Fresh {
    match std::env::var("FIGURES_DIR") {
        Ok(parent) => Fresh {
            folder: tempfile::tempdir_in(parent).unwrap(),
        },
        Err(_) => Fresh::new(),
    }
}

async fn seal(store: Arc<dyn Store>, number: u64) {
    let body = "x".repeat(2048);
    store.seal("a", row(number, &body)).await.unwrap();
}

async fn keep(store: Arc<dyn Store>, number: u64) {
    let reply = [b'x'; 1024];
    let mut call = call(&number.to_le_bytes(), &reply);
    call.request = vec![b'y'; 2048].into();
    store.keep(call).await.unwrap();
}

#[test]
#[ignore = "measures"]
fn figures_of_writing() {
    let runtime = Runtime::new().unwrap();
    for tasks in [1, 8, 64, 512] {
        let fresh = fresh();
        let store = fresh.open();
        runtime.block_on(store.open_run(new_run("a"))).unwrap();
        measured(&format!("seal, {tasks} tasks"), rows(), || {
            runtime.block_on(from_tasks(tasks, seal, &store));
        });
    }
    for flight in [64, 1024] {
        let fresh = fresh();
        let store = fresh.open();
        runtime.block_on(store.open_run(new_run("a"))).unwrap();
        measured(
            &format!("seal, one task with {flight} in flight"),
            rows(),
            || {
                let work = (0..rows()).map(|number| seal(Arc::clone(&store), number));
                runtime.block_on(many_in_flight(flight, work));
            },
        );
    }
    let fresh = fresh();
    let store = fresh.open();
    measured("keep a call, 64 tasks", rows(), || {
        runtime.block_on(from_tasks(64, keep, &store));
    });
}

#[test]
#[ignore = "measures"]
fn figures_of_reading() {
    let runtime = Runtime::new().unwrap();
    let fresh = fresh();
    let store = fresh.open();
    runtime.block_on(store.open_run(new_run("a"))).unwrap();
    runtime.block_on(from_tasks(512, seal, &store));
    runtime.block_on(from_tasks(512, keep, &store));
    let each = |work: &dyn Fn(u64)| (0..rows()).for_each(work);
    measured("seal mark, found", rows(), || {
        each(&|number| {
            let record = RecordId::new(id(number));
            let mark = runtime.block_on(store.seal_mark("a", &record)).unwrap();
            assert!(mark.is_some());
        });
    });
    measured("seal mark, not found", rows(), || {
        each(&|number| {
            let record = RecordId::new(id(number + rows()));
            let mark = runtime.block_on(store.seal_mark("a", &record)).unwrap();
            assert!(mark.is_none());
        });
    });
    measured("reply, found", rows(), || {
        each(&|number| {
            let key = Digest::of(&number.to_le_bytes());
            assert!(runtime.block_on(store.reply(key)).unwrap().is_some());
        });
    });
    measured("reply, not found", rows(), || {
        each(&|number| {
            let key = Digest::of(&(number + rows()).to_le_bytes());
            assert!(runtime.block_on(store.reply(key)).unwrap().is_none());
        });
    });
    measured("transcripts, in pages of 1000", rows(), || {
        let (mut seen, mut after) = (0, None);
        loop {
            let page = runtime
                .block_on(store.transcripts("a", after, 1000))
                .unwrap();
            seen += page.items.len() as u64;
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, rows());
    });
}

/// Sealed rows as small as they get, made by SQLite itself.
const MANY_SEALED: &str = "
    WITH RECURSIVE rows (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM rows WHERE n < ?1)
    INSERT INTO transcripts (run, record, line, content, outcome, changed, digest, times, body)
    SELECT r.id, 'row-' || n, n, zeroblob(16), 'compliant', 0, zeroblob(16), '{}', '{}'
    FROM rows, runs r WHERE r.name = 'a'";

/// `FIGURES_ROWS=10000000` for the ten million that a restart must not feel.
#[test]
#[ignore = "measures"]
fn figures_of_a_restart() {
    let runtime = Runtime::new().unwrap();
    let fresh = fresh();
    let store = fresh.open();
    runtime.block_on(store.open_run(new_run("a"))).unwrap();
    let checkpoint = Checkpoint {
        lines: rows(),
        ..Checkpoint::default()
    };
    let noted = store.set_checkpoint("a", checkpoint);
    runtime.block_on(noted).unwrap();
    drop(store);
    measured("make sealed rows", rows(), || {
        let file = Connection::open(fresh.path()).unwrap();
        file.execute(MANY_SEALED, [rows().cast_signed()]).unwrap();
    });
    let before = memory("VmRSS");
    let mut store = None;
    measured("open", 1, || store = Some(fresh.open()));
    let store = store.unwrap();
    measured("read the checkpoint", 1, || {
        let found = runtime.block_on(store.checkpoint("a")).unwrap();
        assert_eq!(found.lines, rows());
    });
    measured("seal mark, found", 1000, || {
        for number in 0..1000 {
            let line = 1 + number * (rows() / 1000);
            let record = RecordId::new(format!("row-{line}"));
            let mark = runtime.block_on(store.seal_mark("a", &record)).unwrap();
            assert_eq!(mark.unwrap().line, line);
        }
    });
    let grown = (memory("VmRSS") - before) << 20;
    println!("{grown} bytes more in memory for {} rows", rows());
    // Where a row has to be 16 bytes, a handful of rows would be lost in the fixed costs.
    assert!(grown <= (16 * rows()).max(64 << 20));
}

#[test]
#[ignore = "measures"]
fn figures_of_opening() {
    let fresh = fresh();
    drop(fresh.open());
    measured("open and close", 100, || {
        for _ in 0..100 {
            drop(fresh.open());
        }
    });
}
