//! What `redraft export` says when it is done: what was written, and what was left out and why.

use super::plan::{CardEnd, Plan};
use crate::cli::terminal::{Paint, counted, safe, thousands};
use crate::export::{CardFile, Exporter};

/// Says on standard error what was exported.
pub(super) fn say(exporter: &Exporter, plan: &Plan, files: &[CardFile], card: Option<&CardEnd>) {
    let paint = Paint::STDERR;
    let counts = exporter.counts();
    eprintln!(
        "{} {} of {} of run {}",
        paint.bold("Exported"),
        counted(counts.all_rows(), "row"),
        counted(counts.exported, "transcript"),
        safe(&exporter.about().run)
    );
    for (sheet, file) in plan.sheets.iter().zip(files) {
        eprintln!(
            "  {:>12}  {}",
            thousands(file.rows),
            safe(&sheet.target.to_string())
        );
    }
    match card {
        Some(CardEnd::Written(path)) => {
            eprintln!("  {:>12}  {}", "card", safe(&path.display().to_string()));
        }
        Some(CardEnd::Foreign(path)) => {
            let path = path.display().to_string();
            let why = "is not redraft's, and stays as it is";
            eprintln!("  {:>12}  {} {why}", "no card", safe(&path));
        }
        None => {}
    }
    if !counts.left_out.is_empty() {
        eprintln!(
            "{} of {}",
            paint.bold("Left out"),
            counted(counts.transcripts, "transcript")
        );
    }
    for (why, count) in &counts.left_out {
        eprintln!("  {:>12}  {}", thousands(*count), paint.dim(why));
    }
}
