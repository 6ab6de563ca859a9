//! Progress: a bar on a terminal, a line now and then elsewhere.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;

use super::terminal::{Paint, counted, one_line, thousands};
use crate::model::traffic::Traffic;
use crate::run::{RunEvent, RunObserver};
use crate::transcript::Outcome;

/// How often a line is printed where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// How often the bar's words are made anew.
const WORDS_EVERY: Duration = Duration::from_millis(100);
/// How many failed records and bad rows are named as they happen.
const NAMED: u64 = 5;

/// Shows how far a run is.
#[derive(Debug)]
pub(super) struct Progress {
    quiet: bool,
    bar: Option<ProgressBar>,
    traffic: Arc<Traffic>,
    rows: AtomicU64,
    begun_with: AtomicU64,
    changed: AtomicU64,
    failed: AtomicU64,
    rejected: AtomicU64,
    end: AtomicU64,
    began: Instant,
}

impl Progress {
    pub(super) fn new(quiet: bool, traffic: Arc<Traffic>) -> Self {
        let on_terminal = !quiet && Term::stderr().is_term();
        Self {
            quiet,
            bar: on_terminal.then(bar),
            traffic,
            rows: AtomicU64::new(0),
            begun_with: AtomicU64::new(0),
            changed: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            end: AtomicU64::new(0),
            began: Instant::now(),
        }
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None if !self.quiet => eprintln!("{line}"),
            None => {}
        }
    }

    /// Shows how far the run is, now and again, whether rows end or not.
    pub(super) async fn keep_showing(&self) -> Infallible {
        let every = if self.bar.is_some() {
            WORDS_EVERY
        } else {
            LINE_EVERY
        };
        loop {
            tokio::time::sleep(every).await;
            match &self.bar {
                Some(bar) => {
                    bar.set_position(self.end.load(Ordering::Relaxed));
                    bar.set_message(self.words());
                }
                None => self.say(&self.words()),
            }
        }
    }

    fn row_ended(&self, end: u64) {
        self.rows.fetch_add(1, Ordering::Relaxed);
        self.end.fetch_max(end, Ordering::Relaxed);
    }

    fn words(&self) -> String {
        let rows = self.rows.load(Ordering::Relaxed);
        let since = rows - self.begun_with.load(Ordering::Relaxed).min(rows);
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = since as f64 / self.began.elapsed().as_secs_f64().max(0.001);
        let mut words = vec![counted(rows, "row"), format!("{rate:.0}/s")];
        for (count, word) in [
            (&self.changed, "changed"),
            (&self.failed, "failed"),
            (&self.rejected, "rejected"),
        ] {
            let count = count.load(Ordering::Relaxed);
            if count > 0 {
                words.push(format!("{} {word}", thousands(count)));
            }
        }
        let calls = self.traffic.counts();
        if calls.asked > 0 {
            words.push(format!(
                "{} ({} in flight)",
                counted(calls.asked, "call"),
                calls.in_flight
            ));
        }
        if calls.retries > 0 {
            words.push(format!("{} retried", thousands(calls.retries)));
        }
        words.join(" · ")
    }
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:24.green/dim} {percent:>3} % {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─");
    ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style)
}

impl RunObserver for Progress {
    fn event(&self, event: &RunEvent<'_>) {
        match event {
            RunEvent::Started {
                bytes, done, rows, ..
            } => {
                self.rows.store(*rows, Ordering::Relaxed);
                self.begun_with.store(*rows, Ordering::Relaxed);
                if let (Some(bar), Some(bytes)) = (&self.bar, bytes) {
                    bar.set_length(*bytes);
                    bar.set_position(*done);
                    self.end.store(*done, Ordering::Relaxed);
                }
            }
            RunEvent::Sealed {
                record,
                outcome,
                why,
                changed,
                end,
                ..
            } => {
                self.changed
                    .fetch_add(u64::from(*changed), Ordering::Relaxed);
                if *outcome == Outcome::Failed
                    && self.failed.fetch_add(1, Ordering::Relaxed) < NAMED
                {
                    let paint = Paint::STDERR;
                    let record = one_line(record.as_str(), 40);
                    self.say(&format!(
                        "{} record {record}: {}",
                        paint.bad("failed"),
                        one_line(why, 300)
                    ));
                }
                self.row_ended(*end);
            }
            RunEvent::Known { end } => self.row_ended(*end),
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
                self.row_ended(*end);
            }
            RunEvent::Stopping { in_flight } => {
                let what = counted(*in_flight as u64, "record");
                self.say(&format!(
                    "Stopping: {what} in flight may end; Ctrl-C again stops at once."
                ));
            }
            RunEvent::Writing => {
                if let Some(bar) = &self.bar {
                    bar.set_message("writing the output");
                }
            }
        }
    }
}
