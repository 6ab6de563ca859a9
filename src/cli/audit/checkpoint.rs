//! `redraft audit checkpoint`: which tree the store holds now.

use std::path::PathBuf;

use clap::Args;

use super::files;
use crate::app;
use crate::audit::proof::make_checkpoint;
use crate::cli::Exit;
use crate::cli::args::{PipelineArgs, StoreArgs};
use crate::cli::terminal::{counted, safe};
use crate::telemetry;

/// Options of `redraft audit checkpoint`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    /// The private key that signs it [default: `audit_key` of the settings, or `$REDRAFT_AUDIT_KEY`]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Write it here [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    store: StoreArgs,
}

impl Options {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let settings = PipelineArgs::default().settings(self.store.store)?;
        let key = self.key.or(settings.audit_key);
        let key = key.as_deref().map(files::signing_key).transpose()?;
        let store = app::open_store(&settings.store)?;
        let made = make_checkpoint(store.as_ref(), key.as_ref(), &telemetry::now()).await?;
        let note = made.note.to_string();
        match &self.output {
            Some(path) => {
                files::write(path, &note)?;
                let leaves = counted(made.head.size, "leaf").replace("leafs", "leaves");
                eprintln!("{}: {leaves}", path.display());
            }
            None => out!("{note}"),
        }
        match made.note.signatures.first() {
            Some(signature) => eprintln!("Signed by {}.", safe(&signature.name)),
            None => eprintln!("{}", super::at_end::UNSIGNED),
        }
        Ok(Exit::Done)
    }
}
