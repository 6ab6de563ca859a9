//! `redraft report [RUN] -o FILE`: the page of a run as one file of its own.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::Exit;
use super::args::StoreArgs;
use super::stats::find_run;
use super::terminal::safe;
use super::view::IndexArgs;
use crate::app;
use crate::telemetry;
use crate::web::report;

/// Options of `redraft report`.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The run [default: the one that was last worked on]
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// Write it here; `-` is standard output
    #[arg(short, long, value_name = "FILE", default_value = "report.html")]
    output: PathBuf,
    /// Say nothing but errors
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    index: IndexArgs,
    #[command(flatten)]
    store: StoreArgs,
}

impl Options {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let path = self.store.path()?;
        let run = find_run(
            app::open_store_to_read(&path)?.as_ref(),
            self.run.as_deref(),
        )
        .await?;
        let pages = self.index.pages(&path, self.quiet)?;
        pages.caught_up().await?;
        let page = report(&pages, &run, &telemetry::now()).await?;
        if self.output.as_os_str() == "-" {
            out!("{page}");
            return Ok(Exit::Done);
        }
        std::fs::write(&self.output, page)
            .with_context(|| format!("cannot write {}", self.output.display()))?;
        if !self.quiet {
            eprintln!("{}", safe(&self.output.display().to_string()));
        }
        Ok(Exit::Done)
    }
}
