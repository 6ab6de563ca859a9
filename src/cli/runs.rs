//! `redraft runs`: the runs in the store.

use clap::Args;
use serde_json::json;

use super::Exit;
use super::args::StoreArgs;
use super::terminal::{Paint, safe, thousands};
use crate::app;
use crate::store::RunState;

/// Options of `redraft runs`.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreArgs,
}

impl Options {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let store = app::open_store_to_read(&self.store.path()?)?;
        let runs = store.runs().await?;
        if self.json {
            for row in &runs {
                let line = json!({
                    "run": row.run.name,
                    "dataset": row.run.dataset,
                    "state": row.state,
                    "sealed": row.sealed,
                    "started": row.run.started,
                    "updated": row.updated,
                    "decided_by": row.run.decided_by,
                });
                outln!("{line}");
            }
            return Ok(Exit::Done);
        }
        if runs.is_empty() {
            eprintln!("There are no runs in {} yet.", safe(&store.location()));
            return Ok(Exit::Done);
        }
        let paint = Paint::STDOUT;
        let width = runs
            .iter()
            .map(|row| row.run.name.chars().count())
            .max()
            .unwrap_or(0)
            .max(3);
        outln!(
            "{}",
            paint.dim(format!(
                "{:<width$}  {:<9}{:>12}  last worked on",
                "run", "state", "sealed"
            ))
        );
        for row in &runs {
            let state = match row.state {
                RunState::Running => paint.notable(format!("{:<9}", "running")),
                RunState::Stopped => paint.notable(format!("{:<9}", "stopped")),
                RunState::Finished => paint.good(format!("{:<9}", "finished")),
            };
            outln!(
                "{:<width$}  {state}{:>12}  {}",
                safe(&row.run.name),
                thousands(row.sealed),
                row.updated
            );
        }
        Ok(Exit::Done)
    }
}
