//! What is said before pairs are compared and after it.

use std::path::Path;

use serde_json::json;

use crate::audit::{Agreement, AgreementTable};
use crate::cli::progress::View;
use crate::cli::summary::duration;
use crate::cli::tables::{percent, spent};
use crate::cli::terminal::{Paint, counted, one_line, safe, thousands};
use crate::config::Settings;
use crate::model::ModelRole;
use crate::prefer::{Bias, Judge, Label, PreferReport};
use crate::run::{RunEnd, RunPlan};

/// Says what is about to be compared.
pub(super) fn announce(judge: &Judge, settings: &Settings, plan: &RunPlan) {
    let paint = Paint::STDERR;
    let constitution = judge.constitution();
    let principles = constitution.principles().len() as u64;
    eprintln!(
        "{} against {} {} ({})",
        paint.bold(safe(&plan.dataset)),
        paint.bold(constitution.name()),
        constitution.version(),
        counted(principles, "principle"),
    );
    let critic = settings
        .roles
        .iter()
        .find(|(role, _)| *role == ModelRole::Critic);
    if let Some((_, role)) = critic {
        let model = settings.models.get(&role.model);
        let model = model.map_or(&role.model, |plan| &plan.model);
        eprintln!("  {} {}", paint.dim("critic:"), safe(model));
    }
    eprintln!("  {} {}", paint.dim("run:"), safe(&plan.name));
}

/// What there is to say after pairs were compared.
pub(super) struct Summary<'a> {
    pub(super) report: &'a PreferReport,
    pub(super) output: Option<&'a Path>,
    pub(super) fresh: bool,
    /// How the run stood at its end.
    pub(super) view: &'a View,
}

impl Summary<'_> {
    pub(super) fn json(&self) -> Result<String, serde_json::Error> {
        let run = &self.report.run;
        serde_json::to_string(&json!({
            "run": run.name,
            "finished": run.end == RunEnd::Finished,
            "rows": run.rows,
            "rejected": run.rejected,
            "stopped_by": run.stopped_by,
            "tally": self.report.tally,
            "calls": self.view.calls.asked,
            "money": self.view.money,
            "seconds": run.elapsed.as_secs_f64(),
        }))
    }

    pub(super) fn print(&self, paint: Paint) {
        let run = &self.report.run;
        let head = match run.end {
            RunEnd::Finished => "Done:",
            _ => "Stopped:",
        };
        eprintln!(
            "\n{} {} read, {}, in {}",
            paint.bold(head),
            counted(run.rows, "row"),
            counted(self.report.tally.pairs, "pair"),
            duration(run.elapsed),
        );
        self.print_labels();
        print_bias(paint, &self.report.tally.position_bias);
        print_agreement(paint, &self.report.tally.agreement);
        self.print_principles(paint);
        let requests = counted(self.view.calls.asked, "request");
        eprintln!("\n  {}", paint.dim(format!("{requests} sent now")));
        let spent = spent(&self.view.money);
        if !spent.is_empty() {
            eprintln!("  {}", paint.dim(spent));
        }
        self.print_stop(paint);
        self.print_rejected(paint);
        self.print_next(paint);
    }

    fn print_labels(&self) {
        let tally = &self.report.tally;
        let all: u64 = tally.labels.values().sum();
        for label in Label::ALL {
            let count = tally.count(label);
            if count > 0 {
                let share = percent(count, all);
                eprintln!("  {label:<13}{:>9}  {share:>6}", thousands(count));
            }
        }
    }

    fn print_principles(&self, paint: Paint) {
        let tally = &self.report.tally;
        if tally.principles.len() < 2 {
            return;
        }
        let width = tally.principles.keys().map(String::len).max().unwrap_or(0);
        let width = width.max("principle".len());
        let heading = format!(
            "{:<width$}{:>8}{:>8}{:>8}{:>12}{:>8}{:>10}",
            "principle", "a", "b", "tie", "unreadable", "bias", "agreement"
        );
        eprintln!("\n  {}", paint.dim(heading));
        for (id, principle) in &tally.principles {
            let count = |label| {
                let count = principle.labels.get(&label).copied().unwrap_or_default();
                thousands(count)
            };
            eprintln!(
                "  {id:<width$}{:>8}{:>8}{:>8}{:>12}{:>8}{:>10}",
                count(Label::A),
                count(Label::B),
                count(Label::Tie),
                count(Label::Unreadable),
                in_percent(principle.position_bias.rate()),
                in_percent(principle.agreement.agreement().accuracy),
            );
        }
    }

    fn print_stop(&self, paint: Paint) {
        let run = &self.report.run;
        let what = match run.end {
            RunEnd::OnlyFailures => {
                "only failures: pair after pair failed because of the server (--max-failed):"
            }
            RunEnd::BudgetReached => "the budget is reached:",
            _ => return,
        };
        let why = run.stopped_by.as_deref().unwrap_or_default();
        eprintln!("{} {}", paint.notable(what), one_line(why, 500));
    }

    fn print_rejected(&self, paint: Paint) {
        let run = &self.report.run;
        if run.rejected == 0 {
            return;
        }
        eprintln!(
            "\n{} {} could not be used",
            paint.notable("Rejected:"),
            counted(run.rejected, "row")
        );
        for row in &self.report.rejected {
            eprintln!("  line {}: {}", row.line, one_line(&row.reason, 200));
        }
        if let Some(file) = &run.rejected_file {
            eprintln!("  all of them: {}", safe(&file.display().to_string()));
        }
    }

    fn print_next(&self, paint: Paint) {
        let run = &self.report.run;
        let name = safe(&run.name);
        if run.end == RunEnd::Finished {
            let written = self.output.map_or_else(
                || {
                    let next = paint.bold("Next");
                    format!("{next}\n  the same, -o OUT.jsonl   write the rows with their labels")
                },
                |output| {
                    let output = safe(&output.display().to_string()).into_owned();
                    format!("The rows are in {}.", paint.bold(output))
                },
            );
            eprintln!("\n{written}");
            if self.report.tally.count(Label::Failed) > 0 {
                eprintln!("The same command again asks about the pairs that failed.");
            }
            return;
        }
        let next = paint.bold("Next");
        if self.fresh {
            eprintln!("\n{next}\n  the same, --run {name} for --fresh   go on where it stopped");
        } else {
            eprintln!("\n{next}\n  the same command again   go on where it stopped (run {name})");
        }
        if run.end == RunEnd::BudgetReached {
            eprintln!("  it needs a higher {}", self.view.money.options());
        }
    }
}

fn print_bias(paint: Paint, bias: &Bias) {
    let (Some(rate), Some(first)) = (bias.rate(), bias.first_shown()) else {
        return;
    };
    eprintln!(
        "\n{} in {} of {} ({}) the two orders prefer different answers; the one shown first gets {first:.3} on average",
        paint.bold("Position bias:"),
        thousands(bias.differing),
        counted(bias.votes, "question"),
        in_percent(Some(rate)),
    );
}

fn print_agreement(paint: Paint, table: &AgreementTable) {
    let Agreement {
        judged,
        agreed,
        accuracy: Some(accuracy),
        interval,
        kappa,
    } = table.agreement()
    else {
        return;
    };
    let kappa = kappa.map_or_else(|| "–".to_owned(), |kappa| format!("{kappa:.3}"));
    eprintln!(
        "{} with the given labels in {} of {} ({}, 95 % interval {:.1}–{:.1} %), κ {kappa}",
        paint.bold("Agreement:"),
        thousands(agreed),
        thousands(judged),
        in_percent(Some(accuracy)),
        interval.low * 100.0,
        interval.high * 100.0,
    );
}

fn in_percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", share * 100.0))
}
