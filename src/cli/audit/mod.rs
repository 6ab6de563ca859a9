//! `redraft audit …`: what a store holds, proven to others and questioned again.

pub(super) mod at_end;
mod checkpoint;
mod erase;
mod files;
mod keygen;
mod opinion_report;
mod prove;
mod rejudge;
mod replay;
mod run_settings;
mod verify;
mod verify_proof;
mod verify_report;

use clap::Subcommand;

use super::Exit;

/// What `redraft audit` can do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a key that signs checkpoints
    Keygen(keygen::Options),
    /// Say which tree the store holds now, and sign it
    Checkpoint(checkpoint::Options),
    /// Check the store, or a proof, against a checkpoint
    Verify(verify::Options),
    /// Write a proof that a transcript is in the store's tree
    Prove(prove::Options),
    /// Erase what a transcript says; its place in the tree stays
    Erase(erase::Options),
    /// Make every transcript of a run again from the journal, and compare the bytes
    Replay(Box<replay::Options>),
    /// Have another critic assess the texts of a run, and compare
    Rejudge(Box<rejudge::Options>),
}

impl Command {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        match self {
            Self::Keygen(options) => options.run(),
            Self::Checkpoint(options) => options.run().await,
            Self::Verify(options) => options.run().await,
            Self::Prove(options) => options.run().await,
            Self::Erase(options) => options.run().await,
            Self::Replay(options) => options.run().await,
            Self::Rejudge(options) => options.run().await,
        }
    }
}
