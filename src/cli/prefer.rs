//! `redraft prefer INPUT`: say which of two answers keeps a constitution better; the same command
//! again continues it.

mod summary;

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};

use self::summary::Summary;
use super::args::{PipelineArgs, StoreArgs, judge};
use super::budget::BudgetArgs;
use super::error::UsageError;
use super::interrupts::Interrupts;
use super::keyboard::{self, Keys};
use super::metrics::MetricsArgs;
use super::progress::Shown;
use super::run::attend;
use super::steering::Steering;
use super::terminal::Paint;
use super::watch::Watch;
use super::{Exit, naming};
use crate::app::{self, Connections};
use crate::config::Settings;
use crate::dataset::{ReadOptions, Source, Target};
use crate::model::traffic::Traffic;
use crate::prefer::{
    Clamp, Judge, JudgeOptions, Label, LabelWish, PairMaking, PairSource, PreferPlan, PreferReport,
    PrincipleChoice, decided_by, prefer,
};
use crate::run::{Controls, RunEnd, RunPlan, Stop, run_name};
use crate::store::Store;

/// So many replies a question gets where one does not tell enough: as many as the thoughts that Bai
/// et al. 2022 average.
const VOTES: NonZeroU32 = NonZeroU32::new(5).expect("five is not zero");
/// So many pairs in a row may fail because of the server when nobody says otherwise.
const MAX_FAILED: usize = 20;
/// The longest line that is read when nobody says otherwise, in mebibytes.
const MAX_LINE_MIB: usize = 16;

/// Options of `redraft prefer`.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(super) struct Options {
    /// The dataset: a file of JSON lines, or `-` for standard input
    #[arg(value_name = "INPUT", conflicts_with = "from_run")]
    input: Option<PathBuf>,
    /// Take the transcripts of this run: each draft against its final answer
    #[arg(long, value_name = "RUN")]
    from_run: Option<String>,
    /// Compare the final answers of each record's samples, and write the best one's row
    #[arg(long, requires = "from_run")]
    best_sample: bool,
    /// Write every row here, with what was found in the column `redraft`
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
    #[command(flatten)]
    store: StoreArgs,
    /// The run's name [default: from the dataset's name and all that decides its labels]
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    /// Take only the first N rows
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// The two columns that hold the answers [default: chosen,rejected or a,b]
    #[arg(
        long,
        value_name = "COLUMN,COLUMN",
        value_delimiter = ',',
        conflicts_with = "from_run"
    )]
    pair: Vec<String>,
    /// Give each row without a pair two drafts, and compare these
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u8).range(2..=2), conflicts_with = "from_run")]
    samples: Option<u8>,
    /// One drawn principle a pair, each with a label of its own, or all averaged
    #[arg(
        long,
        value_name = "WHICH",
        value_enum,
        default_value_t,
        help_heading = "Labels"
    )]
    principles: Which,
    /// What labels are made of
    #[arg(
        long,
        value_name = "HOW",
        value_enum,
        default_value_t,
        help_heading = "Labels"
    )]
    labels: How,
    /// Replies per question and order, without log-probabilities or with a chain of thought
    #[arg(long, value_name = "K", default_value_t = VOTES, help_heading = "Labels")]
    votes: NonZeroU32,
    /// Have every comparison put into words before the choice
    #[arg(long, help_heading = "Labels")]
    chain_of_thought: bool,
    /// The bounds of labels with a chain of thought [default: 0.4,0.6]
    #[arg(
        long,
        value_name = "LOW,HIGH",
        requires = "chain_of_thought",
        help_heading = "Labels"
    )]
    clamp: Option<Clamp>,
    /// Stop when more rows than this cannot be used [default: only if the first 20 all do not]
    #[arg(long, value_name = "N")]
    max_bad_rows: Option<u64>,
    /// The longest line that is read, in MiB
    #[arg(long, value_name = "MIB", default_value_t = MAX_LINE_MIB)]
    max_line: usize,
    /// Stop, resumable, when N pairs in a row fail because of the server; 0: never
    #[arg(long, value_name = "N", default_value_t = MAX_FAILED)]
    max_failed: usize,
    /// Begin a new run, and ask every model again
    #[arg(long)]
    fresh: bool,
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
    #[command(flatten)]
    budget: BudgetArgs,
    #[command(flatten)]
    pipeline: PipelineArgs,
}

/// Which principles a pair is compared by.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Which {
    /// One that is drawn by weight
    #[default]
    Drawn,
    /// Every one, each with a row of its own
    Each,
    /// Every one, averaged by weight
    Ensemble,
}

/// What labels are made of.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum How {
    /// Log-probabilities where the server gives them, and else votes
    #[default]
    Auto,
    /// Log-probabilities
    Logprobs,
    /// Votes
    Votes,
}

impl Options {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        self.check()?;
        let settings = self.pipeline.clone().settings(self.store.store.clone())?;
        // Which labels a server gives is found out call by call.
        let settings = settings.batched(false);
        if settings.constitution.is_none() {
            let message = "answers are compared by a constitution; choose one with -c";
            return Err(UsageError(message.to_owned()).into());
        }
        let store = app::open_store(&settings.store)?;
        let (source, target) = self.files(store.as_ref()).await?;
        let mut connections = Connections {
            store: Some(Arc::clone(&store)),
            scope: naming::scope(self.run.as_deref(), self.fresh, store.as_ref()).await?,
            ..Connections::default()
        };
        let _given_out = self.metrics.give_out(&mut connections, self.quiet).await?;
        let budget = connections.traffic.budget();
        budget.set_limits(self.budget.limits());
        let judge = judge(&settings, self.judge_options(&settings), &connections)?;
        if self.samples.is_some() && !judge.can_draft() {
            let message = "--samples needs a model with the role drafter";
            return Err(UsageError(message.to_owned()).into());
        }
        let plan = self
            .plan(&connections, &judge, &source, target, store.as_ref())
            .await?;
        if !self.quiet {
            summary::announce(&judge, &settings, &plan.run);
        }
        let (handle, stop) = Stop::new();
        let controls = Controls::new(Arc::clone(&connections.traffic), handle.clone());
        let keys = self.keys(&connections.traffic);
        let shown = Shown {
            quiet: self.quiet,
            traffic: Arc::clone(&connections.traffic),
            controls: controls.clone(),
            input: source
                .rows()
                .and_then(Source::plain_path)
                .map(Path::to_owned),
            limit: self.limit,
            samples: NonZeroU32::MIN,
            hint: if keys.is_some() { keyboard::HINT } else { "" },
        };
        let watch = Watch::begin(self.events.as_deref(), shown, connections.metrics.clone())?;
        budget.add_earlier(store.spent(&plan.run.name).await?);
        let steering = Steering {
            store: Arc::clone(&store),
            traffic: Arc::clone(&connections.traffic),
            controls,
            watch: &watch,
            keys,
            kept: budget.spent(),
        };
        let signals = tokio::spawn(Interrupts::listen()?.watch(handle));
        let judge = Arc::new(judge);
        let whole = prefer(plan, judge, Arc::clone(&store), source, &watch, stop);
        let (ended, spent) = attend(whole, &watch, steering).await;
        watch.finish(ended.as_ref().map(|report| &report.run));
        let exit = self.conclude(&ended?, &watch);
        spent?;
        signals.abort();
        exit
    }

    fn check(&self) -> Result<(), UsageError> {
        let wrong = if self.input.is_none() && self.from_run.is_none() {
            "there is nothing to compare; give a dataset, or --from-run RUN"
        } else if self.output.as_deref() == Some(Path::new("-")) && self.json {
            "-o - and --json would both print to standard output; take one of them"
        } else if !matches!(self.pair.len(), 0 | 2) || self.pair.iter().any(String::is_empty) {
            "--pair takes the names of two columns, with a comma between them"
        } else if self.pair.len() == 2 && self.pair[0] == self.pair[1] {
            "--pair takes two columns that are not the same"
        } else if self.best_sample && matches!(self.principles, Which::Each) {
            "--best-sample needs one label for each comparison; take --principles drawn or ensemble"
        } else {
            return Ok(());
        };
        Err(UsageError(wrong.to_owned()))
    }

    /// Where pairs come from, and the output, which is looked at before any work is done.
    async fn files(&self, store: &dyn Store) -> anyhow::Result<(PairSource, Option<Target>)> {
        let source = match (&self.input, &self.from_run) {
            (Some(input), _) => PairSource::Rows(Source::open(input)?),
            (None, run) => {
                let run = run.clone().unwrap_or_default();
                if store.run(&run).await?.is_none() {
                    let message = format!(
                        "there is no run {run} in {}; `redraft runs` lists those there are",
                        store.location()
                    );
                    return Err(UsageError(message).into());
                }
                if self.best_sample {
                    PairSource::Samples(run)
                } else {
                    PairSource::Run(run)
                }
            }
        };
        let output = self.output.as_deref();
        let target = output
            .map(|path| Target::check(path, source.rows()))
            .transpose()?;
        Ok((source, target))
    }

    fn judge_options(&self, settings: &Settings) -> JudgeOptions {
        JudgeOptions {
            principles: match self.principles {
                Which::Drawn => PrincipleChoice::Drawn,
                Which::Each => PrincipleChoice::Each,
                Which::Ensemble => PrincipleChoice::Ensemble,
            },
            labels: match self.labels {
                How::Auto => LabelWish::Auto,
                How::Logprobs => LabelWish::Logprobs,
                How::Votes => LabelWish::Votes,
            },
            votes: self.votes,
            thoughts: self
                .chain_of_thought
                .then(|| self.clamp.unwrap_or_default()),
            seed: settings.seed,
        }
    }

    async fn plan(
        &self,
        connections: &Connections,
        judge: &Judge,
        source: &PairSource,
        output: Option<Target>,
        store: &dyn Store,
    ) -> anyhow::Result<PreferPlan> {
        let columns = <[String; 2]>::try_from(self.pair.clone()).ok();
        let making = match (self.samples, self.best_sample) {
            (Some(_), _) => PairMaking::Drafts,
            (None, true) => PairMaking::BestSample,
            (None, false) => PairMaking::Given,
        };
        let dataset = source.rows().map(Source::name);
        let dataset = dataset.or_else(|| source.run().map(str::to_owned));
        let dataset = format!("{}.preferences", dataset.unwrap_or_default());
        let decided_by = decided_by(judge, columns.as_ref(), making);
        let base = run_name(&dataset, &decided_by);
        let name = naming::name(self.run.as_deref(), base, self.fresh, store).await?;
        let run = RunPlan {
            name,
            dataset,
            decided_by,
            scope: connections.scope.clone(),
            limit: self.limit,
            traffic: Arc::clone(&connections.traffic),
            max_bad_rows: self.max_bad_rows,
            max_failed: self.max_failed,
            samples: NonZeroU32::MIN,
            only_rows: None,
            retry_failed: false,
            read: ReadOptions {
                answer_column: self.pair.first().cloned(),
                line_limit: self.max_line << 20,
                ignore_answers: making == PairMaking::Drafts,
                ..ReadOptions::default()
            },
            output,
        };
        Ok(PreferPlan {
            run,
            columns,
            making,
        })
    }

    /// The keys of the terminal, if they are not the dataset.
    fn keys(&self, traffic: &Arc<Traffic>) -> Option<Keys> {
        let wanted = !self.quiet && self.input.as_deref() != Some(Path::new("-"));
        wanted.then(|| Keys::listen(Arc::clone(traffic))).flatten()
    }

    /// Says what came of it.
    fn conclude(&self, report: &PreferReport, watch: &Watch) -> anyhow::Result<Exit> {
        let view = watch.progress.view();
        let summary = Summary {
            report,
            output: self.output.as_deref(),
            fresh: self.fresh,
            view: &view,
        };
        if self.json {
            outln!("{}", summary.json()?);
        }
        if !self.quiet {
            summary.print(Paint::STDERR);
        }
        Ok(match report.run.end {
            RunEnd::Interrupted => Exit::Interrupted,
            RunEnd::BudgetReached => Exit::Budget,
            RunEnd::OnlyFailures => Exit::Failed,
            RunEnd::Finished if report.tally.count(Label::Failed) > 0 => Exit::SomeFailed,
            RunEnd::Finished | RunEnd::Picked => Exit::Done,
        })
    }
}
