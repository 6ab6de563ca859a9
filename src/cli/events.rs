//! `--events FILE`: what happens in a run, as JSON lines. Nobody waits for the file: a thread writes
//! it, and what it cannot write is left out and said once.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde::Serialize;
use serde_json::{Value, json};

use super::progress::{Tally, tally};
use crate::model::Concurrency;
use crate::model::traffic::TrafficEvent;
use crate::run::{Command, RunEvent};
use crate::telemetry;

/// How many lines may wait to be written.
const WAITING: usize = 1 << 16;
/// How long a line may stay unwritten.
const FLUSH_EVERY: Duration = Duration::from_millis(500);
/// How long the end of a run waits for the last lines.
const LAST: Duration = Duration::from_secs(3);

/// The file of events.
#[derive(Debug, Clone)]
pub(super) struct Events {
    /// Lines, and nothing as the last.
    lines: SyncSender<Option<String>>,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    path: PathBuf,
    /// Whether writing failed, and was not said yet.
    failure: Mutex<Option<String>>,
    broken: AtomicBool,
    lost: AtomicU64,
    ended: AtomicBool,
}

/// One line.
#[derive(Serialize)]
struct Line<'a, T> {
    at: &'a str,
    #[serde(flatten)]
    event: &'a T,
}

impl Events {
    /// Opens the file, to be written on from its end.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let file = File::options()
            .create(true)
            .append(true)
            .open(path)
            .with_context(|| format!("cannot write events to {}", path.display()))?;
        Self::to(file, path)
    }

    fn to(file: impl Write + Send + 'static, path: &Path) -> anyhow::Result<Self> {
        let (lines, waiting) = sync_channel(WAITING);
        let state = Arc::new(State {
            path: path.to_owned(),
            failure: Mutex::new(None),
            broken: AtomicBool::new(false),
            lost: AtomicU64::new(0),
            ended: AtomicBool::new(false),
        });
        let shared = Arc::clone(&state);
        thread::Builder::new()
            .name("events".to_owned())
            .spawn(move || {
                if let Err(error) = write(file, &waiting, &shared) {
                    shared.broken.store(true, Ordering::Relaxed);
                    if let Ok(mut failure) = shared.failure.lock() {
                        *failure = Some(error.to_string());
                    }
                }
                shared.ended.store(true, Ordering::Release);
            })
            .context("cannot start shared events")?;
        Ok(Self { lines, state })
    }

    /// Why no further event is written, the first time that this is asked after it happened.
    pub(super) fn failure(&self) -> Option<String> {
        let reason = self.state.failure.lock().ok()?.take()?;
        Some(format!(
            "The events can no longer be written to {}: {reason}. The run goes on without them.",
            self.state.path.display()
        ))
    }

    /// Something of the run.
    pub(super) fn run(&self, event: &RunEvent<'_>) {
        self.line(&of_run(event));
    }

    /// Something of the calls.
    pub(super) fn traffic(&self, event: &TrafficEvent) {
        self.line(event);
    }

    /// Something that somebody asked of the run.
    pub(super) fn command(&self, command: Command) {
        self.line(&of_command(command));
    }

    /// The end, with its figures.
    pub(super) fn ended(&self, figures: &Value) {
        let mut event = json!({ "event": "ended" });
        merge(&mut event, figures);
        self.line(&event);
    }

    /// Waits a little until all lines are in the file.
    pub(super) fn finish(&self) {
        let deadline = Instant::now() + LAST;
        let mut told = false;
        while !self.state.ended.load(Ordering::Acquire) && Instant::now() < deadline {
            told = told || self.lines.try_send(None).is_ok();
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn line(&self, event: &impl Serialize) {
        if self.state.broken.load(Ordering::Relaxed) {
            return;
        }
        let at = telemetry::now();
        // Every event is made of plain values.
        let Ok(mut line) = serde_json::to_string(&Line { at: &at, event }) else {
            return;
        };
        line.push('\n');
        if self.lines.try_send(Some(line)).is_err() {
            self.state.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Writes the lines that come, and no later than a moment after they came.
fn write(
    file: impl Write,
    waiting: &Receiver<Option<String>>,
    state: &State,
) -> std::io::Result<()> {
    let mut file = BufWriter::new(file);
    let mut flushed = Instant::now();
    loop {
        match waiting.recv_timeout(FLUSH_EVERY) {
            Ok(Some(line)) => file.write_all(line.as_bytes())?,
            Err(RecvTimeoutError::Timeout) => {}
            Ok(None) | Err(RecvTimeoutError::Disconnected) => return file.flush(),
        }
        let lost = state.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let line = json!({ "at": telemetry::now(), "event": "lost", "lines": lost });
            writeln!(file, "{line}")?;
        }
        if flushed.elapsed() >= FLUSH_EVERY {
            file.flush()?;
            flushed = Instant::now();
        }
    }
}

fn of_run(event: &RunEvent<'_>) -> Value {
    match event {
        RunEvent::Started {
            name,
            bytes,
            done,
            rows,
        } => json!({
            "event": "started",
            "run": name,
            "process": std::process::id(),
            "version": env!("CARGO_PKG_VERSION"),
            "bytes": bytes,
            "done_bytes": done,
            "done_rows": rows,
        }),
        RunEvent::Sealed {
            record,
            outcome,
            why,
            changed,
            ..
        } => {
            let Tally {
                violations,
                contract_retries,
                policy_retries,
            } = tally(event);
            json!({
                "event": "sealed",
                "record": record,
                "outcome": outcome,
                "why": why,
                "changed": changed,
                "violations": violations,
                "contract_retries": contract_retries,
                "policy_retries": policy_retries,
            })
        }
        RunEvent::Labelled {
            record, label, why, ..
        } => json!({ "event": "labelled", "record": record, "label": label, "why": why }),
        RunEvent::Known { end, .. } => json!({ "event": "known", "end": end }),
        RunEvent::Rejected { row, .. } => {
            json!({ "event": "rejected", "line": row.line, "reason": row.reason })
        }
        RunEvent::Stopping { in_flight } => json!({ "event": "stopping", "in_flight": in_flight }),
        RunEvent::Writing => json!({ "event": "writing" }),
    }
}

fn of_command(command: Command) -> Value {
    match command {
        Command::Pause => json!({ "event": "paused" }),
        Command::Resume => json!({ "event": "resumed" }),
        Command::Drain => json!({ "event": "draining" }),
        Command::Stop => json!({ "event": "stop_asked" }),
        Command::Limit(Concurrency::Auto) => json!({ "event": "concurrency", "limit": "auto" }),
        Command::Limit(Concurrency::Fixed(limit)) => {
            json!({ "event": "concurrency", "limit": limit })
        }
        Command::Budget(change) => {
            let mut event = json!({ "event": "budget" });
            if let Some(cost) = change.cost {
                event["cost"] = json!(cost);
            }
            if let Some(tokens) = change.tokens {
                event["tokens"] = json!(tokens);
            }
            event
        }
    }
}

fn merge(event: &mut Value, figures: &Value) {
    if let (Some(event), Some(figures)) = (event.as_object_mut(), figures.as_object()) {
        event.extend(figures.clone());
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::record::RecordId;

    #[derive(Clone, Debug, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::from(io::ErrorKind::StorageFull))
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::Error::from(io::ErrorKind::StorageFull))
        }
    }

    #[test]
    fn every_event_is_a_line_with_a_time_and_a_name() {
        let kept = Kept::default();
        let events = Events::to(kept.clone(), Path::new("e.jsonl")).expect("a thread");
        let record = &RecordId::new("a");
        events.run(&RunEvent::Known { record, end: 12 });
        events.command("budget cost=2 tokens=off".parse().expect("a command"));
        events.traffic(&TrafficEvent::TakenBack {
            model: "m".to_owned(),
            address: "a".to_owned(),
        });
        events.ended(&json!({ "how": "finished", "rows": 3 }));
        events.finish();
        assert_eq!(events.failure(), None);
        let text = String::from_utf8(kept.0.lock().expect("no panic").clone()).expect("text");
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        let names: Vec<&str> = lines
            .iter()
            .filter_map(|line| line["event"].as_str())
            .collect();
        assert_eq!(names, ["known", "budget", "taken_back", "ended"]);
        assert!(lines.iter().all(|line| line["at"].is_string()));
        assert_eq!(lines[1]["cost"], 2.0);
        assert!(lines[1]["tokens"].is_null() && lines[1].get("tokens").is_some());
        assert_eq!(lines[3]["rows"], 3);
    }

    #[test]
    fn a_file_that_cannot_be_written_is_said_once() {
        let events = Events::to(Full, Path::new("e.jsonl")).expect("a thread");
        for _ in 0..10_000 {
            events.run(&RunEvent::Writing);
        }
        events.finish();
        let said = events.failure();
        assert!(said.is_some_and(|said| said.contains("e.jsonl")));
        assert_eq!(events.failure(), None);
    }
}
