//! What `redraft audit verify` says.

use std::fmt::Write as _;

use serde_json::json;

use crate::audit::verify::{Anchored, Problem, Report, State};
use crate::cli::terminal::{Paint, one_line, safe, thousands};

/// How many problems of one part are told of.
const TOLD: usize = 20;

/// Prints a report.
pub(super) fn show(report: &Report, json: bool) -> anyhow::Result<()> {
    if json {
        let mut told = serde_json::to_value(report)?;
        told["holds"] = json!(report.holds());
        outln!("{}", serde_json::to_string_pretty(&told)?);
        return Ok(());
    }
    let paint = Paint::STDOUT;
    match &report.checkpoint {
        Some(head) => {
            let from = if head.from_store {
                "kept by the store itself; a copy from elsewhere proves more (--checkpoint)"
            } else {
                "from elsewhere"
            };
            outln!(
                "Against the checkpoint of {} leaves, {}, {from}",
                thousands(head.size),
                safe(head.time.as_deref().unwrap_or("without a time"))
            );
        }
        None => outln!("Without a checkpoint: `redraft audit checkpoint` makes one"),
    }
    for (name, check) in report.checks() {
        let (state, count) = match check.state {
            State::Holds => (paint.good("holds"), String::new()),
            State::Fails => (
                paint.bad("FAILS"),
                format!(" ({} bad)", thousands(check.bad)),
            ),
            State::NotChecked => (paint.dim("not checked"), String::new()),
        };
        outln!("  {name:<14}{state}: {}{count}", safe(&check.what));
        for problem in check.problems.iter().take(TOLD) {
            outln!("    {} {}", paint.bad("✗"), told(problem));
        }
        let more = check.bad.saturating_sub(TOLD as u64);
        if more > 0 {
            outln!("    and {} more; --json lists them", thousands(more));
        }
    }
    outln!("  {:<14}{}", "anchored", anchored(&report.anchored));
    for run in &report.runs {
        outln!("\n{} {}", paint.bold("Run"), safe(&run.run));
        outln!("  {}", safe(&run.what));
        let rows = run.rows.map(|rows| format!("{} rows, ", thousands(rows)));
        outln!(
            "  {}{} transcripts, {} doubled, {} rejected, {} erased, {} withdrawn",
            rows.unwrap_or_default(),
            thousands(run.transcripts),
            run.doubled.map_or_else(|| "?".to_owned(), thousands),
            thousands(run.rejected),
            thousands(run.erased),
            thousands(run.withdrawn)
        );
        for (outcome, count) in &run.outcomes {
            outln!("  {:<12}{:>10}", safe(outcome), thousands(*count));
        }
    }
    Ok(())
}

fn told(problem: &Problem) -> String {
    let mut parts = Vec::new();
    if let Some(record) = &problem.record {
        parts.push(format!("record {}", one_line(record, 80)));
    }
    if let Some(run) = &problem.run {
        parts.push(format!("run {}", one_line(run, 80)));
    }
    if let Some(leaf) = problem.leaf {
        parts.push(format!("leaf {leaf}"));
    }
    let what = one_line(&problem.what, 400);
    if parts.is_empty() {
        what
    } else {
        format!("{}: {what}", parts.join(", "))
    }
}

fn anchored(anchored: &Anchored) -> String {
    let mut told = match &anchored.until {
        Some(time) => format!(
            "{} leaves until {}, {} later",
            thousands(anchored.leaves),
            safe(time),
            thousands(anchored.later)
        ),
        None => {
            "not at all: no checkpoint from elsewhere, and none that --public-key signed".to_owned()
        }
    };
    if let Some(at) = &anchored.adopted_at {
        let _ = write!(
            told,
            "; {} transcripts are older than the log, and were nowhere anchored before {}",
            thousands(anchored.adopted),
            safe(at)
        );
    }
    told
}
