//! A row becomes a transcript, and what the transcript cannot say is kept beside it.

use std::sync::Arc;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::trace::{Step, Trace};
use super::{Form, ImportError, cai, langchain, slmadison};
use crate::digest::Digest;
use crate::export::{Decided, Item, Requests, Texts};
use crate::message::Conversation;
use crate::record::{Record, RecordId};
use crate::transcript::{
    Draft, DraftSource, FORMAT, Final, Imported, Outcome, Provenance, RecordEntry, Revision,
    RevisionAuthor, Round, Transcript, UsageByRole,
};

/// A row that was read.
#[derive(Clone, Debug)]
pub struct ImportedRow {
    /// The transcript that it is.
    pub transcript: Transcript,
    /// The digest of its record's content.
    pub content: Digest,
}

/// Reads one row of JSON, in the form that is given or else recognised.
///
/// # Errors
///
/// When it is not JSON, has none of the forms, or lacks what its form has.
pub fn read(row: &Value, form: Option<Form>, run: &str) -> Result<ImportedRow, ImportError> {
    let columns = row.as_object().ok_or(ImportError::NotAnObject)?;
    let form = form
        .or_else(|| Form::of(columns))
        .ok_or(ImportError::NoForm)?;
    let trace = match form {
        Form::Slmadison => slmadison::read(columns),
        Form::Cai => cai::read(columns),
        Form::LangChain => langchain::read(columns),
    }?;
    let record = Record::build(
        Some(id(columns)),
        Conversation::from(trace.conversation.clone()),
        Some(trace.draft.clone()),
        Vec::new(),
    );
    let content = record.content_digest();
    let mut transcript = transcript(trace, &record, form, run)?;
    transcript.record.extra = left_over(columns, &transcript, content, form);
    Ok(ImportedRow {
        transcript,
        content,
    })
}

/// The row's own id, or the digest of all that is in it: two traces may begin with the same answer.
fn id(columns: &Map<String, Value>) -> RecordId {
    match columns.get("id") {
        Some(Value::String(id)) if !id.is_empty() => RecordId::new(id.as_str()),
        Some(Value::Number(id)) => RecordId::new(id.to_string()),
        _ => RecordId::new(Digest::of_json(columns).to_string()),
    }
}

fn transcript(
    trace: Trace,
    record: &Record,
    form: Form,
    run: &str,
) -> Result<Transcript, ImportError> {
    let rounds: Vec<Round> = (1..)
        .zip(trace.steps)
        .map(|(n, step)| round(n, step))
        .collect();
    let last = rounds.iter().rev().find_map(|round| {
        let revision = round.revision.as_ref()?;
        Some((revision.text.as_str(), round.n))
    });
    let (text, number) = last.unwrap_or((&trace.draft, 0));
    let last = match &trace.output {
        Some(output) if output != text => find(output, &trace.draft, &rounds)?,
        _ => (text.to_owned(), number),
    };
    Ok(Transcript {
        format: FORMAT.to_owned(),
        run: run.to_owned(),
        imported: Some(Imported {
            from: form.to_string(),
        }),
        record: RecordEntry::of(record),
        provenance: Arc::new(Provenance {
            constitution: None,
            prompts: None,
            recipe: Value::Null,
            models: None,
            seed: None,
            redraft: env!("CARGO_PKG_VERSION").to_owned(),
        }),
        draft: Some(Draft {
            text: trace.draft,
            source: DraftSource::Given,
            call: None,
            note: None,
        }),
        rounds,
        delivered: None,
        final_answer: Some(Final {
            text: last.0,
            round: last.1,
        }),
        held: None,
        outcome: Outcome::Revised,
        why: "another tool revised it; nothing was assessed".to_owned(),
        usage: UsageByRole::new(),
        times: None,
    })
}

/// The text that a trace says is final, and its round.
fn find(output: &str, draft: &str, rounds: &[Round]) -> Result<(String, u32), ImportError> {
    let round = rounds.iter().rev().find(|round| {
        let revision = round.revision.as_ref();
        revision.is_some_and(|revision| revision.text == output)
    });
    match round {
        Some(round) => Ok((output.to_owned(), round.n)),
        None if output == draft => Ok((output.to_owned(), 0)),
        None => Err(ImportError::StrayAnswer),
    }
}

fn round(n: u32, step: Step) -> Round {
    let why = match step.revision {
        Some(_) => "the next text of an imported trace",
        None => "the imported trace has no revision here",
    };
    Round {
        n,
        principles: step.principles,
        findings: Vec::new(),
        critique: step.critique,
        critique_request: step.critique_request,
        revision_request: step.revision_request,
        critique_calls: Vec::new(),
        faults: Vec::new(),
        kept: step.revision.is_some(),
        revision: step.revision.map(|text| Revision {
            text,
            by: RevisionAuthor::Model,
            calls: Vec::new(),
        }),
        why: why.to_owned(),
    }
}

/// The columns that an export of the transcript in the same form would not give as they were.
fn left_over(
    columns: &Map<String, Value>,
    transcript: &Transcript,
    content: Digest,
    form: Form,
) -> Option<Box<RawValue>> {
    let requests = Requests::default();
    let item = Item {
        decided: Decided::Not,
        transcript,
        body: b"",
        content,
        requests: &requests,
    };
    let rows = form.format().make(Texts::Final).rows(&item);
    let made = rows.ok().and_then(|rows| rows.into_iter().next());
    let made: Map<String, Value> = made
        .and_then(|row| serde_json::from_slice(&row).ok())
        .unwrap_or_default();
    let mut kept = columns.clone();
    kept.retain(|name, value| made.get(name) != Some(value));
    (!kept.is_empty()).then(|| {
        let text = serde_json::to_string(&kept).expect("columns are plain data");
        RawValue::from_string(text).expect("it was written as JSON")
    })
}
