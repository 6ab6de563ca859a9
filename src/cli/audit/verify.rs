//! `redraft audit verify`: the store against its tree, and the tree against checkpoints.

use std::path::PathBuf;

use clap::Args;

use super::{files, verify_proof, verify_report};
use crate::app;
use crate::audit::verify::{Asked, verify};
use crate::cli::Exit;
use crate::cli::args::StoreArgs;

/// Options of `redraft audit verify`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    /// Look at the payloads and the completeness of this run alone
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// A checkpoint that was kept elsewhere [default: the newest that the store keeps]
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// An older checkpoint, which the tree must begin with
    #[arg(long, value_name = "FILE")]
    older: Option<PathBuf>,
    /// The key that checkpoints are signed with, or the file that holds it
    #[arg(long, value_name = "KEY|FILE")]
    public_key: Option<String>,
    /// Check this proof instead, without a store
    #[arg(long, value_name = "FILE", conflicts_with_all = ["run", "checkpoint", "older"])]
    proof: Option<PathBuf>,
    /// Print the result as JSON to standard output
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreArgs,
}

impl Options {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let key = self
            .public_key
            .as_deref()
            .map(files::public_key)
            .transpose()?;
        if let Some(proof) = &self.proof {
            return verify_proof::run(proof, key.as_ref(), self.json);
        }
        let checkpoint = self.checkpoint.as_deref().map(files::checkpoint);
        let older = self.older.as_deref().map(files::checkpoint);
        let store = app::open_store_to_read(&self.store.path()?)?;
        if let Some(run) = &self.run
            && store.run(run).await?.is_none()
        {
            anyhow::bail!(
                "there is no run {run} in {}; `redraft runs` lists them",
                store.location()
            );
        }
        let asked = Asked {
            checkpoint: checkpoint.transpose()?,
            older: older.transpose()?,
            key,
            run: self.run,
        };
        let report = verify(store, asked).await?;
        verify_report::show(&report, self.json)?;
        Ok(if report.holds() {
            Exit::Done
        } else {
            Exit::Failed
        })
    }
}
