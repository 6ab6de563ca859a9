//! Every text of an answer through the pipeline: one record, and one transcript, for each.

use std::sync::Arc;
use std::time::Instant;

use futures::future::join_all;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use tracing::Instrument as _;

use super::arguments::is_json;
use super::errand::Errand;
use super::failure::in_one_line;
use super::keeper::Unsealed;
use super::part::{Part, PartKind};
use super::requested::Requested;
use super::surface::Surface;
use super::{Panel, Served};
use crate::pipeline::Pipeline;
use crate::record::{Record, RecordId};
use crate::telemetry;
use crate::transcript::{
    Delivered, Delivery, Draft, DraftSource, FORMAT, Final, Outcome, Provenance, RecordEntry,
    Times, Transcript, Verdict,
};

/// A text with what was found in it.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) part: Part,
    pub(super) unsealed: Unsealed,
    pub(super) standing: Standing,
}

/// Whether a text may leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It keeps the constitution.
    Clean,
    /// It violates these principles still.
    Violates(Vec<String>),
    /// It was JSON, and what became of it is not.
    BrokenJson,
    /// Critic or reviser failed: for this reason.
    Unassessed(String),
}

/// What is the same for every text of an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case<'a> {
    pub(super) served: &'a Served,
    pub(super) surface: Surface,
    pub(super) requested: &'a Requested,
    pub(super) errand: &'a Errand,
}

/// Judges every text, all at once.
pub(super) async fn judge(case: Case<'_>, panel: &Panel, parts: Vec<Part>) -> Vec<Judged> {
    let names = names(&case.errand.id, &parts);
    let judging = parts.into_iter().zip(names);
    join_all(judging.map(|(part, name)| judge_one(case, panel, part, name)))
        .instrument(case.errand.span.clone())
        .await
}

async fn judge_one(case: Case<'_>, panel: &Panel, part: Part, name: String) -> Judged {
    let (started, clock) = (telemetry::now(), Instant::now());
    let record = case.record(&part, name);
    let pipeline = match part.kind {
        PartKind::Arguments => &panel.data,
        _ => &panel.texts,
    };
    let mut transcript = match pipeline.revise(&record).await {
        Ok(transcript) => transcript,
        Err(error) => stopped(pipeline, case.served, &record, in_one_line(&error)),
    };
    let must_be_json = part.kind == PartKind::Arguments || case.requested.wants_json;
    let standing = match standing(&transcript) {
        Standing::Clean if must_be_json && breaks_json(&part, &transcript) => Standing::BrokenJson,
        standing => standing,
    };
    transcript.times = Some(Times {
        started,
        elapsed_ms: u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX),
        journalled: transcript.times.take().unwrap_or_default().journalled,
    });
    Judged {
        unsealed: Unsealed {
            content: record.content_digest(),
            transcript,
        },
        part,
        standing,
    }
}

fn breaks_json(part: &Part, transcript: &Transcript) -> bool {
    let last = transcript
        .final_answer
        .as_ref()
        .map_or("", |last| &last.text);
    last != part.text && is_json(&part.text) && !is_json(last)
}

/// What the transcript says of its final text.
fn standing(transcript: &Transcript) -> Standing {
    if transcript.outcome == Outcome::Compliant {
        return Standing::Clean;
    }
    let round = transcript
        .final_answer
        .as_ref()
        .map_or(0, |last| last.round);
    let findings = transcript
        .rounds
        .iter()
        .find(|judged| judged.n == round + 1)
        .map_or(&[][..], |judged| &judged.findings);
    let violated: Vec<String> = findings
        .iter()
        .filter(|finding| finding.verdict == Verdict::Violates)
        .map(|finding| finding.principle.clone())
        .collect();
    if transcript.outcome == Outcome::Failed || violated.is_empty() {
        return Standing::Unassessed(transcript.why.clone());
    }
    Standing::Violates(violated)
}

/// The names of the parts' records: the request's, with choice and kind where there are several.
fn names(id: &str, parts: &[Part]) -> Vec<String> {
    if parts.len() == 1 {
        return vec![id.to_owned()];
    }
    let mut names: Vec<String> = Vec::with_capacity(parts.len());
    for part in parts {
        let name = format!("{id}-{}-{}", part.choice, part.kind.as_str());
        let number = (2..).map(|number| format!("{name}-{number}"));
        let free = std::iter::once(name.clone())
            .chain(number)
            .find(|name| !names.contains(name));
        names.push(free.unwrap_or(name));
    }
    names
}

/// What a transcript's record says of the request that it comes from.
#[derive(Serialize)]
struct Extra<'a> {
    endpoint: &'static str,
    request: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    choice: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<&'static str>,
}

impl Case<'_> {
    fn record(&self, part: &Part, name: String) -> Record {
        let tags = [&self.served.tags[..], &self.requested.own.tags].concat();
        let tags = tags
            .into_iter()
            .chain([format!("part:{}", part.kind.as_str())]);
        let record = Record::build(
            Some(RecordId::new(name)),
            self.requested.conversation.clone(),
            Some(part.text.clone()),
            tags.collect(),
        );
        self.with_extra(record, Some(part))
    }

    fn with_extra(&self, record: Record, part: Option<&Part>) -> Record {
        let extra = Extra {
            endpoint: self.surface.path(),
            request: &self.errand.request_id,
            traceparent: self.errand.traceparent.as_deref(),
            choice: part.map(|part| part.choice),
            part: part.map(|part| part.kind.as_str()),
        };
        let raw: Option<Box<RawValue>> = to_raw_value(&extra).ok();
        match raw {
            Some(raw) => record.with_extra(raw),
            None => record,
        }
    }

    /// The transcript of a request that got no answer.
    pub(super) fn unanswered(&self, why: &str) -> Unsealed {
        let id = Some(RecordId::new(&self.errand.id));
        let conversation = self.requested.conversation.clone();
        let record = Record::build(id, conversation, None, self.served.tags.clone());
        let record = self.with_extra(record, None);
        let transcript = self.unjudged(&record, Outcome::Failed, why.to_owned());
        Unsealed {
            content: record.content_digest(),
            transcript,
        }
    }

    /// The transcripts of texts that left without being judged.
    pub(super) fn unassessed(&self, parts: &[Part], why: &str) -> Vec<Unsealed> {
        self.unjudged_texts(parts, Outcome::Revised, why)
    }

    /// The transcripts of texts that did not leave, because something failed while they were held.
    pub(super) fn withheld(&self, parts: &[Part], why: &str) -> Vec<Unsealed> {
        let mut withheld = self.unjudged_texts(parts, Outcome::Failed, why);
        for one in &mut withheld {
            one.transcript.delivered = Some(Delivered {
                how: Delivery::Withheld,
                text: String::new(),
                why: None,
            });
        }
        withheld
    }

    fn unjudged_texts(&self, parts: &[Part], outcome: Outcome, why: &str) -> Vec<Unsealed> {
        let names = names(&self.errand.id, parts);
        let texts = parts.iter().zip(names).map(|(part, name)| {
            let record = self.record(part, name);
            Unsealed {
                content: record.content_digest(),
                transcript: self.unjudged(&record, outcome, why.to_owned()),
            }
        });
        texts.collect()
    }

    fn unjudged(&self, record: &Record, outcome: Outcome, why: String) -> Transcript {
        let provenance = Provenance {
            constitution: None,
            prompts: None,
            recipe: serde_json::Value::Null,
            models: None,
            seed: None,
            redraft: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let elapsed = self.errand.began.elapsed().as_millis();
        let times = Times {
            started: self.errand.started.clone(),
            elapsed_ms: u64::try_from(elapsed).unwrap_or(u64::MAX),
            ..Times::default()
        };
        Transcript {
            times: Some(times),
            ..bare(self.served, record, Arc::new(provenance), outcome, why)
        }
    }
}

/// The transcript of a record at which the pipeline itself stopped.
fn stopped(pipeline: &Pipeline, served: &Served, record: &Record, why: String) -> Transcript {
    let provenance = Arc::new(pipeline.provenance().clone());
    bare(served, record, provenance, Outcome::Failed, why)
}

fn bare(
    served: &Served,
    record: &Record,
    provenance: Arc<Provenance>,
    outcome: Outcome,
    why: String,
) -> Transcript {
    let answer = record.answer().map(str::to_owned);
    Transcript {
        format: FORMAT.to_owned(),
        run: served.run(),
        imported: None,
        record: RecordEntry::of(record),
        provenance,
        draft: answer.clone().map(|text| Draft {
            text,
            source: DraftSource::Given,
            call: None,
            note: None,
        }),
        rounds: Vec::new(),
        final_answer: answer.map(|text| Final { text, round: 0 }),
        delivered: None,
        outcome,
        why,
        held: None,
        usage: std::collections::BTreeMap::default(),
        times: None,
    }
}
