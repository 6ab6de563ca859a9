//! `run --record` and `run --replay`: the calls of a run in a file of their own.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;

use super::error::UsageError;
use super::terminal::{counted, thousands};
use crate::app;
use crate::audit::recording::{Header, Replaying, load, record};
use crate::dataset::Target;
use crate::model::closed::Closed;
use crate::run::{RunEnd, RunError, RunReport};
use crate::store::{RunState, Store};

/// Where calls are written to, or taken from.
#[derive(Clone, Debug, Args)]
pub(super) struct RecordingArgs {
    /// Write the calls of the run here when it has finished, packed as the ending says
    #[arg(long, value_name = "FILE", conflicts_with = "replay")]
    record: Option<PathBuf>,
    /// Take every reply from this file, and open no connection: a call that it does not have ends the run
    #[arg(long, value_name = "FILE", conflicts_with_all = ["fresh", "batch", "retry_failed"])]
    replay: Option<PathBuf>,
}

impl RecordingArgs {
    /// Looks at the file to be written before any work is done.
    pub(super) fn target(&self) -> anyhow::Result<Option<Target>> {
        let target = self.record.as_deref().map(|path| Target::check(path, None));
        Ok(target.transpose()?.map(Target::of_lines))
    }

    /// Reads the file to be replayed.
    pub(super) async fn open(
        &self,
        store_path: &Path,
        store: &Arc<dyn Store>,
    ) -> anyhow::Result<Option<Replay>> {
        let Some(file) = &self.replay else {
            return Ok(None);
        };
        let spool = Spool::beside(store_path);
        let recorded = app::open_store(&spool.path)?;
        let header = load(file, recorded.as_ref()).await?;
        if let Some(row) = store.run(&header.run).await?
            && row.state == RunState::Finished
        {
            let message = format!(
                "the run {} is finished in {}; give --replay a --store of its own",
                header.run,
                store.location()
            );
            return Err(UsageError(message).into());
        }
        let journal = Replaying::new(recorded as _, Arc::clone(store) as _);
        Ok(Some(Replay {
            file: file.clone(),
            header,
            closed: Arc::new(Closed::uncounted(Arc::new(journal))),
            _spool: spool,
        }))
    }
}

/// A run's only replies.
pub(super) struct Replay {
    file: PathBuf,
    pub(super) header: Header,
    pub(super) closed: Arc<Closed>,
    _spool: Spool,
}

impl Replay {
    /// The name of the run that was recorded.
    pub(super) fn run(&self) -> &str {
        &self.header.run
    }

    /// The failure of a run, told as what the file lacks where it is that.
    fn explain(&self, failure: anyhow::Error) -> anyhow::Error {
        let Some(missed) = self.closed.missed() else {
            return failure;
        };
        failure.context(format!(
            "{} has no reply to a call of the model {} that this run makes (key {}); it was recorded \
             with other settings or other rows, or that record had failed",
            self.file.display(),
            missed.model,
            missed.key
        ))
    }
}

/// How a run ended, its failure told as what the recorded calls lack where it is that.
pub(super) fn told(
    ended: Result<RunReport, RunError>,
    replay: Option<&Replay>,
) -> anyhow::Result<RunReport> {
    ended.map_err(|error| match replay {
        Some(replay) => replay.explain(error.into()),
        None => error.into(),
    })
}

/// Writes the calls of a run that has finished, where that was asked for.
pub(super) async fn write(
    target: Option<&Target>,
    report: &RunReport,
    store: &dyn Store,
    quiet: bool,
) -> anyhow::Result<()> {
    let Some(target) = target else {
        return Ok(());
    };
    let place = target.place();
    let place = place.display();
    if report.end != RunEnd::Finished {
        if !quiet {
            eprintln!("{place} is written when the run has finished.");
        }
        return Ok(());
    }
    let row = store.run(&report.name).await?;
    let row = row.context("the run is gone from the store")?;
    let recorded = record(store, &row, target).await?;
    if !quiet {
        eprintln!("{place}: {}", counted(recorded.calls, "call"));
    }
    if recorded.missing > 0 {
        eprintln!(
            "{} of the run's calls are no longer in the journal; a replay will miss them.",
            thousands(recorded.missing)
        );
    }
    Ok(())
}

/// A place beside the store for what is read from the file, gone when the run ends.
struct Spool {
    path: PathBuf,
}

impl Spool {
    fn beside(store: &Path) -> Self {
        let spool = Self {
            path: with_suffix(store, &format!(".replay-{}", std::process::id())),
        };
        spool.remove();
        spool
    }

    fn remove(&self) {
        for suffix in ["", "-wal", "-shm"] {
            // What is not there need not be removed.
            let _ = fs::remove_file(with_suffix(&self.path, suffix));
        }
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.remove();
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
