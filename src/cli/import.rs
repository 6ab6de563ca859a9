//! `redraft import FILE`: traces that other tools made become the transcripts of a run.

mod rows;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use futures::future::try_join_all;
use serde_json::json;

use self::rows::{Row, Rows};
use super::Exit;
use super::args::StoreArgs;
use super::terminal::{Paint, counted, safe, thousands};
use crate::app;
use crate::dataset::excerpt;
use crate::import::{Form, read};
use crate::run::run_name;
use crate::store::{
    EventEntry, NewRun, RejectedRow, RunState, SealedRow, Store, StoreError, rejected_root,
};
use crate::telemetry;
use crate::transcript::Times;

/// How many transcripts are handed to the store at a time.
const BATCH: usize = 256;

/// Options of `redraft import`.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// JSON lines, or one JSON list, of traces
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The form of the traces [default: recognised, row by row]
    #[arg(long, value_name = "FORM", value_parser = forms())]
    from: Option<Form>,
    /// The run's name [default: the file's, and a digest]
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    /// Say nothing but errors
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    store: StoreArgs,
}

fn forms() -> impl clap::builder::TypedValueParser<Value = Form> {
    PossibleValuesParser::new(Form::ALL.map(Form::as_str)).try_map(|name| name.parse::<Form>())
}

/// What became of the rows.
#[derive(Debug, Default)]
struct Counts {
    imported: u64,
    known: u64,
    rejected: u64,
}

impl Options {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let mut rows = Rows::open(&self.file)?;
        let store = app::open_store(&self.store.clone().path()?)?;
        let decided_by = json!({ "imported": self.from.map_or("recognised", Form::as_str) });
        let dataset = dataset_name(&self.file);
        let run = match &self.run {
            Some(name) => name.clone(),
            None => run_name(&dataset, &decided_by),
        };
        let _lock = store.lock_run(&run).await?;
        let found = store.run(&run).await?;
        let was_finished = found
            .as_ref()
            .is_some_and(|row| row.state == RunState::Finished);
        if let Some(found) = found
            && found.run.decided_by.get("imported").is_none()
        {
            anyhow::bail!("the run {run} is no import; give another --run NAME");
        }
        let new = NewRun {
            name: run.clone(),
            dataset,
            decided_by,
            scope: None,
            started: telemetry::now(),
        };
        store.open_run(new).await?;
        let mut counts = Counts::default();
        loop {
            let batch = rows.take(BATCH)?;
            if batch.is_empty() {
                break;
            }
            let importing = batch
                .into_iter()
                .map(|row| import(&*store, &run, self.from, row));
            for end in try_join_all(importing).await? {
                counts.add(end);
            }
        }
        let now = telemetry::now();
        if counts.imported > 0 || !was_finished {
            log_end(&run, &counts, &now, &*store).await?;
        }
        store.set_run_state(&run, RunState::Finished, &now).await?;
        store.flush().await?;
        if !self.quiet {
            say(&run, &counts, &*store).await?;
        }
        Ok(Exit::Done)
    }
}

/// Says in the log that all rows are in, so that what is missing later is seen.
async fn log_end(run: &str, counts: &Counts, now: &str, store: &dyn Store) -> anyhow::Result<()> {
    let (rejected, root) = rejected_root(store, run).await?;
    let transcripts = store.run(run).await?.map_or(0, |row| row.sealed);
    let more = json!({
        "rows": counts.imported + counts.known + counts.rejected,
        "doubled": counts.known,
        "rejected": { "rows": rejected, "root": root },
        "samples": 1,
        "transcripts": transcripts,
        "limit": null,
    });
    let event = EventEntry::new("ended", now, Some(run), more);
    store.append_event(event).await?;
    Ok(())
}

#[derive(Clone, Copy, Debug)]
enum End {
    Imported,
    Known,
    Rejected,
}

impl Counts {
    fn add(&mut self, end: End) {
        match end {
            End::Imported => self.imported += 1,
            End::Known => self.known += 1,
            End::Rejected => self.rejected += 1,
        }
    }
}

/// Takes one row to its seal, or keeps why it has none.
async fn import(store: &dyn Store, run: &str, form: Option<Form>, row: Row) -> anyhow::Result<End> {
    let Row { line, text } = row;
    let read = serde_json::from_slice(&text)
        .map_err(|error| format!("not JSON: {error}"))
        .and_then(|row| read(&row, form, run).map_err(|error| error.to_string()));
    let mut imported = match read {
        Ok(imported) => imported,
        Err(reason) => return reject(store, run, line, reason, &text).await,
    };
    imported.transcript.times = Some(Times {
        started: telemetry::now(),
        ..Times::default()
    });
    let sealed = imported.transcript.seal(imported.content);
    let (record, digest) = (sealed.record.clone(), sealed.digest);
    match store.seal(run, SealedRow { line, sealed }).await {
        Ok(()) => return Ok(End::Imported),
        Err(StoreError::AlreadySealed { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let known = store.transcript(run, &record).await?;
    match known {
        Some(known) if known.row.sealed.digest != digest => {
            let first = known.row.line;
            let reason = format!(
                "the id {:?} names another trace in line {first}",
                record.as_str()
            );
            reject(store, run, line, reason, &text).await
        }
        _ => Ok(End::Known),
    }
}

async fn reject(
    store: &dyn Store,
    run: &str,
    line: u64,
    reason: String,
    text: &[u8],
) -> anyhow::Result<End> {
    let row = RejectedRow {
        line,
        reason,
        excerpt: excerpt(text),
    };
    store.reject(run, row).await?;
    Ok(End::Rejected)
}

/// The file's name without folder and endings.
fn dataset_name(file: &Path) -> String {
    let name = file.file_stem().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

async fn say(run: &str, counts: &Counts, store: &dyn Store) -> anyhow::Result<()> {
    let paint = Paint::STDERR;
    eprintln!(
        "{} {} into run {}",
        paint.bold("Imported"),
        counted(counts.imported, "transcript"),
        safe(run)
    );
    if counts.known > 0 {
        eprintln!("  {:>12}  there already", thousands(counts.known));
    }
    if counts.rejected > 0 {
        eprintln!("  {:>12}  cannot be used", thousands(counts.rejected));
        let (rows, _) = store.rejected(run, 3).await.context("the rejected rows")?;
        for row in rows {
            eprintln!("    line {}: {}", row.line, safe(&row.reason));
        }
    }
    Ok(())
}
