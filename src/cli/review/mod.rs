//! `redraft review …`: what waits for people, and what they decide.

mod decide;
mod list;
mod move_reviews;

use std::sync::Arc;
use std::time::Duration;

use clap::Subcommand;

use super::Exit;
use super::args::StoreArgs;
use super::stats::find_run;
use crate::app;
use crate::review::{Queue, Reviews};
use crate::store::Store;

/// How long a claim on the command line lasts: long enough to write one event.
const LEASE: Duration = Duration::from_secs(60);

/// What `redraft review` can do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List what waits for people, and what they decided
    List(list::Options),
    /// Decide about a record
    Decide(decide::Options),
    /// Write every review as JSON lines
    Export(move_reviews::ExportOptions),
    /// Add reviews from JSON lines, as `export` writes them
    Import(move_reviews::ImportOptions),
}

impl Command {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        match self {
            Self::List(options) => options.run().await,
            Self::Decide(options) => options.run().await,
            Self::Export(options) => options.run().await,
            Self::Import(options) => options.run().await,
        }
    }
}

/// A run's queue and the reviews so far, from a store that may be read or also be written.
async fn queue(
    store: StoreArgs,
    run: Option<&str>,
    writes: bool,
) -> anyhow::Result<(Arc<dyn Store>, String, Queue, Reviews)> {
    let path = store.path()?;
    let store = {
        let reading = app::open_store_to_read(&path)?;
        if writes {
            drop(reading);
            app::open_store(&path)?
        } else {
            reading
        }
    };
    let run = find_run(store.as_ref(), run).await?;
    let reviews = Reviews::read(store.as_ref()).await?;
    let queue = Queue::new(Arc::clone(&store), &run, LEASE);
    Ok((store, run, queue, reviews))
}
