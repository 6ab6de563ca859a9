//! `redraft ask PROMPT`: answer one prompt, and show how the answer came about.

use std::io::Read as _;
use std::sync::Arc;

use clap::Args;

use super::Exit;
use super::args::{PipelineArgs, StoreArgs, pipeline};
use super::error::UsageError;
use super::story::Story;
use super::terminal::{Paint, indent, safe};
use crate::app::{self, Connections};
use crate::digest::Digest;
use crate::message::{Conversation, Message};
use crate::pipeline::{Pipeline, PipelineEvent};
use crate::record::{Record, RecordId};
use crate::store::{NewRun, RunState, SealedRow, Store};
use crate::telemetry;
use crate::transcript::{Outcome, Sealed, Transcript};

/// The run that asked prompts belong to.
const RUN: &str = "ask";

/// Options of `redraft ask`.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The prompt, or `-` for standard input
    #[arg(value_name = "PROMPT")]
    prompt: String,
    /// Judge and revise this answer instead of drafting one
    #[arg(long, value_name = "TEXT")]
    answer: Option<String>,
    /// Instructions that come before the prompt
    #[arg(long, value_name = "TEXT")]
    system: Option<String>,
    /// The record's tags, which choose principles
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Print the transcript as JSON to standard output
    #[arg(long)]
    json: bool,
    /// Print the final answer alone
    #[arg(short, long, conflicts_with = "json")]
    quiet: bool,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    pipeline: PipelineArgs,
}

impl Options {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let settings = self.pipeline.clone().settings(self.store.store.clone())?;
        // Who asks one thing waits for it.
        let settings = settings.batched(false);
        let store = app::open_store(&settings.store)?;
        let connections = Connections {
            store: Some(Arc::clone(&store)),
            ..Connections::default()
        };
        let mut pipeline = pipeline(&settings, &connections)?;
        pipeline.name_run(RUN);
        let record = self.record()?;
        if record.answer().is_none() && !pipeline.can_draft() {
            let message =
                "there is no model to draft an answer; add --model NAME, or give --answer TEXT";
            return Err(UsageError(message.to_owned()).into());
        }
        let started = telemetry::now();
        let transcript = if self.json || self.quiet {
            pipeline.revise(&record).await?
        } else {
            tell(&pipeline, &record).await?
        };
        let sealed = keep(store.as_ref(), &pipeline, &record, transcript, started).await?;
        let transcript = sealed.open()?;
        if self.json {
            outln!("{}", serde_json::to_string_pretty(&transcript)?);
        }
        if self.quiet
            && let Some(last) = &transcript.final_answer
        {
            outln!("{}", safe(&last.text));
        }
        if !self.quiet {
            let id = &sealed.record;
            let kept = format!("kept as record {id}: redraft show {id}");
            eprintln!("\n{}", Paint::STDERR.dim(kept));
        }
        Ok(match transcript.outcome {
            Outcome::Failed => Exit::Failed,
            _ => Exit::Done,
        })
    }

    fn record(&self) -> anyhow::Result<Record> {
        let prompt = if self.prompt == "-" {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text)?;
            text
        } else {
            self.prompt.clone()
        };
        let mut messages: Vec<Message> = self.system.iter().map(Message::system).collect();
        messages.push(Message::user(prompt));
        let record = Record::new(Conversation::from(messages)).with_tags(self.tag.clone());
        Ok(match &self.answer {
            Some(answer) => record.with_answer(answer),
            None => record,
        })
    }
}

/// Tells the story as it happens.
async fn tell(pipeline: &Pipeline, record: &Record) -> anyhow::Result<Transcript> {
    let story = Story::new(Paint::STDOUT);
    let tell = |event: &PipelineEvent<'_>| match event {
        PipelineEvent::Drafted(draft) => out!("{}", story.draft(draft)),
        PipelineEvent::Critiqued {
            round,
            findings,
            critique,
        } => {
            out!("{}", story.critique(*round, findings, *critique));
        }
        PipelineEvent::Revised {
            round,
            before,
            revision,
        } => {
            out!("{}", story.revision(*round, before, revision));
        }
        PipelineEvent::Failed(_) | PipelineEvent::Took(_) => {}
        PipelineEvent::Ended(transcript) => out!("{}", story.outcome(transcript)),
    };
    let transcript = pipeline.revise_observed(record, &tell).await?;
    if let Some(last) = transcript
        .final_answer
        .as_ref()
        .filter(|_| transcript.changed())
    {
        let title = Paint::STDOUT.bold("Final answer");
        outln!("\n{title}\n{}", indent(&safe(&last.text), "  "));
    }
    Ok(transcript)
}

/// Seals the transcript in the run of asked prompts. The same prompt under other settings, or with
/// another ending, is another record there, so that each stays.
async fn keep(
    store: &dyn Store,
    pipeline: &Pipeline,
    record: &Record,
    mut transcript: Transcript,
    started: String,
) -> anyhow::Result<Sealed> {
    let _lock = store.lock_run(RUN).await?;
    store.open_run(run_of_prompts(&started)).await?;
    if let Some(times) = &mut transcript.times {
        times.started = started;
    }
    let decided = Digest::of_json(pipeline.provenance()).short();
    let base = format!("{}-{decided}", record.content_digest().short());
    let mut id = base.clone();
    for number in 2.. {
        transcript.record.id = RecordId::new(&id);
        let sealed = transcript.clone().seal(record.content_digest());
        match store.transcript(RUN, &sealed.record).await? {
            None => {
                let row = SealedRow {
                    line: 1,
                    sealed: sealed.clone(),
                };
                store.seal(RUN, row).await?;
            }
            Some(known) if known.row.sealed.digest == sealed.digest => {}
            Some(_) => {
                id = format!("{base}-{number}");
                continue;
            }
        }
        store
            .set_run_state(RUN, RunState::Finished, &telemetry::now())
            .await?;
        store.flush().await?;
        return Ok(sealed);
    }
    unreachable!("numbers do not end before a free one is found")
}

fn run_of_prompts(started: &str) -> NewRun {
    NewRun {
        name: RUN.to_owned(),
        dataset: "prompts of redraft ask".to_owned(),
        decided_by: serde_json::Value::Null,
        scope: None,
        started: started.to_owned(),
    }
}
