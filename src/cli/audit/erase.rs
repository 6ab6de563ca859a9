//! `redraft audit erase RECORD`: what a transcript says goes, its place in the tree stays.

use clap::Args;

use crate::app;
use crate::audit::proof::{self, Reason};
use crate::cli::Exit;
use crate::cli::args::StoreArgs;
use crate::cli::find::one_record;
use crate::cli::terminal::{counted, safe};
use crate::telemetry;

/// Options of `redraft audit erase`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    /// The record's id, or its beginning
    #[arg(value_name = "RECORD")]
    record: String,
    /// Why; it stays in the log for good
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who says so; it stays in the log for good
    #[arg(long, value_name = "NAME")]
    author: Option<String>,
    /// The run [default: the newest that has the record]
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    #[command(flatten)]
    store: StoreArgs,
}

impl Options {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let store = app::open_store(&self.store.path()?)?;
        let stored = one_record(store.as_ref(), self.run.as_deref(), &self.record).await?;
        let record = &stored.row.sealed.record;
        let why = Reason {
            reason: &self.reason,
            author: self.author.as_deref(),
            at: &telemetry::now(),
        };
        let erased = proof::erase(store.as_ref(), &stored.run, record, &why).await?;
        eprintln!(
            "Erased: the transcript of record {} in run {}, and {} of the journal. Leaf {} says so.",
            safe(record.as_str()),
            safe(&stored.run),
            counted(erased.calls as u64, "call"),
            erased.leaf
        );
        eprintln!(
            "Not erased: datasets and files that hold it, its transcripts in other runs, backups."
        );
        Ok(Exit::Done)
    }
}
