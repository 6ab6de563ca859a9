//! `redraft audit replay RUN`: every transcript made again from the journal, and compared.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde_json::json;

use super::run_settings::of_run;
use crate::app::{self, Connections};
use crate::audit::{Booth, Failed, RunReplay, Unlike, replay_run, replay_stored};
use crate::cli::Exit;
use crate::cli::args::{PipelineArgs, StoreArgs, pipeline};
use crate::cli::error::UsageError;
use crate::cli::find::one_record;
use crate::cli::terminal::{Paint, one_line, safe, thousands};
use crate::model::closed::Closed;
use crate::run::changes;
use crate::store::{RunRow, Store};

/// How many transcripts are replayed at once.
const BOOTHS: usize = 2;
/// How many transcripts that came out otherwise are told of.
const TOLD: usize = 20;

/// Options of `redraft audit replay`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    /// The run
    #[arg(value_name = "RUN")]
    run: String,
    /// Only these records, by their ids
    #[arg(value_name = "RECORD")]
    records: Vec<String>,
    /// The constitution that the run had: a file, or a shipped name [default: that of the settings, or
    /// the shipped one of the run's name]
    #[arg(short, long, value_name = "FILE|NAME")]
    constitution: Option<String>,
    /// The settings file, for prices and for how replies are held to a schema [default: redraft.yaml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder of templates that the run had
    #[arg(long, value_name = "FOLDER")]
    prompts: Option<PathBuf>,
    /// Print the result as JSON to standard output
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreArgs,
}

impl Options {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let files = PipelineArgs::of_files(self.config, self.constitution, self.prompts);
        let settings = files.settings(self.store.store)?;
        let store = app::open_store_to_read(&settings.store)?;
        let Some(row) = store.run(&self.run).await? else {
            anyhow::bail!(
                "there is no run {} in {}; `redraft runs` lists them",
                self.run,
                store.location()
            );
        };
        let settings = of_run(settings, &row.run)?;
        let booths = (0..BOOTHS)
            .map(|_| booth(&settings, &row, &store))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let came = if self.records.is_empty() {
            replay_run(store.as_ref(), &self.run, &booths).await?
        } else {
            let mut came = RunReplay::default();
            for record in &self.records {
                let stored = one_record(store.as_ref(), Some(&self.run), record).await?;
                let replayed = replay_stored(&booths[0], &stored).await?;
                came.add(stored.row.sealed.record, replayed);
            }
            came
        };
        if self.json {
            let mut told = serde_json::to_value(&came)?;
            told["run"] = json!(self.run);
            told["holds"] = json!(came.holds());
            outln!("{told}");
        } else {
            tell(&self.run, &came);
        }
        Ok(if came.holds() {
            Exit::Done
        } else {
            Exit::Failed
        })
    }
}

/// A pipeline of the run on a closed network; an error where it is not the run's.
fn booth(
    settings: &crate::config::Settings,
    row: &RunRow,
    store: &Arc<dyn Store>,
) -> anyhow::Result<Arc<Booth>> {
    let closed = Arc::new(Closed::new(Arc::clone(store) as _));
    let connections = Connections {
        scope: row.run.scope.clone(),
        closed: Some(Arc::clone(&closed)),
        ..Connections::default()
    };
    let mut pipeline = pipeline(settings, &connections)?;
    let mut now = serde_json::to_value(pipeline.provenance())?;
    if let Some(now) = now.as_object_mut() {
        now.shift_remove("redraft");
    }
    let changed = changes(&row.run.decided_by, &now);
    if !changed.is_empty() {
        let changed = changed.join(" and ");
        return Err(UsageError(format!(
            "this is not the {changed} of the run {}: give the one that it had (-c, --prompts)",
            row.run.name
        ))
        .into());
    }
    pipeline.name_run(&row.run.name);
    Ok(Arc::new(Booth { pipeline, closed }))
}

fn tell(run: &str, came: &RunReplay) {
    let paint = Paint::STDOUT;
    outln!("{} {}", paint.bold("Run"), safe(run));
    let same = format!(
        "{:>9} came out the same, byte for byte",
        thousands(came.same)
    );
    outln!(
        "{}",
        if came.holds() {
            paint.good(same)
        } else {
            paint.bold(same)
        }
    );
    for (count, what) in [
        (came.different, "came out otherwise"),
        (
            came.missed,
            "would ask something that the journal does not know",
        ),
        (came.damaged, "cannot be read"),
    ] {
        if count > 0 {
            outln!("{}", paint.bad(format!("{:>9} {what}", thousands(count))));
        }
    }
    for (count, what) in [
        (
            came.unanswered,
            "had failed for want of a reply, which is still wanting",
        ),
        (came.erased, "were erased"),
        (came.imported, "are another tool's"),
    ] {
        if count > 0 {
            outln!("{:>9} {what}", thousands(count));
        }
    }
    for failed in came.failed.iter().take(TOLD) {
        outln!("\n{}", told(failed, paint));
    }
    let more = came.failed.len().saturating_sub(TOLD);
    if more > 0 {
        outln!("\nand {} more; --json lists them", thousands(more as u64));
    }
}

fn told(failed: &Failed, paint: Paint) -> String {
    let record = format!("record {}", safe(failed.record.as_str()));
    let record = paint.bold(record);
    match &failed.why {
        Unlike::Damaged(why) => format!("{record}: damaged: {}", one_line(why, 200)),
        Unlike::Missed(missed) => {
            let round = missed.round.map(|round| format!(", round {round}"));
            format!(
                "{record}: no reply to the call of the {}{}, of {}\n  key {}",
                missed.role,
                round.unwrap_or_default(),
                safe(&missed.model),
                missed.key
            )
        }
        Unlike::Different(difference) => {
            let call = difference.call.map(|call| {
                let round = call.round.map(|round| format!(", round {round}"));
                let round = round.unwrap_or_default();
                format!(
                    "\n  first at the call of the {}{round}: key {}",
                    call.role, call.key
                )
            });
            format!(
                "{record}: differs at {}{}\n  stored    {}\n  replayed  {}",
                safe(&difference.part),
                call.unwrap_or_default(),
                one_line(&difference.stored.to_string(), 200),
                one_line(&difference.replayed.to_string(), 200)
            )
        }
    }
}
