//! `redraft audit prove RECORD`: a proof that needs no store to be checked.

use std::path::PathBuf;

use clap::Args;

use super::files;
use crate::app;
use crate::audit::proof::{ProofError, SignedNote, TreeHead, erasure_of, prove};
use crate::cli::Exit;
use crate::cli::args::StoreArgs;
use crate::cli::find::one_record;
use crate::store::Store;

/// Options of `redraft audit prove`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    /// The record's id, or its beginning
    #[arg(value_name = "RECORD")]
    record: String,
    /// The run [default: the newest that has the record]
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    /// Prove it against this checkpoint [default: the newest signed one that the store keeps, or the
    /// newest]
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Leave out what the transcript says: the proof shows that it was there, and how it ended
    #[arg(long)]
    without_payload: bool,
    /// Write it here [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    store: StoreArgs,
}

impl Options {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let store = app::open_store_to_read(&self.store.path()?)?;
        let stored = one_record(store.as_ref(), self.run.as_deref(), &self.record).await?;
        let record = &stored.row.sealed.record;
        let leaf = store.leaf_of(&stored.run, record).await?;
        let leaf = leaf.ok_or_else(|| ProofError::NoLeaf {
            record: record.clone(),
            run: stored.run.clone(),
        })?;
        let checkpoint = match &self.checkpoint {
            Some(path) => files::checkpoint(path)?,
            None => newest(store.as_ref(), leaf.index).await?,
        };
        let erasure = if leaf.salt.is_none() {
            erasure_of(store.as_ref(), leaf.index).await?
        } else {
            None
        };
        let shown = !self.without_payload;
        let proof = prove(store.as_ref(), &leaf, &checkpoint, erasure, shown).await?;
        let text = serde_json::to_string_pretty(&proof)?;
        match &self.output {
            Some(path) => {
                files::write(path, &format!("{text}\n"))?;
                eprintln!(
                    "{}: check it with redraft audit verify --proof {}",
                    path.display(),
                    path.display()
                );
            }
            None => outln!("{text}"),
        }
        Ok(Exit::Done)
    }
}

/// The newest checkpoint that covers a leaf; one that is signed before one that is not.
async fn newest(store: &dyn Store, index: u64) -> anyhow::Result<SignedNote> {
    let kept = store.tree_checkpoints().await?;
    let notes = kept.iter().rev().filter_map(|kept| {
        let note: SignedNote = kept.note.parse().ok()?;
        let head: TreeHead = note.text.parse().ok()?;
        (head.size > index).then_some(note)
    });
    let notes: Vec<SignedNote> = notes.collect();
    let signed = notes.iter().find(|note| !note.signatures.is_empty());
    let note = signed.or(notes.first()).cloned();
    note.ok_or_else(|| {
        anyhow::anyhow!("no checkpoint covers that record yet; make one: redraft audit checkpoint")
    })
}
