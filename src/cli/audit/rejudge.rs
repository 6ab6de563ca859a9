//! `redraft audit rejudge [RUN]`: would another critic agree?

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::opinion_report::{Report, as_json, print};
use crate::app::{self, Connections};
use crate::audit::rejudge::{Disagreement, RejudgeOptions, SecondOpinion, Which, rejudge};
use crate::cli::Exit;
use crate::cli::args::{PipelineArgs, StoreArgs, pipeline};
use crate::cli::error::UsageError;
use crate::cli::stats::find_run;
use crate::cli::tables::usage;
use crate::cli::terminal::{Paint, counted};
use crate::pipeline::Pipeline;
use crate::store::Store;
use crate::telemetry;

/// So many transcripts are assessed at once at least: their calls wait for a place at the server.
const AT_ONCE: usize = 64;
/// So many disagreements are shown when nobody says otherwise.
const SHOWN: usize = 10;

/// Options of `redraft audit rejudge`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    /// The run [default: the one that was last worked on]
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// The critic that assesses, in place of --model: a name from the settings, or the name its server knows
    #[arg(long, value_name = "NAME")]
    critic: Option<String>,
    /// Which texts: all of them, or the draft and the final answer
    #[arg(long, value_name = "WHICH", value_enum, default_value_t)]
    texts: Texts,
    /// Assess only the first N transcripts
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Write every disagreement to this file, as JSON lines
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Show so many of the worst disagreements
    #[arg(long, value_name = "N", default_value_t = SHOWN)]
    show: usize,
    /// Ask the critic again, whatever the store knows
    #[arg(long)]
    fresh: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Say nothing but the report and errors
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    pipeline: PipelineArgs,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Texts {
    /// The draft and every revision, so that rounds can be compared
    #[default]
    All,
    /// The draft and the final answer
    Ends,
}

impl Options {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let arguments = self.pipeline.clone().or_model(self.critic.clone());
        // Who asks for an opinion waits for it.
        let settings = arguments.settings(self.store.store.clone())?.batched(false);
        if settings.constitution.is_none() {
            let message =
                "a critic assesses by a constitution; choose the run's, or another, with -c";
            return Err(UsageError(message.to_owned()).into());
        }
        // The store is asked for the run before it is opened to write the journal.
        let run = {
            let store = app::open_store_to_read(&settings.store)?;
            find_run(store.as_ref(), self.run.as_deref()).await?
        };
        let store = app::open_store(&settings.store)?;
        let connections = Connections {
            store: Some(Arc::clone(&store)),
            scope: self.fresh.then(telemetry::now),
            ..Connections::default()
        };
        let pipeline = pipeline(&settings, &connections)?;
        has_something_to_ask(&pipeline)?;
        let opinion = self.assess(&store, &run, &pipeline, &connections).await?;
        store.flush().await?;
        self.tell(&run, &pipeline, &opinion)?;
        Ok(Exit::Done)
    }

    async fn assess(
        &self,
        store: &Arc<dyn Store>,
        run: &str,
        pipeline: &Pipeline,
        connections: &Connections,
    ) -> anyhow::Result<SecondOpinion> {
        let sealed = store.run(run).await?.map_or(0, |row| row.sealed);
        let bar = self.bar(sealed.min(self.limit.unwrap_or(u64::MAX)));
        let options = RejudgeOptions {
            which: match self.texts {
                Texts::All => Which::All,
                Texts::Ends => Which::Ends,
            },
            limit: self.limit,
            at_once: connections.traffic.window().max(AT_ONCE),
            worst: self.show,
        };
        let mut file = self.output.as_deref().map(create).transpose()?;
        let write = |disagreement: &Disagreement| match &mut file {
            Some(file) => {
                serde_json::to_writer(&mut *file, disagreement)?;
                file.write_all(b"\n")
            }
            None => Ok(()),
        };
        let opinion = rejudge(store, run, pipeline, options, write, || bar.inc(1)).await;
        bar.finish_and_clear();
        if let Some(mut file) = file {
            file.flush()
                .context("the disagreements cannot be written")?;
        }
        Ok(opinion?)
    }

    /// A bar that shows on a terminal only.
    fn bar(&self, length: u64) -> ProgressBar {
        if self.quiet {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:30} {pos} of {len} transcripts, {elapsed}");
        bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
    }

    fn tell(&self, run: &str, pipeline: &Pipeline, opinion: &SecondOpinion) -> anyhow::Result<()> {
        let report = Report {
            run,
            pipeline,
            opinion,
        };
        if self.json {
            outln!("{}", serde_json::to_string_pretty(&as_json(&report))?);
        } else {
            print(&report);
        }
        let used = usage(Paint::STDERR, &opinion.usage);
        if !self.quiet && !used.is_empty() {
            let journalled = counted(opinion.journalled, "call");
            let journalled = format!("{journalled} from the store");
            eprint!("\n{used}");
            eprintln!("  {}", Paint::STDERR.dim(journalled));
        }
        Ok(())
    }
}

/// Whether a critic has anything to say: what checks settle comes out the same again.
fn has_something_to_ask(pipeline: &Pipeline) -> Result<(), UsageError> {
    let constitution = pipeline.constitution();
    let mut principles = constitution.principles().iter();
    if principles.any(|principle| !principle.is_settled_by_checks()) {
        return Ok(());
    }
    Err(UsageError(format!(
        "checks settle every principle of {}: no critic has anything to say, and checks find the same \
         again",
        constitution.name()
    )))
}

fn create(path: &Path) -> anyhow::Result<BufWriter<File>> {
    let file = File::create(path);
    let file = file.with_context(|| format!("cannot write {}", path.display()))?;
    Ok(BufWriter::new(file))
}
