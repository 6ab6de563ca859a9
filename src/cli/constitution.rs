//! `redraft constitution check|list|show|test|import`.

mod import;
mod junit;
mod test;
mod trial_report;

use clap::{Args, Subcommand};
use serde_json::json;

use super::Exit;
use super::error::print_problems;
use super::terminal::{Paint, counted, indent, safe};
use crate::constitution::{Constitution, ExampleVerdict, Principle, examine, shipped_names};

/// What to do with constitutions.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Find what is wrong with a constitution
    Check(Check),
    /// List the constitutions that come with redraft
    List(List),
    /// Show a constitution's principles
    Show(Show),
    /// Try a constitution on its own examples
    Test(Box<test::Options>),
    /// Make a constitution of somebody else's file of principles
    Import(import::Options),
}

/// Options of `redraft constitution check`.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// Constitutions: YAML files, or names of shipped ones
    #[arg(value_name = "FILE|NAME", required = true)]
    references: Vec<String>,
    /// Take warnings as errors
    #[arg(long)]
    strict: bool,
}

/// Options of `redraft constitution list`.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

/// Options of `redraft constitution show`.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// A YAML file, or the name of a shipped constitution
    #[arg(value_name = "FILE|NAME")]
    reference: String,
    /// Print the constitution as JSON
    #[arg(long)]
    json: bool,
}

impl Command {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        match self {
            Self::Check(check) => check.run(),
            Self::List(list) => list.run(),
            Self::Show(show) => show.run(),
            Self::Test(options) => options.run().await,
            Self::Import(options) => options.run(),
        }
    }
}

impl Check {
    fn run(self) -> anyhow::Result<Exit> {
        let mut exit = Exit::Done;
        for reference in &self.references {
            let (constitution, problems) = examine(reference)?;
            print_problems(&problems);
            if problems.has_errors() || (self.strict && !problems.0.is_empty()) {
                exit = Exit::Usage;
            }
            if let Some(constitution) = constitution {
                let warnings = match problems.0.len() as u64 {
                    0 => String::new(),
                    count => format!(", {}", counted(count, "warning")),
                };
                outln!("{}{warnings}", headline(&constitution));
            }
        }
        Ok(exit)
    }
}

fn headline(constitution: &Constitution) -> String {
    let principles = constitution.principles();
    let by_checks = principles
        .iter()
        .filter(|principle| principle.is_settled_by_checks())
        .count();
    let needs = if constitution.needs_model() {
        format!("{by_checks} settled by checks")
    } else {
        "needs no model".to_owned()
    };
    format!(
        "{} {}: {}, {needs}",
        Paint::STDOUT.bold(safe(constitution.name())),
        safe(constitution.version()),
        counted(principles.len() as u64, "principle"),
    )
}

impl List {
    fn run(self) -> anyhow::Result<Exit> {
        for name in shipped_names() {
            let constitution = Constitution::load(name)?;
            if self.json {
                let line = json!({
                    "constitution": constitution.name(),
                    "version": constitution.version(),
                    "description": constitution.description(),
                    "principles": constitution.principles().len(),
                    "needs_model": constitution.needs_model(),
                    "digest": constitution.digest(),
                });
                outln!("{line}");
            } else {
                outln!("{}", headline(&constitution));
                outln!("{}", indent(constitution.description().trim(), "  "));
            }
        }
        Ok(Exit::Done)
    }
}

impl Show {
    fn run(self) -> anyhow::Result<Exit> {
        let constitution = Constitution::load(&self.reference)?;
        if self.json {
            let value = json!({
                "constitution": constitution.name(),
                "version": constitution.version(),
                "description": constitution.description(),
                "digest": constitution.digest(),
                "principles": constitution.principles(),
            });
            outln!("{}", serde_json::to_string_pretty(&value)?);
            return Ok(Exit::Done);
        }
        outln!("{}", headline(&constitution));
        outln!("{}", indent(&safe(constitution.description().trim()), "  "));
        for principle in constitution.principles() {
            print_principle(principle);
        }
        Ok(Exit::Done)
    }
}

fn print_principle(principle: &Principle) {
    let paint = Paint::STDOUT;
    let mut notes = vec![principle.severity.to_string()];
    if principle.is_settled_by_checks() {
        notes.push("settled by checks".to_owned());
    }
    if let Some(scope) = &principle.applies_to {
        notes.push(format!("for {}", scope.tags.join(", ")));
    }
    outln!(
        "\n{} {}",
        paint.bold(safe(&principle.id)),
        paint.dim(format!("({})", safe(&notes.join("; "))))
    );
    outln!("{}", indent(&safe(principle.text.trim()), "  "));
    let violating = principle
        .examples
        .iter()
        .filter(|example| example.verdict == ExampleVerdict::Violates);
    for example in violating.take(1) {
        outln!(
            "  {} {}",
            paint.dim("e.g."),
            paint.bad(safe(example.answer.trim()).replace('\n', "\n       "))
        );
        if let Some(revision) = &example.revision {
            outln!(
                "    {}  {}",
                paint.dim("→"),
                paint.good(safe(revision.trim()).replace('\n', "\n       "))
            );
        }
    }
}
