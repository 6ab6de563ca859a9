//! `redraft run INPUT`: revise a dataset; the same command again continues it.

use std::num::{NonZeroU32, NonZeroU64};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::Exit;
use super::args::{PipelineArgs, StoreArgs, pipeline};
use super::audit::at_end;
use super::batches;
use super::budget::BudgetArgs;
use super::columns::{self, ColumnArgs};
use super::error::UsageError;
use super::estimate::{self, Answer};
use super::interrupts::Interrupts;
use super::keyboard::{self, Keys};
use super::metrics::MetricsArgs;
use super::naming;
use super::progress::{Shown, View};
use super::recording::{self, RecordingArgs, Replay};
use super::steering::Steering;
use super::summary::{self, Summary};
use super::terminal::Paint;
use super::watch::Watch;
use crate::app::{self, Connections};
use crate::audit::proof::SigningKey;
use crate::audit::{self, Estimate};
use crate::config::{Settings, SettingsError};
use crate::dataset::{ReadOptions, Source, Target};
use crate::model::traffic::Traffic;
use crate::pipeline::Pipeline;
use crate::run::{Controls, RunEnd, RunPlan, RunReport, Stop, changes, decided_by, run, run_name};
use crate::store::{RunRow, Store};
use crate::telemetry::Metrics;
use crate::transcript::Outcome;

/// So many records in a row may fail because of the server when nobody says otherwise.
const MAX_FAILED: usize = 20;
/// The longest line that is read when nobody says otherwise, in mebibytes.
const MAX_LINE_MIB: usize = 16;

/// Options of `redraft run`.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(super) struct Options {
    /// The dataset: files, a folder of them, a pattern in quotes, or `-` for standard input
    #[arg(value_name = "INPUT", required = true)]
    input: Vec<PathBuf>,
    /// Write every row back here, its answer replaced by the final one
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
    /// Write files of at most N rows, in a folder named as OUT without its ending
    #[arg(long, value_name = "N", requires = "output")]
    rows_per_shard: Option<NonZeroU64>,
    #[command(flatten)]
    store: StoreArgs,
    /// The run's name [default: from the dataset's name and all that decides its results]
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    /// Take only the first N rows
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    #[command(flatten)]
    columns: ColumnArgs,
    /// Whether an answer that is there is revised, or a new one drafted
    #[arg(long, value_name = "WHEN", value_enum, default_value_t)]
    draft: DraftChoice,
    /// Stop when more rows than this cannot be used [default: only if the first 20 all cannot]
    #[arg(long, value_name = "N")]
    max_bad_rows: Option<u64>,
    /// The longest line that is read, in MiB
    #[arg(long, value_name = "MIB", default_value_t = MAX_LINE_MIB)]
    max_line: usize,
    /// Stop, resumable, when N records in a row fail because of the server; 0: never
    #[arg(long, value_name = "N", default_value_t = MAX_FAILED)]
    max_failed: usize,
    /// How many transcripts each row gets, apart from one another
    #[arg(long, value_name = "K", default_value_t = NonZeroU32::MIN)]
    samples: NonZeroU32,
    /// First do N rows picked from the whole dataset, say what the rest will take, and ask [N: 50]
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "50")]
    estimate: Option<usize>,
    /// Go on after the estimate without asking
    #[arg(long, requires = "estimate")]
    yes: bool,
    /// Send all calls as batches: at their price, and within a day
    #[arg(long)]
    batch: bool,
    /// Begin a new run, and ask every model again
    #[arg(long)]
    fresh: bool,
    /// Do the records again that failed
    #[arg(long)]
    retry_failed: bool,
    /// Say nothing but errors
    #[arg(short, long)]
    quiet: bool,
    /// Add what happens in the run to this file, as JSON lines
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    #[command(flatten)]
    metrics: MetricsArgs,
    /// Print the summary as JSON to standard output
    #[arg(long)]
    json: bool,
    /// Sign the checkpoint at the end with this private key [default: `audit_key` of the settings, or
    /// `$REDRAFT_AUDIT_KEY`]
    #[arg(long, value_name = "FILE")]
    audit_key: Option<PathBuf>,
    #[command(flatten)]
    recording: RecordingArgs,
    #[command(flatten)]
    budget: BudgetArgs,
    #[command(flatten)]
    pipeline: PipelineArgs,
}

/// What becomes of answers that are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum DraftChoice {
    /// They are revised
    #[default]
    Given,
    /// New ones are written
    Always,
}

impl Options {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        self.check()?;
        let settings = self.settings()?;
        let signing = at_end::key(self.audit_key.as_deref().or(settings.audit_key.as_deref()))?;
        let (source, output) = self.files()?;
        let recording = self.recording.target()?;
        let store = app::open_store(&settings.store)?;
        let replay = self.recording.open(&settings.store, &store).await?;
        let mut connections = self.connect(&store, replay.as_ref()).await?;
        let _given_out = self.metrics.give_out(&mut connections, self.quiet).await?;
        let budget = connections.traffic.budget();
        budget.set_limits(self.budget.limits());
        let mut pipeline = pipeline(&settings, &connections)?;
        let given = self.run.as_deref().or(replay.as_ref().map(Replay::run));
        let mut plan = self
            .plan(given, &connections, &pipeline, &source, store.as_ref())
            .await?;
        plan.output = output;
        pipeline.name_run(&plan.name);
        let look = source.look(&plan.read)?;
        if !self.quiet {
            announce(&pipeline, &settings, &plan, store.as_ref()).await?;
            look.iter().for_each(columns::tell);
            batches::tell_of_left(&settings, store.as_ref()).await?;
        }
        let (handle, stop) = Stop::new();
        let controls = Controls::new(Arc::clone(&connections.traffic), handle.clone());
        let keys = self.keys(&connections.traffic);
        let watch = self.watch(
            controls.clone(),
            &connections.traffic,
            &source,
            keys.is_some(),
            connections.metrics.clone(),
        )?;
        budget.add_earlier(store.spent(&plan.name).await?);
        let steering = |keys| Steering {
            store: Arc::clone(&store),
            traffic: Arc::clone(&connections.traffic),
            controls: controls.clone(),
            watch: &watch,
            keys,
            kept: budget.spent(),
        };
        let signals = tokio::spawn(Interrupts::listen()?.watch(handle));
        // Held to the end: with the pipeline go its models, and what they know of their batches.
        let pipeline = Arc::new(pipeline);
        if let Some(most) = self.estimate {
            let (first, _) = self.files()?;
            let first =
                estimate::first_rows(&plan, most, &pipeline, &store, first, &watch, stop.clone());
            let (first, spent) = attend(first, &watch, steering(None)).await;
            watch.progress.finish();
            let (report, mut estimate) = first?;
            if let Some(estimate) = &mut estimate
                && settings.is_batched()
            {
                // How long batches take does not follow from how much is in them.
                estimate.seconds = None;
            }
            spent?;
            let is_picked = report.end == RunEnd::Picked;
            if is_picked {
                self.tell_estimate(estimate.as_ref())?;
            }
            let answer = match (is_picked, self.yes) {
                (true, true) => Answer::GoOn,
                (true, false) => estimate::ask_whether_to_go_on(stop.clone()).await,
                (false, _) => Answer::Enough,
            };
            if answer != Answer::GoOn {
                return self
                    .end_behind_estimate(report, answer, store.as_ref(), &watch, signing.as_ref())
                    .await;
            }
            plan.retry_failed = false;
        }
        let whole = run(
            plan,
            Arc::clone(&pipeline),
            Arc::clone(&store),
            source,
            &watch,
            stop,
        );
        let (ended, spent) = attend(whole, &watch, steering(keys)).await;
        watch.finish(ended.as_ref());
        if !self.quiet {
            batches::tell_of_open(connections.traffic.open_batches());
        }
        let report = recording::told(ended, replay.as_ref())?;
        let exit = self
            .conclude(&report, store.as_ref(), &watch, signing.as_ref())
            .await;
        recording::write(recording.as_ref(), &report, store.as_ref(), self.quiet).await?;
        spent?;
        signals.abort();
        exit
    }

    fn settings(&self) -> Result<Settings, SettingsError> {
        let settings = self.pipeline.clone().settings(self.store.store.clone())?;
        Ok(if self.batch {
            settings.batched(true)
        } else {
            settings
        })
    }

    /// What the pipeline is connected to: the store, or the recorded calls alone.
    async fn connect(
        &self,
        store: &Arc<dyn Store>,
        replay: Option<&Replay>,
    ) -> anyhow::Result<Connections> {
        let scope = match replay {
            Some(replay) => replay.header.scope.clone(),
            None => naming::scope(self.run.as_deref(), self.fresh, store.as_ref()).await?,
        };
        Ok(Connections {
            store: Some(Arc::clone(store)),
            scope,
            closed: replay.map(|replay| Arc::clone(&replay.closed)),
            ..Connections::default()
        })
    }

    fn tell_estimate(&self, estimate: Option<&Estimate>) -> anyhow::Result<()> {
        if self.json {
            outln!("{}", serde_json::to_string(&estimate)?);
        }
        if !self.quiet {
            estimate::show(estimate);
        }
        Ok(())
    }

    /// Ends where nobody wants the rest, or where the run ended before there was an estimate.
    async fn end_behind_estimate(
        &self,
        report: RunReport,
        answer: Answer,
        store: &dyn Store,
        watch: &Watch,
        signing: Option<&SigningKey>,
    ) -> anyhow::Result<Exit> {
        let ended = Ok(report);
        watch.finish(ended.as_ref());
        match ended? {
            report if report.end == RunEnd::Picked => {
                if !self.quiet {
                    eprintln!("Stopped after the estimate: the same command with --yes goes on.");
                }
                Ok(match answer {
                    Answer::Interrupted => Exit::Interrupted,
                    _ => Exit::Done,
                })
            }
            report => self.conclude(&report, store, watch, signing).await,
        }
    }

    /// The keys of the terminal, if they are not the dataset, and do not answer a question.
    fn keys(&self, traffic: &Arc<Traffic>) -> Option<Keys> {
        let is_free = self.estimate.is_none() && self.input != [Path::new("-")];
        let wanted = !self.quiet && is_free;
        wanted.then(|| Keys::listen(Arc::clone(traffic))).flatten()
    }

    /// Everybody who is told what happens.
    fn watch(
        &self,
        controls: Controls,
        traffic: &Arc<Traffic>,
        source: &Source,
        has_keys: bool,
        metrics: Option<Arc<Metrics>>,
    ) -> anyhow::Result<Watch> {
        let shown = Shown {
            quiet: self.quiet,
            traffic: Arc::clone(traffic),
            controls,
            input: source.plain_path().map(Path::to_owned),
            limit: self.limit,
            samples: self.samples,
            hint: if has_keys { keyboard::HINT } else { "" },
        };
        Watch::begin(self.events.as_deref(), shown, metrics)
    }

    fn check(&self) -> Result<(), UsageError> {
        let to_stdout = self.output.as_deref() == Some(Path::new("-"));
        if to_stdout && self.json {
            let message = "-o - and --json would both print to standard output; take one of them";
            return Err(UsageError(message.to_owned()));
        }
        if self.estimate == Some(0) {
            let message = "--estimate needs at least one row to stand on";
            return Err(UsageError(message.to_owned()));
        }
        Ok(())
    }

    /// The input, and the output, which is looked at before any work is done.
    fn files(&self) -> anyhow::Result<(Source, Option<Target>)> {
        let source = Source::open_all(&self.input)?;
        if self.estimate.is_some() && !source.is_files() {
            let message = "--estimate reads the dataset twice; give it a file";
            return Err(UsageError(message.to_owned()).into());
        }
        let Some(path) = &self.output else {
            return Ok((source, None));
        };
        let mut target = Target::check(path, Some(&source))?.with_types_of(&source)?;
        if let Some(rows) = self.rows_per_shard {
            target = target.in_shards(rows)?;
        }
        Ok((source.with_spool(&target.folder())?, Some(target)))
    }

    /// The folder of the shards, where the output is several files.
    fn shards(&self) -> Option<PathBuf> {
        let (path, rows) = self.output.as_ref().zip(self.rows_per_shard)?;
        let target = Target::check(path, None).ok()?.in_shards(rows).ok()?;
        Some(target.place())
    }

    async fn plan(
        &self,
        given: Option<&str>,
        connections: &Connections,
        pipeline: &Pipeline,
        source: &Source,
        store: &dyn Store,
    ) -> anyhow::Result<RunPlan> {
        let (answer_column, columns) = self.columns.named()?;
        let read = ReadOptions {
            answer_column,
            columns,
            line_limit: self.max_line << 20,
            ignore_answers: self.draft == DraftChoice::Always,
        };
        let decided_by = decided_by(pipeline.provenance(), &read);
        let base = run_name(&source.name(), &decided_by);
        Ok(RunPlan {
            name: naming::name(given, base, self.fresh, store).await?,
            dataset: source.name(),
            decided_by,
            scope: connections.scope.clone(),
            limit: self.limit,
            traffic: Arc::clone(&connections.traffic),
            max_bad_rows: self.max_bad_rows,
            max_failed: self.max_failed,
            samples: self.samples,
            only_rows: None,
            retry_failed: self.retry_failed,
            read,
            output: None,
        })
    }

    /// Says what came of it.
    async fn conclude(
        &self,
        report: &RunReport,
        store: &dyn Store,
        watch: &Watch,
        signing: Option<&SigningKey>,
    ) -> anyhow::Result<Exit> {
        let checkpoint = at_end::make(store, signing).await?;
        let view = watch.progress.view();
        // Who stops a run wants it to stop: what is sealed may take a while to count.
        let (statistics, example) = match report.end {
            RunEnd::Finished => audit::gather(store, &report.name).await?,
            _ => Default::default(),
        };
        let (rejected, _) = store.rejected(&report.name, 3).await?;
        let sealed = store.run(&report.name).await?.map_or(0, |row| row.sealed);
        let shards = self.shards();
        let summary = Summary {
            report,
            sealed,
            statistics: &statistics,
            example: example.as_ref(),
            rejected: &rejected,
            store: store.location(),
            output: shards.as_deref().or(self.output.as_deref()),
            fresh: self.fresh,
            budget: self.budget.limits(),
            retry_failed: self.retry_failed,
            view: &view,
            addresses: addresses(&view),
            checkpoint: checkpoint.as_ref(),
        };
        if self.json {
            outln!("{}", summary.json()?);
        }
        if !self.quiet {
            summary.print(Paint::STDERR);
        }
        Ok(match report.end {
            RunEnd::Interrupted => Exit::Interrupted,
            RunEnd::BudgetReached => Exit::Budget,
            RunEnd::OnlyFailures => Exit::Failed,
            RunEnd::Finished if statistics.outcomes.contains_key(&Outcome::Failed) => {
                Exit::SomeFailed
            }
            RunEnd::Finished | RunEnd::Picked => Exit::Done,
        })
    }
}

/// Says what is about to run.
async fn announce(
    pipeline: &Pipeline,
    settings: &Settings,
    plan: &RunPlan,
    store: &dyn Store,
) -> anyhow::Result<()> {
    let earlier = earlier_run(plan, store).await?;
    summary::announce(pipeline, settings, plan, earlier.as_ref());
    Ok(())
}

/// The newest other run of the same dataset, when this one is new, and what has changed since.
async fn earlier_run(
    plan: &RunPlan,
    store: &dyn Store,
) -> anyhow::Result<Option<(RunRow, Vec<String>)>> {
    let runs = store.runs().await?;
    if runs.iter().any(|row| row.run.name == plan.name) {
        return Ok(None);
    }
    let earlier = runs.into_iter().find(|row| row.run.dataset == plan.dataset);
    Ok(earlier.map(|row| {
        let changed = changes(&row.run.decided_by, &plan.decided_by);
        (row, changed)
    }))
}

/// The addresses that were called, each once.
fn addresses(view: &View) -> Vec<String> {
    let endpoints = view.endpoints.iter();
    let mut addresses: Vec<String> = endpoints.map(|endpoint| endpoint.address.clone()).collect();
    addresses.dedup();
    addresses
}

/// Shows and steers a run while it is at work, and keeps what it spent.
pub(super) async fn attend<T>(
    run: impl Future<Output = T>,
    watch: &Watch,
    mut steering: Steering<'_>,
) -> (T, anyhow::Result<()>) {
    let ended = tokio::select! {
        ended = run => ended,
        never = watch.progress.keep_showing() => match never {},
        never = steering.keep_listening() => match never {},
    };
    let spent = steering.finish().await;
    (ended, spent.map_err(Into::into))
}
