//! `redraft export [RUN]`: the transcripts of a run as rows for other tools.

mod command_text;
mod named_records;
mod outputs;
mod plan;
mod summary;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, ValueEnum};

use self::named_records::named_records;
use self::outputs::Outputs;
use self::plan::{Plan, Wanted};
use super::Exit;
use super::args::StoreArgs;
use super::error::UsageError;
use super::stats::find_run;
use crate::app;
use crate::constitution::Severity;
use crate::dataset::OutputError;
use crate::export::{
    Decided, Exporter, FormatName, Include, Item, Requests, Selection, Splits, Texts,
};
use crate::review::{Decision, Reviews, Standing, applied};
use crate::store::Store;
use crate::transcript::{Outcome, Transcript};

/// How many transcripts are read at a time.
const PAGE: usize = 256;

/// Options of `redraft export`.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The run [default: the one that was last worked on]
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// The form of the rows
    #[arg(short, long, value_name = "NAME", value_parser = formats())]
    format: FormatName,
    /// Where the rows go: a file, or a folder, which gets a card too [default: standard output]
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
    /// Which texts of a transcript: the final one, or every revision that was kept
    #[arg(long, value_name = "WHICH", default_value = "final")]
    texts: TextsName,
    /// Only changed answers, only compliant ones, or with a comma only what is both
    #[arg(
        long,
        value_name = "WHAT",
        value_delimiter = ',',
        help_heading = "Which transcripts"
    )]
    only: Vec<Only>,
    /// Only where this principle was found violated; several with commas, or given again
    #[arg(
        long,
        value_name = "ID",
        value_delimiter = ',',
        help_heading = "Which transcripts"
    )]
    principle: Vec<String>,
    /// Only where a violation was at least so severe
    #[arg(long, value_name = "LEVEL", value_parser = severities(), help_heading = "Which transcripts")]
    severity: Option<Severity>,
    /// Only with this outcome; several with commas, or given again
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = outcomes(), help_heading = "Which transcripts")]
    outcome: Vec<Outcome>,
    /// Only the records that this file names: JSON lines whose column `record`, or else `id`, says it
    #[arg(long, value_name = "FILE", help_heading = "Which transcripts")]
    records: Option<PathBuf>,
    /// Only where people decided so; several with commas, or given again
    #[arg(
        long,
        value_name = "WHAT",
        value_delimiter = ',',
        help_heading = "Which transcripts"
    )]
    decision: Vec<DecisionName>,
    /// Let through what is left out else: held, failed, error
    #[arg(
        long,
        value_name = "WHAT",
        value_delimiter = ',',
        help_heading = "Which transcripts"
    )]
    include: Vec<IncludeName>,
    /// Spread the records over files, as in train=0.9,test=0.1
    #[arg(long, value_name = "NAME=SHARE,…")]
    split: Option<String>,
    /// Drop rows that are there already
    #[arg(long)]
    deduplicate: bool,
    /// Write a dataset card, README.md, beside the output
    #[arg(long)]
    card: bool,
    /// Say nothing but errors
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TextsName {
    /// The final answer; in pairs, beside the draft
    Final,
    /// Every revision that was kept; in pairs, beside the text it revised
    Revisions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Only {
    /// The final answer differs from the draft
    Changed,
    /// No principle is violated by the final answer
    Compliant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DecisionName {
    /// One of its texts is good
    Approved,
    /// The answer is one that a person wrote
    Edited,
    /// None of its texts is good
    Rejected,
    /// Nobody decided, or people differ
    Undecided,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum IncludeName {
    /// Records that wait for a person
    Held,
    /// Records that were not brought to their end
    Failed,
    /// Transcripts in which something could not be assessed
    Error,
}

impl DecisionName {
    fn decided(self) -> Decided {
        match self {
            Self::Approved => Decided::Approved,
            Self::Edited => Decided::Edited,
            Self::Rejected => Decided::Rejected,
            Self::Undecided => Decided::Not,
        }
    }
}

fn formats() -> impl clap::builder::TypedValueParser<Value = FormatName> {
    PossibleValuesParser::new(FormatName::ALL.map(FormatName::as_str))
        .try_map(|name| name.parse::<FormatName>())
}

fn severities() -> impl clap::builder::TypedValueParser<Value = Severity> {
    PossibleValuesParser::new(Severity::ALL.map(Severity::as_str)).try_map(|name| {
        let known = Severity::ALL.into_iter();
        known
            .into_iter()
            .find(|severity| severity.as_str() == name)
            .ok_or("no severity has that name")
    })
}

fn outcomes() -> impl clap::builder::TypedValueParser<Value = Outcome> {
    PossibleValuesParser::new(Outcome::ALL.map(Outcome::as_str))
        .try_map(|name| Outcome::from_name(&name).ok_or("no outcome has that name"))
}

impl Options {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let splits = self.splits()?;
        let texts = self.texts()?;
        let selection = self.selection()?;
        let store_path = self.store.clone().path()?;
        let store = app::open_store_to_read(&store_path)?;
        let run = find_run(store.as_ref(), self.run.as_deref()).await?;
        let plan = Plan::make(&Wanted {
            output: self.output.as_deref(),
            format: self.format,
            splits: splits.as_ref(),
            card: self.card,
            store: &store_path,
        })?;
        let splits = splits.unwrap_or_else(|| Splits::one(plan::ONLY_SPLIT));
        let mut exporter = Exporter::new(&run, self.format, texts, selection, splits);
        if self.deduplicate {
            exporter = exporter.deduplicated();
        }
        let ended = export(store.as_ref(), &run, self.format, &mut exporter, &plan).await;
        let outputs = match ended {
            Err(failure) if is_broken_pipe(&failure) => return Ok(Exit::Done),
            outputs => outputs?,
        };
        let files = outputs.commit(exporter.frame().as_ref())?;
        let card = plan.write_card(self.format, &exporter, &files)?;
        if !self.quiet {
            summary::say(&exporter, &plan, &files, card.as_ref());
        }
        Ok(Exit::Done)
    }

    fn splits(&self) -> Result<Option<Splits>, UsageError> {
        let splits = self.split.as_deref().map(str::parse::<Splits>).transpose();
        splits.map_err(|error| UsageError(format!("--split: {error}")))
    }

    fn texts(&self) -> Result<Texts, UsageError> {
        match self.texts {
            TextsName::Final => Ok(Texts::Final),
            TextsName::Revisions if self.format.takes_texts() => Ok(Texts::Revisions),
            TextsName::Revisions => Err(UsageError(format!(
                "--texts revisions does not go with {}: its rows hold every round already",
                self.format
            ))),
        }
    }

    fn selection(&self) -> anyhow::Result<Selection> {
        let records = self.records.as_deref().map(named_records).transpose()?;
        Ok(Selection {
            records,
            changed: self.only.contains(&Only::Changed),
            compliant: self.only.contains(&Only::Compliant),
            outcomes: self.outcome.clone(),
            principles: self.principle.clone(),
            severity: self.severity,
            decisions: self.decision.iter().map(|name| name.decided()).collect(),
            include: Include {
                held: self.include.contains(&IncludeName::Held),
                failed: self.include.contains(&IncludeName::Failed),
                error: self.include.contains(&IncludeName::Error),
            },
        })
    }
}

/// Takes the run's transcripts page by page through the exporter into the files.
async fn export(
    store: &dyn Store,
    run: &str,
    format: FormatName,
    exporter: &mut Exporter,
    plan: &Plan,
) -> anyhow::Result<Outputs> {
    let reviews = Reviews::read(store).await?;
    let mut outputs = Outputs::begin(plan, exporter.frame())?;
    let mut after = None;
    loop {
        let page = store.transcripts(run, after, PAGE).await?;
        for stored in page.items {
            let sealed = stored.row.sealed;
            let transcript = sealed.open().with_context(|| {
                format!(
                    "the transcript of {} in run {run} cannot be read",
                    sealed.record
                )
            })?;
            let requests = if format.wants_requests() {
                requests(store, &transcript).await?
            } else {
                Requests::default()
            };
            let standing = reviews.standing(&transcript);
            let transcript = applied(transcript, &standing);
            let item = Item {
                decided: decided(&standing),
                transcript: &transcript,
                body: &sealed.body,
                content: sealed.content,
                requests: &requests,
            };
            for placed in exporter.take(&item) {
                outputs.write(placed)?;
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(outputs),
        }
    }
}

fn decided(standing: &Standing) -> Decided {
    match standing {
        Standing::Waiting { .. } | Standing::Disputed => Decided::Not,
        Standing::Decided(Decision::Approve | Decision::Choose { .. }) => Decided::Approved,
        Standing::Decided(Decision::Edit { .. }) => Decided::Edited,
        Standing::Decided(Decision::Reject) => Decided::Rejected,
    }
}

/// What the calls of a transcript asked, as far as the store still has them.
async fn requests(store: &dyn Store, transcript: &Transcript) -> anyhow::Result<Requests> {
    let mut requests = Requests::default();
    for round in &transcript.rounds {
        let revising = round.revision.iter().flat_map(|made| &made.calls).last();
        for key in round.critique_calls.iter().chain(revising) {
            if let Some(call) = store.call(*key).await? {
                requests.add(*key, &call.request);
            }
        }
    }
    Ok(requests)
}

/// Whether standard output's reader has gone away, as in `redraft export … | head`.
fn is_broken_pipe(failure: &anyhow::Error) -> bool {
    let written = failure.downcast_ref::<OutputError>();
    matches!(written, Some(OutputError::Write { source, .. })
        if source.kind() == std::io::ErrorKind::BrokenPipe)
}
