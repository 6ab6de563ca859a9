//! The command line: one file per command. Data goes to standard output, talk to standard error.

#[macro_use]
mod output;

mod args;
mod ask;
mod audit;
mod batches;
mod bench;
mod budget;
mod columns;
mod completions;
mod constitution;
mod ctl;
mod error;
mod estimate;
mod events;
mod exit;
mod explain_miss;
mod export;
mod find;
mod import;
mod init;
mod interrupts;
mod keyboard;
mod keys;
mod metrics;
mod naming;
mod page_keys;
mod person;
mod prefer;
mod progress;
mod recording;
mod report;
mod review;
mod run;
mod runs;
mod serve;
mod serving;
mod show;
mod stats;
mod steering;
mod story;
mod summary;
mod tables;
mod terminal;
mod view;
mod watch;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use exit::Exit;

/// Drafts answers with a language model, critiques them against a written constitution, revises
/// them, and keeps the transcript of every round.
#[derive(Debug, Parser)]
#[command(
    name = "redraft",
    version,
    propagate_version = true,
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Revise a dataset; the same command again continues it
    Run(Box<run::Options>),
    /// Answer one prompt, and show how the answer came about
    Ask(Box<ask::Options>),
    /// Answer OpenAI's clients, and hold the answers to a constitution
    Serve(Box<serve::Options>),
    /// Make, list and revoke the keys of the gateway
    #[command(subcommand)]
    Keys(keys::Command),
    /// Show a stored transcript
    Show(show::Options),
    /// Say which part of a request changed when a call would be made again
    ExplainMiss(Box<explain_miss::Options>),
    /// List the runs in the store
    Runs(runs::Options),
    /// Watch and steer a run that is going on
    Ctl(ctl::Options),
    /// Count outcomes, violations and mends of a run
    Stats(stats::Options),
    /// Show runs and transcripts as pages in a browser
    View(view::Options),
    /// Write the page of a run as one file
    Report(report::Options),
    /// Write the transcripts of a run as rows for other tools
    Export(Box<export::Options>),
    /// Take in traces of critique and revision that other tools made
    Import(import::Options),
    /// Say which of two answers keeps a constitution better
    Prefer(Box<prefer::Options>),
    /// Prove what a store holds, check it, and question it again
    #[command(subcommand)]
    Audit(audit::Command),
    /// What waits for people, and what they decide
    #[command(subcommand)]
    Review(review::Command),
    /// Check, list, show, test or import constitutions
    #[command(subcommand)]
    Constitution(constitution::Command),
    /// Write a commented redraft.yaml and a constitution to start from
    Init(init::Options),
    /// Measure an endpoint, or this machine against a simulated server
    Bench(Box<bench::Options>),
    /// Print a completion script for a shell
    Completions(completions::Options),
}

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(source) => return error::report(&anyhow::Error::new(source)).into(),
    };
    let telemetry = crate::telemetry::init(runtime.handle());
    let ended = runtime.block_on(cli.command.run());
    drop(telemetry);
    // A reader of standard input may wait forever for a line; it must not hold the process.
    runtime.shutdown_background();
    match ended {
        Ok(exit) => exit.into(),
        Err(failure) => error::report(&failure).into(),
    }
}

impl Command {
    async fn run(self) -> anyhow::Result<Exit> {
        match self {
            Self::Run(options) => Box::pin(options.run()).await,
            Self::Ask(options) => options.run().await,
            Self::Serve(options) => options.run().await,
            Self::Keys(command) => command.run(),
            Self::Show(options) => options.run().await,
            Self::ExplainMiss(options) => options.run().await,
            Self::Runs(options) => options.run().await,
            Self::Ctl(options) => options.run().await,
            Self::Stats(options) => options.run().await,
            Self::View(options) => options.run().await,
            Self::Report(options) => options.run().await,
            Self::Export(options) => options.run().await,
            Self::Import(options) => options.run().await,
            Self::Prefer(options) => options.run().await,
            Self::Audit(command) => command.run().await,
            Self::Review(command) => command.run().await,
            Self::Constitution(command) => command.run().await,
            Self::Init(options) => options.run(),
            Self::Bench(options) => options.run().await,
            Self::Completions(options) => options.run(),
        }
    }
}
