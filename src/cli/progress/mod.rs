//! Progress: some lines that stay at the foot of a terminal, or a line of words now and then
//! elsewhere.

mod rates;
mod total;
mod view;

use std::convert::Infallible;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;

use self::rates::{Rates, Sample};
use self::total::{RowCount, total};
pub(super) use self::view::{Money, Phase, Tally, View};
use super::terminal::{Paint, counted, one_line};
use crate::model::traffic::Traffic;
use crate::record::RecordId;
use crate::run::{Controls, RunEvent, RunObserver};
use crate::telemetry;
use crate::transcript::Outcome;

/// How often a line is printed where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// How often the lines on a terminal are made anew.
const LINES_EVERY: Duration = Duration::from_millis(200);
/// How many failed records and bad rows are named as they happen.
const NAMED: u64 = 5;
/// Rows that end before a pace says when the rest will.
const ROWS_FOR_PACE: u64 = 3;

/// What progress is shown of, and how.
#[derive(Debug)]
pub(super) struct Shown {
    /// Whether nothing is shown.
    pub(super) quiet: bool,
    /// The calls.
    pub(super) traffic: Arc<Traffic>,
    /// How the run is steered.
    pub(super) controls: Controls,
    /// The input, if its rows can be counted beforehand.
    pub(super) input: Option<PathBuf>,
    /// The most rows that are taken.
    pub(super) limit: Option<u64>,
    /// How many transcripts each row gets.
    pub(super) samples: NonZeroU32,
    /// What stands under the figures on a terminal.
    pub(super) hint: &'static str,
}

/// A run that has begun in this process.
#[derive(Clone, Debug)]
pub(super) struct Begun {
    pub(super) name: String,
    /// When, RFC 3339 in UTC.
    pub(super) at: String,
}

/// Shows how far a run is.
#[derive(Debug)]
pub(super) struct Progress {
    shown: Shown,
    bar: Option<ProgressBar>,
    run: OnceLock<Begun>,
    bytes: OnceLock<u64>,
    count: RowCount,
    rows: AtomicU64,
    /// Rows that took work in this process: those that were known tell nothing of its pace.
    worked: AtomicU64,
    changed: AtomicU64,
    failed: AtomicU64,
    rejected: AtomicU64,
    end: AtomicU64,
    stopping: AtomicBool,
    writing: AtomicBool,
    tally: Mutex<Tally>,
    rates: Mutex<Rates>,
    began: Instant,
}

impl Progress {
    pub(super) fn new(mut shown: Shown) -> Self {
        let on_terminal = !shown.quiet && Term::stderr().is_term();
        let mut rates = Rates::default();
        rates.begin(Sample::default());
        Self {
            bar: on_terminal.then(bar),
            run: OnceLock::new(),
            bytes: OnceLock::new(),
            count: RowCount::start(shown.input.take()),
            shown,
            rows: AtomicU64::new(0),
            worked: AtomicU64::new(0),
            changed: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            end: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
            writing: AtomicBool::new(false),
            tally: Mutex::default(),
            rates: Mutex::new(rates),
            began: Instant::now(),
        }
    }

    /// Takes the lines away.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// Prints a line above those that stay.
    pub(super) fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None if !self.shown.quiet => eprintln!("{line}"),
            None => {}
        }
    }

    /// The run, once it has begun in this process.
    pub(super) fn begun(&self) -> Option<&Begun> {
        self.run.get()
    }

    /// Shows how far the run is, now and again, whether rows end or not.
    pub(super) async fn keep_showing(&self) -> Infallible {
        let Some(bar) = &self.bar else {
            loop {
                tokio::time::sleep(LINE_EVERY).await;
                self.say(&self.view().words());
            }
        };
        loop {
            tokio::time::sleep(LINES_EVERY).await;
            bar.set_message(self.lines());
        }
    }

    fn lines(&self) -> String {
        let columns = Term::stderr()
            .size_checked()
            .map_or(80, |(_, columns)| usize::from(columns));
        // A terminal wraps some lines that fill it to the last column.
        let width = columns.saturating_sub(1).max(1);
        let lines = self.view().lines(Paint::STDERR, width, self.shown.hint);
        lines.join("\n")
    }

    /// How the run stands.
    pub(super) fn view(&self) -> View {
        let rows = self.rows.load(Ordering::Relaxed);
        let worked = self.worked.load(Ordering::Relaxed);
        let calls = self.shown.traffic.counts();
        let elapsed = self.began.elapsed();
        let (rows_per_second, tokens_per_second) = held(&self.rates).up_to(Sample {
            at: elapsed,
            rows: worked,
            tokens: calls.output,
        });
        let total = total(
            self.count.known(),
            rows,
            self.end.load(Ordering::Relaxed),
            self.bytes.get().copied(),
            self.shown.limit,
            self.shown.samples,
        );
        let phase = self.phase();
        let paced = phase == Phase::Running && worked >= ROWS_FOR_PACE;
        #[expect(clippy::cast_precision_loss, reason = "a time for people")]
        let seconds_left = total
            .filter(|_| paced && rows_per_second > 0.0)
            .map(|total| total.rows.saturating_sub(rows) as f64 / rows_per_second);
        View {
            run: self
                .begun()
                .map(|begun| begun.name.clone())
                .unwrap_or_default(),
            process: std::process::id(),
            phase,
            seconds: elapsed.as_secs_f64(),
            rows,
            sampled: self.shown.samples.get() > 1,
            total,
            rows_per_second,
            seconds_left,
            changed: self.changed.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            rejected: self.rejected.load(Ordering::Relaxed),
            tally: *held(&self.tally),
            calls,
            tokens_per_second,
            money: self.money(),
            endpoints: self.shown.traffic.endpoints(),
        }
    }

    fn phase(&self) -> Phase {
        if self.writing.load(Ordering::Relaxed) {
            Phase::Writing
        } else if self.shown.controls.is_draining() {
            Phase::Draining
        } else if self.stopping.load(Ordering::Relaxed) {
            Phase::Stopping
        } else if self.shown.traffic.is_paused() {
            Phase::Paused
        } else {
            Phase::Running
        }
    }

    fn money(&self) -> Money {
        let budget = self.shown.traffic.budget();
        Money::of(&budget.spent(), budget.limits(), budget.has_price())
    }

    /// Counts a record that failed, and names the first ones.
    fn count_failed(&self, record: &RecordId, why: &str) {
        if self.failed.fetch_add(1, Ordering::Relaxed) < NAMED {
            self.say(&format!(
                "{} record {}: {}",
                Paint::STDERR.bad("failed"),
                one_line(record.as_str(), 40),
                one_line(why, 300)
            ));
        }
    }

    fn row_worked(&self, end: u64) {
        self.worked.fetch_add(1, Ordering::Relaxed);
        self.row_ended(end);
    }

    fn row_ended(&self, end: u64) {
        self.rows.fetch_add(1, Ordering::Relaxed);
        self.end.fetch_max(end, Ordering::Relaxed);
    }

    fn started(&self, name: &str, bytes: Option<u64>, done: u64, rows: u64) {
        let rows = rows.saturating_mul(u64::from(self.shown.samples.get()));
        self.rows.store(rows, Ordering::Relaxed);
        self.worked.store(0, Ordering::Relaxed);
        self.end.store(done, Ordering::Relaxed);
        if let Some(bytes) = bytes {
            let _ = self.bytes.set(bytes);
        }
        held(&self.rates).begin(Sample {
            at: self.began.elapsed(),
            rows: 0,
            tokens: self.shown.traffic.counts().output,
        });
        let _ = self.run.set(Begun {
            name: name.to_owned(),
            at: telemetry::now(),
        });
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn bar() -> ProgressBar {
    let style =
        ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style)
}

/// What a sealed record adds to the tally.
pub(super) fn tally(event: &RunEvent<'_>) -> Tally {
    match event {
        RunEvent::Sealed {
            violations,
            contract_retries,
            policy_retries,
            ..
        } => Tally {
            violations: *violations,
            contract_retries: *contract_retries,
            policy_retries: *policy_retries,
        },
        _ => Tally::default(),
    }
}

impl RunObserver for Progress {
    fn event(&self, event: &RunEvent<'_>) {
        match event {
            RunEvent::Started {
                name,
                bytes,
                done,
                rows,
            } => self.started(name, *bytes, *done, *rows),
            RunEvent::Sealed {
                record,
                outcome,
                why,
                changed,
                end,
                ..
            } => {
                held(&self.tally).add(tally(event));
                self.changed
                    .fetch_add(u64::from(*changed), Ordering::Relaxed);
                if *outcome == Outcome::Failed {
                    self.count_failed(record, why);
                }
                self.row_worked(*end);
            }
            RunEvent::Labelled {
                record,
                why,
                failed,
                end,
                ..
            } => {
                if *failed {
                    self.count_failed(record, why.unwrap_or_default());
                }
                self.row_worked(*end);
            }
            RunEvent::Known { end, .. } => self.row_ended(*end),
            RunEvent::Rejected { row, end } => {
                if self.rejected.fetch_add(1, Ordering::Relaxed) < NAMED {
                    let paint = Paint::STDERR;
                    let reason = one_line(&row.reason, 300);
                    self.say(&format!(
                        "{} line {}: {reason}",
                        paint.notable("rejected"),
                        row.line
                    ));
                }
                self.row_worked(*end);
            }
            RunEvent::Stopping { in_flight } => {
                self.stopping.store(true, Ordering::Relaxed);
                let what = counted(*in_flight as u64, "record");
                let controls = &self.shown.controls;
                let again = if controls.is_stopping() { " again" } else { "" };
                let head = if controls.is_draining() {
                    "Draining"
                } else {
                    "Stopping"
                };
                self.say(&format!(
                    "{head}: {what} in flight may end; Ctrl-C{again} stops at once."
                ));
            }
            RunEvent::Writing => self.writing.store(true, Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Stop;

    fn progress(samples: u32) -> Progress {
        let traffic = Traffic::new();
        let (handle, _) = Stop::new();
        Progress::new(Shown {
            quiet: true,
            controls: Controls::new(Arc::clone(&traffic), handle),
            traffic,
            input: None,
            limit: None,
            samples: NonZeroU32::new(samples).expect("at least one"),
            hint: "",
        })
    }

    fn start(progress: &Progress, rows: u64) {
        progress.event(&RunEvent::Started {
            name: "r",
            bytes: Some(1000),
            done: 10 * rows,
            rows,
        });
    }

    fn sealed(progress: &Progress, end: u64) {
        progress.event(&RunEvent::Sealed {
            record: &RecordId::new("a"),
            outcome: Outcome::Compliant,
            why: "",
            changed: false,
            violations: 0,
            contract_retries: 0,
            policy_retries: 0,
            end,
        });
    }

    #[tokio::test(start_paused = true)]
    async fn known_rows_say_nothing_of_the_pace() {
        let progress = progress(1);
        start(&progress, 0);
        let record = &RecordId::new("a");
        for row in 1..=40 {
            progress.event(&RunEvent::Known {
                record,
                end: row * 10,
            });
        }
        tokio::time::advance(Duration::from_secs(10)).await;
        let view = progress.view();
        assert_eq!((view.rows, view.seconds_left), (40, None));
        assert!(view.rows_per_second < 0.01, "{view:?}");
        for row in 41..=50 {
            sealed(&progress, row * 10);
        }
        let view = progress.view();
        assert!((view.rows_per_second - 1.0).abs() < 0.01, "{view:?}");
        assert!(view.seconds_left.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_paused_run_has_no_time_left() {
        let progress = progress(1);
        start(&progress, 0);
        for row in 1..=5 {
            sealed(&progress, row * 10);
        }
        tokio::time::advance(Duration::from_secs(10)).await;
        assert!(progress.view().seconds_left.is_some());
        progress.shown.traffic.pause();
        assert_eq!(progress.view().seconds_left, None);
    }

    #[tokio::test]
    async fn rows_done_before_count_with_all_their_samples() {
        let progress = progress(3);
        start(&progress, 20);
        let view = progress.view();
        assert!(view.sampled);
        assert_eq!(view.rows, 60);
        assert_eq!(view.total.map(|total| total.rows), Some(300));
    }
}
