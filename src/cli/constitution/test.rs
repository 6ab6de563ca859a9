//! `redraft constitution test`: does the critic find in a constitution's examples what they show?

use std::fs;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::junit::junit;
use super::trial_report::{Report, as_json, print};
use crate::app::{self, Connections, DEFAULT_CONSTITUTION};
use crate::audit::trial::{Trial, TrialOptions, try_examples};
use crate::cli::Exit;
use crate::cli::args::{PipelineArgs, StoreArgs, pipeline};
use crate::cli::error::UsageError;
use crate::cli::tables::usage;
use crate::cli::terminal::{Paint, counted};
use crate::config::Settings;
use crate::constitution::{Constitution, Principle};
use crate::pipeline::Pipeline;
use crate::telemetry;
use crate::yaml::nearest;

/// So many examples are judged at once at least: they wait for a place at the server.
const AT_ONCE: usize = 64;

/// Options of `redraft constitution test`.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(in crate::cli) struct Options {
    /// A YAML file, or the name of a shipped constitution [default: as -c]
    #[arg(value_name = "FILE|NAME", conflicts_with = "constitution")]
    reference: Option<String>,
    /// Test only this principle; may be given again
    #[arg(long, value_name = "ID")]
    principle: Vec<String>,
    /// Test only the principles that checks settle: no model is asked
    #[arg(long)]
    checks_only: bool,
    /// Judge each example K times, to see whether the verdicts are steady
    #[arg(long, value_name = "K", default_value_t = NonZeroU32::MIN)]
    repeat: NonZeroU32,
    /// Let an example fail, too, whose evidence is not found
    #[arg(long)]
    strict: bool,
    /// Write the results to this file, as XML in the form of JUnit
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Print the results as JSON
    #[arg(long)]
    json: bool,
    /// Ask the model again, whatever the store knows
    #[arg(long)]
    fresh: bool,
    /// Say nothing but failing examples and errors
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    pipeline: PipelineArgs,
}

impl Options {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        if let Some(path) = &self.junit {
            has_folder(path)?;
        }
        let pipeline_args = self
            .pipeline
            .clone()
            .or_constitution(self.reference.clone());
        // Who tests waits for the result.
        let settings = pipeline_args
            .settings(self.store.store.clone())?
            .batched(false);
        let reference = settings.constitution.as_deref();
        let constitution = Constitution::load(reference.unwrap_or(DEFAULT_CONSTITUTION))?;
        self.has_something_to_test(&constitution)?;
        let asks = self.asks_a_model(&constitution);
        let connections = self.connections(&settings, asks)?;
        let pipeline = asks
            .then(|| pipeline(&settings, &connections))
            .transpose()?;
        let trial = self
            .try_all(&constitution, pipeline.as_ref(), &connections)
            .await?;
        if let Some(store) = &connections.store {
            store.flush().await?;
        }
        let report = Report {
            constitution: &constitution,
            trial: &trial,
            pipeline: pipeline.as_ref(),
            repeat: self.repeat,
            strict: self.strict,
        };
        self.tell(&report)?;
        Ok(if report.failed().next().is_none() {
            Exit::Done
        } else {
            Exit::Failed
        })
    }

    /// Whether any example will be judged: a test of nothing passes for the wrong reason.
    fn has_something_to_test(&self, constitution: &Constitution) -> Result<(), UsageError> {
        let ids = || {
            constitution
                .principles()
                .iter()
                .map(|principle| principle.id.as_str())
        };
        if let Some(unknown) = self
            .principle
            .iter()
            .find(|id| constitution.principle(id).is_none())
        {
            let near = nearest(unknown, ids());
            let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            let name = constitution.name();
            return Err(UsageError(format!(
                "{name} has no principle `{unknown}`{near}"
            )));
        }
        let mut wanted = self.wanted(constitution);
        if wanted.any(|principle| !principle.examples.is_empty()) {
            return Ok(());
        }
        let which = if self.checks_only {
            "no principle that checks settle"
        } else {
            "no principle to test"
        };
        Err(UsageError(format!(
            "{which} in {} has examples; write some under `examples:`",
            constitution.name()
        )))
    }

    /// The principles that are tested.
    fn wanted<'c>(&self, constitution: &'c Constitution) -> impl Iterator<Item = &'c Principle> {
        constitution.principles().iter().filter(|principle| {
            let is_named = self.principle.is_empty() || self.principle.contains(&principle.id);
            is_named && (!self.checks_only || principle.is_settled_by_checks())
        })
    }

    /// Whether an example will be judged that checks do not settle.
    fn asks_a_model(&self, constitution: &Constitution) -> bool {
        self.wanted(constitution)
            .any(|principle| !principle.is_settled_by_checks() && !principle.examples.is_empty())
    }

    /// With the store, where there is a model to ask; nothing is kept of what checks find.
    fn connections(&self, settings: &Settings, asks: bool) -> anyhow::Result<Connections> {
        let mut connections = Connections::default();
        if asks && !settings.roles.is_empty() {
            connections.store = Some(app::open_store(&settings.store)?);
            connections.scope = self.fresh.then(telemetry::now);
        }
        Ok(connections)
    }

    async fn try_all<'a>(
        &self,
        constitution: &'a Constitution,
        pipeline: Option<&Pipeline>,
        connections: &Connections,
    ) -> anyhow::Result<Trial<'a>> {
        let bar = self.bar();
        bar.set_length(self.judgements(constitution));
        let options = TrialOptions {
            repeat: self.repeat,
            at_once: connections.traffic.window().max(AT_ONCE),
            only: &self.principle,
            checks_only: self.checks_only,
        };
        let tried = try_examples(constitution, pipeline, options, || bar.inc(1)).await;
        bar.finish_and_clear();
        Ok(tried?)
    }

    /// How often an example is judged in all.
    fn judgements(&self, constitution: &Constitution) -> u64 {
        self.wanted(constitution)
            .map(|principle| {
                let is_settled = principle.is_settled_by_checks();
                let times = if is_settled { 1 } else { self.repeat.get() };
                principle.examples.len() as u64 * u64::from(times)
            })
            .sum()
    }

    /// A bar that shows on a terminal only.
    fn bar(&self) -> ProgressBar {
        if self.quiet {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:30} {pos} of {len} judged, {elapsed}");
        bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
    }

    fn tell(&self, report: &Report<'_>) -> anyhow::Result<()> {
        if let Some(path) = &self.junit {
            fs::write(path, junit(report))
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        if self.json {
            outln!("{}", serde_json::to_string_pretty(&as_json(report))?);
        } else {
            print(report, self.quiet);
        }
        let used = usage(Paint::STDERR, &report.trial.usage);
        if !self.quiet && !used.is_empty() {
            let journalled = counted(report.trial.journalled, "call");
            eprint!("\n{used}");
            eprintln!(
                "  {}",
                Paint::STDERR.dim(format!("{journalled} from the store"))
            );
        }
        Ok(())
    }
}

/// Whether a file can be there: it is written when all is judged, which may have cost something.
fn has_folder(path: &Path) -> Result<(), UsageError> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if path.is_dir() || folder.is_some_and(|folder| !folder.is_dir()) {
        let message = format!(
            "{} cannot be written: give a file in a folder that is there",
            path.display()
        );
        return Err(UsageError(message));
    }
    Ok(())
}
