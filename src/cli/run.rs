//! `redraft run INPUT`: revise a dataset; the same command again continues it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::Exit;
use super::args::{PipelineArgs, StoreArgs, pipeline};
use super::error::UsageError;
use super::progress::Progress;
use super::summary::{self, Summary};
use super::terminal::Paint;
use crate::app::{self, Connections};
use crate::audit;
use crate::dataset::{ReadOptions, Source, Target};
use crate::model::traffic::{CallCounts, Traffic};
use crate::pipeline::Pipeline;
use crate::run::{
    RunEnd, RunPlan, RunReport, Stop, StopHandle, changes, decided_by, run, run_name,
};
use crate::store::{RunRow, Store};
use crate::telemetry;
use crate::transcript::Outcome;

/// The longest line that is read when nobody says otherwise, in mebibytes.
const MAX_LINE_MIB: usize = 16;

/// Options of `redraft run`.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(super) struct Options {
    /// The dataset: a file of JSON lines, or `-` for standard input
    #[arg(value_name = "INPUT")]
    input: PathBuf,
    /// Write every row back here, its answer replaced by the final one
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
    #[command(flatten)]
    store: StoreArgs,
    /// The run's name [default: from the dataset's name and all that decides its results]
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    /// Take only the first N rows
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// The column that holds the answer
    #[arg(long, value_name = "COLUMN")]
    answer: Option<String>,
    /// Whether an answer that is there is revised, or a new one drafted
    #[arg(long, value_name = "WHEN", value_enum, default_value_t)]
    draft: DraftChoice,
    /// Stop when more rows than this cannot be used [default: only if the first 20 all cannot]
    #[arg(long, value_name = "N")]
    max_bad_rows: Option<u64>,
    /// The longest line that is read, in MiB
    #[arg(long, value_name = "MIB", default_value_t = MAX_LINE_MIB)]
    max_line: usize,
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
    /// Print the summary as JSON to standard output
    #[arg(long)]
    json: bool,
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
        let mut settings = self.pipeline.clone().settings(self.store.store.clone())?;
        if self.batch {
            settings = settings.batched(true);
        }
        let (source, output) = self.files()?;
        let store = app::open_store(&settings.store)?;
        let connections = Connections {
            store: Some(Arc::clone(&store)),
            scope: self.scope(store.as_ref()).await?,
            ..Connections::default()
        };
        let mut pipeline = pipeline(&settings, &connections)?;
        let mut plan = self
            .plan(&connections.traffic, &pipeline, &source, store.as_ref())
            .await?;
        plan.output = output;
        plan.scope.clone_from(&connections.scope);
        pipeline.name_run(&plan.name);
        if !self.quiet {
            let earlier = earlier_run(&plan, store.as_ref()).await?;
            summary::announce(&pipeline, &settings, &plan, earlier.as_ref());
        }
        let progress = Progress::new(self.quiet, Arc::clone(&connections.traffic));
        let (handle, stop) = Stop::new();
        let signals = tokio::spawn(watch_signals(handle));
        // Held to the end: with the pipeline go its models, and what they know of their batches.
        let pipeline = Arc::new(pipeline);
        let ended = tokio::select! {
            ended = run(plan, Arc::clone(&pipeline), Arc::clone(&store), source, &progress, stop) => ended,
            never = progress.keep_showing() => match never {},
        };
        progress.finish();
        self.tell_of_batches(connections.traffic.open_batches());
        let exit = self
            .conclude(&ended?, store.as_ref(), connections.traffic.counts())
            .await;
        signals.abort();
        exit
    }

    fn check(&self) -> Result<(), UsageError> {
        let to_stdout = self.output.as_deref() == Some(Path::new("-"));
        if to_stdout && self.json {
            let message = "-o - and --json would both print to standard output; take one of them";
            return Err(UsageError(message.to_owned()));
        }
        Ok(())
    }

    /// The input, and the output, which is looked at before any work is done.
    fn files(&self) -> anyhow::Result<(Source, Option<Target>)> {
        let source = Source::open(&self.input)?;
        let Some(path) = &self.output else {
            return Ok((source, None));
        };
        let target = Target::check(path, source.path())?;
        Ok((source.with_spool(&target.folder())?, Some(target)))
    }

    async fn plan(
        &self,
        traffic: &Arc<Traffic>,
        pipeline: &Pipeline,
        source: &Source,
        store: &dyn Store,
    ) -> anyhow::Result<RunPlan> {
        let read = ReadOptions {
            answer_column: self.answer.clone(),
            line_limit: self.max_line << 20,
            ignore_answers: self.draft == DraftChoice::Always,
        };
        let decided_by = decided_by(pipeline.provenance(), &read);
        Ok(RunPlan {
            name: self.name(source, &decided_by, store).await?,
            dataset: source.name(),
            decided_by,
            scope: None,
            limit: self.limit,
            traffic: Arc::clone(traffic),
            max_bad_rows: self.max_bad_rows,
            retry_failed: self.retry_failed,
            read,
            output: None,
        })
    }

    /// Says that batches go on without this process.
    fn tell_of_batches(&self, open: usize) {
        if open > 0 && !self.quiet {
            let (what, goes, it) = if open == 1 {
                ("1 batch".to_owned(), "goes", "it")
            } else {
                (format!("{open} batches"), "go", "them")
            };
            eprintln!("{what} {goes} on at the provider; the same command takes {it} up again.");
        }
    }

    /// Says what came of it.
    async fn conclude(
        &self,
        report: &RunReport,
        store: &dyn Store,
        counts: CallCounts,
    ) -> anyhow::Result<Exit> {
        // Who stops a run wants it to stop: what is sealed may take a while to count.
        let (statistics, example) = match report.end {
            RunEnd::Finished => audit::gather(store, &report.name).await?,
            RunEnd::Interrupted => Default::default(),
        };
        let (rejected, _) = store.rejected(&report.name, 3).await?;
        let summary = Summary {
            report,
            statistics: &statistics,
            example: example.as_ref(),
            rejected: &rejected,
            store: store.location(),
            output: self.output.as_deref(),
            fresh: self.fresh,
            counts,
        };
        if self.json {
            outln!("{}", summary.json()?);
        }
        if !self.quiet {
            summary.print(Paint::STDERR);
        }
        Ok(match report.end {
            RunEnd::Interrupted => Exit::Interrupted,
            RunEnd::Finished if statistics.outcomes.contains_key(&Outcome::Failed) => {
                Exit::SomeFailed
            }
            RunEnd::Finished => Exit::Done,
        })
    }

    /// The journal scope: a fresh run has one of its own, and keeps it when it is continued.
    async fn scope(&self, store: &dyn Store) -> anyhow::Result<Option<String>> {
        let known = match &self.run {
            Some(name) => store.run(name).await?,
            None => None,
        };
        match (known, self.fresh) {
            (Some(known), false) => Ok(known.run.scope),
            (None, false) => Ok(None),
            (None, true) => Ok(Some(telemetry::now())),
            (Some(known), true) => Err(UsageError(format!(
                "the run {} is there already; --fresh begins a new one, so give another --run NAME",
                known.run.name
            ))
            .into()),
        }
    }

    /// The run's name; a fresh one without a name gets a number.
    async fn name(
        &self,
        source: &Source,
        decided_by: &serde_json::Value,
        store: &dyn Store,
    ) -> anyhow::Result<String> {
        if let Some(name) = &self.run {
            return Ok(name.clone());
        }
        let base = run_name(&source.name(), decided_by);
        if !self.fresh {
            return Ok(base);
        }
        let mut name = base.clone();
        for number in 2.. {
            if store.run(&name).await?.is_none() {
                break;
            }
            name = format!("{base}-{number}");
        }
        Ok(name)
    }
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

/// The first Ctrl-C, or SIGTERM, asks the run to stop; the second ends the process.
async fn watch_signals(handle: StopHandle) {
    interrupted().await;
    handle.stop();
    interrupted().await;
    std::process::exit(Exit::Interrupted as i32);
}

#[cfg(unix)]
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};

    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        },
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

#[cfg(not(unix))]
async fn interrupted() {
    let _ = tokio::signal::ctrl_c().await;
}
