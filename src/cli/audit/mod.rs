//! `redraft audit …`: questions to transcripts that are sealed.

mod opinion_report;
mod rejudge;

use clap::Subcommand;

use super::Exit;

/// What `redraft audit` can do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Have another critic assess the texts of a run, and compare
    Rejudge(Box<rejudge::Options>),
}

impl Command {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        match self {
            Self::Rejudge(options) => options.run().await,
        }
    }
}
