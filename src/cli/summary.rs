//! What is said before a run and after it.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::audit::at_end;
use super::progress::View;
use super::tables::{asked_anew, outcomes, percent, principles, spent, usage};
use super::terminal::{Paint, counted, indent, one_line, safe, thousands};
use crate::app::DEFAULT_CONSTITUTION;
use crate::audit::Statistics;
use crate::audit::proof::MadeCheckpoint;
use crate::config::Settings;
use crate::model::budget::BudgetLimits;
use crate::model::traffic::CallCounts;
use crate::pipeline::Pipeline;
use crate::run::{RunEnd, RunPlan, RunReport};
use crate::store::{RejectedRow, RunRow, StoredTranscript};
use crate::transcript::Outcome;

/// Says what is about to run.
pub(super) fn announce(
    pipeline: &Pipeline,
    settings: &Settings,
    plan: &RunPlan,
    earlier: Option<&(RunRow, Vec<String>)>,
) {
    let paint = Paint::STDERR;
    let constitution = pipeline.constitution();
    let chosen = match &settings.constitution {
        Some(_) => String::new(),
        None => format!(", since none was chosen (-c) and {DEFAULT_CONSTITUTION} needs no model"),
    };
    eprintln!(
        "{} against {} {} ({}{chosen})",
        paint.bold(safe(&plan.dataset)),
        paint.bold(constitution.name()),
        constitution.version(),
        counted(constitution.principles().len() as u64, "principle"),
    );
    for (model, roles) in cast(settings) {
        eprintln!("  {} {}", paint.dim(format!("{roles}:")), safe(&model));
    }
    if settings.is_batched() {
        let batched = settings
            .models
            .values()
            .filter(|model| model.batch.is_some());
        let names: Vec<_> = batched.map(|model| safe(&model.model)).collect();
        let what = paint.dim("in batches:");
        eprintln!(
            "  {what} {}; their replies come within a day",
            names.join(", ")
        );
    }
    eprintln!("  {} {}", paint.dim("run:"), safe(&plan.name));
    if let Some((row, changes)) = earlier
        && !changes.is_empty()
    {
        let changed = changes.join(", ");
        eprintln!(
            "  {} a new run, because since {} this changed: {changed}; calls that are the same are not made again",
            paint.dim("note:"),
            safe(&row.run.name),
        );
    }
}

/// Each model with the roles that it plays.
fn cast(settings: &Settings) -> Vec<(String, String)> {
    let mut cast: Vec<(String, Vec<&str>)> = Vec::new();
    for (role, plan) in &settings.roles {
        let model = settings
            .models
            .get(&plan.model)
            .map_or(&plan.model, |model| &model.model);
        match cast.iter_mut().find(|(known, _)| known == model) {
            Some((_, roles)) => roles.push(role.as_str()),
            None => cast.push((model.clone(), vec![role.as_str()])),
        }
    }
    cast.into_iter()
        .map(|(model, roles)| (model, roles.join(", ")))
        .collect()
}

/// What there is to say after a run.
pub(super) struct Summary<'a> {
    pub(super) report: &'a RunReport,
    /// Transcripts of the run, whichever process made them.
    pub(super) sealed: u64,
    pub(super) statistics: &'a Statistics,
    pub(super) example: Option<&'a StoredTranscript>,
    pub(super) rejected: &'a [RejectedRow],
    pub(super) store: String,
    pub(super) output: Option<&'a Path>,
    pub(super) fresh: bool,
    /// The budget of the command line; the run's may have been changed while it ran.
    pub(super) budget: BudgetLimits,
    pub(super) retry_failed: bool,
    /// How the run stood at its end.
    pub(super) view: &'a View,
    /// The addresses of the models, without credentials.
    pub(super) addresses: Vec<String>,
    /// The checkpoint that was made at the end.
    pub(super) checkpoint: Option<&'a MadeCheckpoint>,
}

impl Summary<'_> {
    pub(super) fn json(&self) -> Result<String, serde_json::Error> {
        let report = self.report;
        let counts = self.view.calls;
        let (contract, policy) = self.asked_anew();
        serde_json::to_string(&json!({
            "run": report.name,
            "finished": report.end == RunEnd::Finished,
            "rows": report.rows,
            "doubled": report.doubled,
            "rejected": report.rejected,
            "resumed": report.resumed,
            "seconds": report.elapsed.as_secs_f64(),
            "store": self.store,
            "checkpoint": self.checkpoint.map(|made| &made.head),
            "output": self.output,
            "rejected_file": report.rejected_file,
            "stopped_by": report.stopped_by.as_ref().filter(|_| report.end != RunEnd::Finished),
            "statistics": (report.end == RunEnd::Finished).then_some(self.statistics),
            "requests": { "sent": counts.asked, "retried": counts.retries },
            "spent": &self.view.money,
            "retries": {
                "transport": counts.retries,
                "contract": contract,
                "policy": policy,
            },
        }))
    }

    pub(super) fn print(&self, paint: Paint) {
        eprintln!("\n{}", self.first_line(paint));
        self.print_only_failures(paint);
        self.print_budget(paint);
        self.print_done();
        eprint!("{}", outcomes(paint, self.statistics));
        if !self.statistics.principles.is_empty() {
            eprintln!("\n{}", paint.bold("Principles"));
            eprint!("{}", principles(paint, self.statistics, false));
        }
        let used = usage(paint, &self.statistics.usage);
        if !used.is_empty() {
            eprintln!("\n{}", paint.bold("Models"));
            eprint!("{used}");
        }
        if !used.is_empty() || self.view.calls.asked > 0 {
            self.print_calls(paint);
        }
        let spent = spent(&self.view.money);
        if !spent.is_empty() {
            eprintln!("  {}", paint.dim(spent));
        }
        self.print_rejected(paint);
        self.print_example(paint);
        self.print_next(paint);
    }

    fn first_line(&self, paint: Paint) -> String {
        let report = self.report;
        let (head, changed) = match report.end {
            RunEnd::Finished => {
                let Statistics {
                    changed, records, ..
                } = *self.statistics;
                let words = if records == report.rows {
                    let share = percent(changed, records);
                    format!(", {} changed ({share})", thousands(changed))
                } else {
                    changed_of(changed, records)
                };
                (paint.bold("Done:"), words)
            }
            _ => (paint.bold("Stopped:"), String::new()),
        };
        let mut line = format!(
            "{head} {} read{changed}, in {}",
            counted(report.rows, "row"),
            duration(report.elapsed),
        );
        let before = self.sealed.saturating_sub(report.sealed);
        if before > 0 {
            let _ = write!(line, "; {} were done before", thousands(before));
        }
        if report.doubled > 0 {
            let _ = write!(
                line,
                "; {} equal to an earlier row",
                thousands(report.doubled)
            );
        }
        line
    }

    fn print_only_failures(&self, paint: Paint) {
        let (RunEnd::OnlyFailures, Some(why)) = (self.report.end, &self.report.stopped_by) else {
            return;
        };
        eprintln!(
            "{} record after record failed because of the server (--max-failed); none of that \
             streak is kept as failed",
            paint.bad("only failures:")
        );
        eprintln!("  the last one: {}", one_line(why, 500));
        if !self.addresses.is_empty() {
            eprintln!("  the server: {}", safe(&self.addresses.join(", ")));
        }
    }

    fn print_budget(&self, paint: Paint) {
        if self.report.end != RunEnd::BudgetReached {
            return;
        }
        let what = self.report.stopped_by.as_deref().unwrap_or_default();
        eprintln!(
            "{} {}",
            paint.notable("the budget is reached:"),
            one_line(what, 500)
        );
    }

    /// How much is done of a run that was stopped.
    fn print_done(&self) {
        if self.report.end != RunEnd::Finished {
            eprintln!("  done: {}", self.view.done(self.sealed));
        }
    }

    /// Retries of contract and policy: the run's where all of it was counted, and else those of this
    /// process.
    fn asked_anew(&self) -> (u64, u64) {
        let (all, here) = (self.statistics, self.view.tally);
        match self.report.end {
            RunEnd::Finished => (all.contract_retries, all.policy_retries),
            _ => (here.contract_retries, here.policy_retries),
        }
    }

    fn print_calls(&self, paint: Paint) {
        let CallCounts { asked, retries, .. } = self.view.calls;
        let mut line = format!("{} sent now", counted(asked, "request"));
        if retries > 0 {
            let _ = write!(
                line,
                ", {} of them again after a failure",
                thousands(retries)
            );
        }
        let (contract, policy) = self.asked_anew();
        if contract + policy > 0 {
            let _ = write!(line, "; {}", asked_anew(contract, policy));
        }
        if self.statistics.journalled > 0 {
            let journalled = thousands(self.statistics.journalled);
            let _ = write!(
                line,
                "; {journalled} of the run's replies came from the journal"
            );
        }
        eprintln!("  {}", paint.dim(line));
    }

    fn print_rejected(&self, paint: Paint) {
        if self.report.rejected == 0 {
            return;
        }
        let rejected = counted(self.report.rejected, "row");
        eprintln!(
            "\n{} {rejected} could not be used",
            paint.notable("Rejected:")
        );
        for row in self.rejected {
            eprintln!("  line {}: {}", row.line, one_line(&row.reason, 200));
        }
        let more = self.report.rejected - self.rejected.len() as u64;
        match &self.report.rejected_file {
            Some(file) => eprintln!("  all of them: {}", safe(&file.display().to_string())),
            None if more > 0 => eprintln!("  and {} more; -o OUT lists them all", thousands(more)),
            None => {}
        }
    }

    fn print_example(&self, paint: Paint) {
        let Some(transcript) = self
            .example
            .and_then(|stored| stored.row.sealed.open().ok())
        else {
            return;
        };
        let (Some(draft), Some(last)) = (&transcript.draft, &transcript.final_answer) else {
            return;
        };
        let id = one_line(transcript.record.id.as_str(), 40);
        eprintln!(
            "\n{} {}",
            paint.bold("One of the changed answers"),
            paint.dim(format!("(record {id})"))
        );
        eprintln!(
            "{}",
            indent(&paint.word_diff(&draft.text, &last.text), "  ")
        );
    }

    fn print_next(&self, paint: Paint) {
        let store = match self.store.as_str() {
            "redraft.db" => String::new(),
            other => format!(" --store {}", safe(other)),
        };
        let name = safe(&self.report.name).into_owned();
        eprintln!(
            "\nThe transcripts are in {}.",
            paint.bold(safe(&self.store))
        );
        if let Some(output) = self.output.filter(|_| self.report.end == RunEnd::Finished) {
            eprintln!(
                "The rows are in {}.",
                paint.bold(safe(&output.display().to_string()))
            );
        }
        if let Some(made) = self.checkpoint {
            at_end::tell(made, paint);
        }
        eprintln!("{}", paint.bold("Next"));
        if self.report.end != RunEnd::Finished {
            let again = if self.fresh {
                format!("the same, --run {name} for --fresh   go on where it stopped")
            } else {
                format!("the same command again        go on where it stopped (run {name})")
            };
            eprintln!("  {again}");
            if self.report.end == RunEnd::BudgetReached {
                eprintln!("  {}", self.budget_next());
            }
        }
        if self.statistics.outcomes.contains_key(&Outcome::Failed) {
            if self.retry_failed && self.view.calls.asked == 0 {
                eprintln!(
                    "  the same, --fresh             ask every model again: what failed did so by \
                     replies that are kept"
                );
            } else {
                eprintln!("  the same, --retry-failed      do the records again that failed");
            }
        }
        if let Some(stored) = self.example {
            let id = safe(stored.row.sealed.record.as_str());
            eprintln!("  redraft show {id}{store}   the whole story of that answer");
        }
        eprintln!("  redraft stats {name}{store}   more figures, with intervals");
        if self.output.is_none() && self.report.end == RunEnd::Finished {
            eprintln!("  the same, -o OUT.jsonl        write the rows back with their new answers");
        }
    }
}

impl Summary<'_> {
    /// What the same command again needs, or does not, after the budget was reached.
    fn budget_next(&self) -> String {
        let money = &self.view.money;
        if money.limits() == self.budget {
            return format!("it needs a higher {}", money.options());
        }
        "the budget was changed while the run was going on; the command's own holds again then"
            .to_owned()
    }
}

/// How many transcripts changed, where the rows that were read are not all of them or more.
fn changed_of(changed: u64, transcripts: u64) -> String {
    format!(
        "; {} of {} of this run changed",
        thousands(changed),
        counted(transcripts, "transcript")
    )
}

/// A duration as people say it.
pub(super) fn duration(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    match seconds {
        0..60 => format!("{:.1} s", elapsed.as_secs_f64()),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}
