//! `redraft explain-miss RECORD`: which part of a request changed when a journalled call is not used.

use std::sync::Arc;

use clap::Args;
use serde_json::{Value, json};

use super::Exit;
use super::args::{PipelineArgs, StoreArgs, pipeline};
use super::error::UsageError;
use super::find::one_record;
use super::terminal::{Paint, counted, indent, one_line, safe, width};
use crate::app::{self, Connections};
use crate::audit::{Compared, Miss, Replay, RequestChange, call_keys, recorded, replay};
use crate::config::Settings;
use crate::model::closed::Closed;
use crate::store::StoredTranscript;
use crate::telemetry;
use crate::transcript::Transcript;

/// Options of `redraft explain-miss`.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The record's id, or its beginning
    #[arg(value_name = "RECORD")]
    record: String,
    /// Compare with the record's transcript in this run [default: the newest]
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    /// Ask as a new run with --fresh would
    #[arg(long)]
    fresh: bool,
    /// Print the result as JSON to standard output
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    pipeline: PipelineArgs,
}

impl Options {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let settings = self.pipeline.clone().settings(self.store.store.clone())?;
        let store = app::open_store_to_read(&settings.store)?;
        let stored = one_record(store.as_ref(), self.run.as_deref(), &self.record).await?;
        let transcript = stored.row.sealed.open()?;
        let run_scope = match store.run(&stored.run).await? {
            Some(row) => row.run.scope,
            None => None,
        };
        let scope = if self.fresh {
            Some(telemetry::now())
        } else {
            run_scope.clone()
        };
        let closed = Closed::new(Arc::clone(&store) as _);
        let found = replayed(&settings, scope.clone(), &transcript, closed).await?;
        let otherwise = if found.missed.is_none() {
            let closed = Closed::only(Arc::clone(&store) as _, call_keys(&transcript));
            let again = replayed(&settings, scope, &transcript, closed).await?;
            again.missed
        } else {
            None
        };
        if self.json {
            let told = json!({
                "record": stored.row.sealed.record,
                "run": stored.run,
                "served": found.served,
                "missed": found.missed,
                "otherwise": otherwise,
            });
            outln!("{told}");
            return Ok(Exit::Done);
        }
        tell(&stored, &found);
        if let Some(otherwise) = &otherwise {
            tell_otherwise(&stored, otherwise);
        }
        if run_scope.is_some() && !self.fresh {
            let hint = format!(
                "The run {} began with --fresh: its calls serve commands with --run {} alone.",
                stored.run, stored.run
            );
            eprintln!("{}", Paint::STDERR.dim(safe(&hint)));
        }
        Ok(Exit::Done)
    }
}

/// Takes the record of a transcript through the pipeline of the settings.
async fn replayed(
    settings: &Settings,
    scope: Option<String>,
    transcript: &Transcript,
    closed: Closed,
) -> anyhow::Result<Replay> {
    let closed = Arc::new(closed);
    let connections = Connections {
        scope,
        closed: Some(Arc::clone(&closed)),
        ..Connections::default()
    };
    let pipeline = pipeline(settings, &connections)?;
    let record = recorded(transcript, closed.as_ref()).await?;
    if record.answer().is_none() && !pipeline.can_draft() {
        let message = "the record has no answer of its own, and there is no model to draft one; \
                       add the --model NAME that the run had";
        return Err(UsageError(message.to_owned()).into());
    }
    Ok(replay(&record, transcript, &pipeline, &closed).await?)
}

/// Says what came of it.
fn tell(stored: &StoredTranscript, found: &Replay) {
    let paint = Paint::STDOUT;
    let record = safe(stored.row.sealed.record.as_str());
    outln!(
        "{} {record}\n  {} {}",
        paint.bold("Record"),
        paint.dim("run"),
        safe(&stored.run)
    );
    let served = counted(found.served as u64, "call");
    let Some(missed) = &found.missed else {
        outln!(
            "\nEvery call of record {record} is in the journal ({served}): the same command would \
             ask nothing."
        );
        return;
    };
    outln!("  {} {served}", paint.dim("from the journal"));
    outln!(
        "\n{} {}",
        paint.bold("The next call would be made:"),
        place(missed)
    );
    outln!("{}", reason(missed));
    for change in &missed.changes {
        outln!("{}", told(paint, change));
    }
}

/// Says which of the calls is not the transcript's, although the journal has its reply.
fn tell_otherwise(stored: &StoredTranscript, otherwise: &Miss) {
    let paint = Paint::STDOUT;
    outln!(
        "\n{} {}",
        paint.bold(format!("Not as in the run {}:", safe(&stored.run))),
        place(otherwise)
    );
    outln!("{}", reason(otherwise));
    for change in &otherwise.changes {
        outln!("{}", told(paint, change));
    }
}

/// Whose call it is, and where.
fn place(missed: &Miss) -> String {
    let round = missed.round.map(|round| format!(", round {round}"));
    let (role, round) = (missed.role, round.unwrap_or_default());
    format!("{role}{round}, of {}", safe(&missed.model))
}

fn reason(missed: &Miss) -> &'static str {
    match missed.compared {
        Compared::New => {
            "The record's transcript has no further call there: with this one, new calls begin."
        }
        Compared::Gone if missed.call == Some(missed.key) => {
            "Its request is the transcript's, but the reply is no longer in the journal."
        }
        Compared::Gone => "The transcript's call there is no longer in the journal.",
        Compared::Stored if missed.changes.is_empty() => {
            "Its request says the same as the transcript's, and is written differently: another \
             version of redraft wrote it."
        }
        Compared::Stored => "Its request is not the transcript's. What changed:\n",
    }
}

/// One change: two short values, or a text with what changed in it.
fn told(paint: Paint, change: &RequestChange) -> String {
    let part = paint.bold(safe(&change.part));
    let (before, after) = (as_text(&change.before), as_text(&change.after));
    if change.is_text {
        let words = indent(&paint.changed_words(&before, &after), "    ");
        return format!("  {part}:\n{words}\n");
    }
    let short = |text: &str| one_line(text, width() / 2);
    format!("  {part}: {} → {}", short(&before), short(&after))
}

fn as_text(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        Value::Object(_) | Value::Array(_) => {
            serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())
        }
        other => other.to_string(),
    }
}
