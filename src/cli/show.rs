//! `redraft show RECORD`: the story of a stored transcript.

use clap::Args;

use super::Exit;
use super::args::StoreArgs;
use super::story::Story;
use super::terminal::{Paint, safe};
use crate::app;
use crate::store::StoredTranscript;

/// How many transcripts of one record are looked at.
const MOST: usize = 20;

/// Options of `redraft show`.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The record's id, or its beginning
    #[arg(value_name = "RECORD")]
    record: String,
    /// The run [default: the newest that has the record]
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    /// Print the transcript as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreArgs,
}

impl Options {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let store = app::open_store_to_read(&self.store.path()?)?;
        let found = store
            .find_record(self.run.as_deref(), &self.record, MOST)
            .await?;
        let Some(stored) = found.first() else {
            anyhow::bail!(
                "no transcript of a record {:?} is in {}",
                self.record,
                store.location()
            );
        };
        let transcript = stored.row.sealed.open()?;
        if self.json {
            outln!("{}", serde_json::to_string_pretty(&transcript)?);
            return Ok(Exit::Done);
        }
        let paint = Paint::STDOUT;
        let provenance = &transcript.provenance;
        outln!(
            "{} {}",
            paint.bold("Record"),
            safe(stored.row.sealed.record.as_str())
        );
        outln!(
            "  {} {}, line {}",
            paint.dim("run"),
            safe(&stored.run),
            stored.row.line
        );
        if let Some(imported) = &transcript.imported {
            outln!("  {} {}", paint.dim("imported from"), safe(&imported.from));
        }
        if let Some(constitution) = &provenance.constitution {
            outln!(
                "  {} {} {} ({})",
                paint.dim("constitution"),
                safe(&constitution.name),
                safe(&constitution.version),
                constitution.digest.short()
            );
        }
        outln!("  {} {}", paint.dim("transcript"), stored.row.sealed.digest);
        out!("{}", Story::new(paint).whole(&transcript));
        say_others(stored, &found[1..]);
        Ok(Exit::Done)
    }
}

fn say_others(shown: &StoredTranscript, others: &[StoredTranscript]) {
    let (same, other_runs): (Vec<_>, Vec<_>) =
        others.iter().partition(|other| other.run == shown.run);
    if !same.is_empty() {
        eprintln!(
            "\n{}",
            Paint::STDERR.dim("Also in this run, by their whole ids:")
        );
    }
    for other in same {
        eprintln!("  {}", safe(other.row.sealed.record.as_str()));
    }
    if !other_runs.is_empty() {
        eprintln!("\n{}", Paint::STDERR.dim("Also, with --run NAME:"));
    }
    for other in other_runs {
        eprintln!(
            "  {} in run {}",
            safe(other.row.sealed.record.as_str()),
            safe(&other.run)
        );
    }
}
