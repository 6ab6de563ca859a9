//! The tables that summaries and `stats` share.

use std::fmt::Write as _;

use super::progress::Money;
use super::terminal::{Paint, counted, money as amount, thousands};
use crate::audit::{Interval, PrincipleCount, Statistics, wilson};
use crate::transcript::{Outcome, UsageByRole};

/// How wide the bars of outcomes are, in columns.
const BAR: u64 = 30;

/// Outcomes with bars.
pub(super) fn outcomes(paint: Paint, statistics: &Statistics) -> String {
    let mut table = String::new();
    for outcome in Outcome::ALL {
        let Some(count) = statistics
            .outcomes
            .get(&outcome)
            .copied()
            .filter(|count| *count > 0)
        else {
            continue;
        };
        let filled = (count * BAR).div_ceil(statistics.records.max(1));
        let bar = "█".repeat(usize::try_from(filled).unwrap_or_default());
        let bar = match outcome {
            Outcome::Compliant | Outcome::Revised => paint.good(bar),
            Outcome::Unresolved | Outcome::Held => paint.notable(bar),
            Outcome::Failed => paint.bad(bar),
        };
        let share = percent(count, statistics.records);
        let _ = writeln!(
            table,
            "  {outcome:<11}{:>10}  {share:>6}  {bar}",
            thousands(count)
        );
    }
    table
}

/// Per principle: how often violated, how often mended.
pub(super) fn principles(paint: Paint, statistics: &Statistics, intervals: bool) -> String {
    let mut rows: Vec<(&String, &PrincipleCount)> = statistics.principles.iter().collect();
    rows.sort_by_key(|(_, count)| std::cmp::Reverse(count.violated));
    let name_width = rows
        .iter()
        .map(|(id, _)| id.len())
        .max()
        .unwrap_or(0)
        .max("principle".len());
    let interval_heading = if intervals { "  95 % interval" } else { "" };
    let mut table = format!(
        "  {}\n",
        paint.dim(format!(
            "{:<name_width$}{:>10}{:>10}{interval_heading}{:>9}{interval_heading}{:>9}",
            "principle", "assessed", "violated", "mended", "errors"
        ))
    );
    for (id, count) in rows {
        let PrincipleCount {
            assessed,
            violated,
            mended,
            errors,
        } = *count;
        let violated_interval = if intervals {
            interval(wilson(violated, assessed), assessed)
        } else {
            String::new()
        };
        let mended_interval = if intervals {
            interval(wilson(mended, violated), violated)
        } else {
            String::new()
        };
        let errors = if errors == 0 {
            "–".to_owned()
        } else {
            thousands(errors)
        };
        let _ = writeln!(
            table,
            "  {id:<name_width$}{:>10}{:>10}{violated_interval}{:>9}{mended_interval}{errors:>9}",
            thousands(assessed),
            thousands(violated),
            if violated == 0 {
                "–".to_owned()
            } else {
                thousands(mended)
            },
        );
    }
    table
}

fn interval(interval: Interval, of: u64) -> String {
    if of == 0 {
        return format!("{:>15}", "");
    }
    let shown = format!("{:.1}–{:.1} %", interval.low * 100.0, interval.high * 100.0);
    format!("{shown:>15}")
}

/// Calls, tokens and cost by role; nothing when no model was asked.
pub(super) fn usage(paint: Paint, usage: &UsageByRole) -> String {
    if usage.is_empty() {
        return String::new();
    }
    let heading = format!(
        "{:<10}{:>9}{:>15}{:>15}{:>15}{:>12}",
        "role", "calls", "input", "cached", "output", "cost"
    );
    let mut table = format!("  {}\n", paint.dim(heading));
    for (role, used) in usage {
        let cost = used
            .cost
            .map_or_else(|| "–".to_owned(), |cost| format!("{cost:.4}"));
        let _ = writeln!(
            table,
            "  {:<10}{:>9}{:>15}{:>15}{:>15}{cost:>12}",
            role.as_str(),
            thousands(used.calls),
            thousands(used.input),
            thousands(used.cached),
            thousands(used.output),
        );
        if used.unmetered > 0 {
            let note = format!("{} of them told no token counts", thousands(used.unmetered));
            let _ = writeln!(table, "  {}", paint.dim(note));
        }
    }
    table
}

/// The retries that are not the transport's, in words.
pub(super) fn asked_anew(contract: u64, policy: u64) -> String {
    format!(
        "{} after an unusable reply, {} beyond the first",
        counted(contract, "repeated call"),
        counted(policy, "revision"),
    )
}

/// What a run has spent in all; nothing when it spent nothing.
pub(super) fn spent(money: &Money) -> String {
    let unknown = money.has_unknown_cost().then(|| {
        let requests = counted(money.unpriced_calls, "request");
        format!("{requests} may have cost something that is not known")
    });
    if money.tokens == 0 {
        return unknown.unwrap_or_default();
    }
    let mut line = format!("{} tokens", thousands(money.tokens));
    if money.cost > 0.0 {
        line = format!("{} for {line}", amount(money.cost));
    }
    line.push_str(" spent in all, repeated calls and stopped records included");
    if let Some(unknown) = unknown {
        let _ = write!(line, "; {unknown}");
    }
    line
}

/// A share in per cent.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(super) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    format!("{:.1} %", part as f64 * 100.0 / whole as f64)
}
