//! The texts of one transcript before the critic outside.

use futures::future::try_join_all;

use super::texts::{Text, texts};
use super::{TextPlace, Which};
use crate::constitution::Principle;
use crate::pipeline::{Judgement, Pipeline, PipelineError};
use crate::record::{Record, RecordId};
use crate::transcript::{Finding, Transcript, UsageByRole};

/// A transcript's texts with the findings of both critics.
#[derive(Debug)]
pub(super) struct Assessed {
    pub(super) record: RecordId,
    /// In their order, the draft first.
    pub(super) texts: Vec<AssessedText>,
    pub(super) usage: UsageByRole,
    /// How many of the calls the journal answered.
    pub(super) journalled: u64,
}

/// One text with the findings of both critics.
#[derive(Debug)]
pub(super) struct AssessedText {
    pub(super) place: TextPlace,
    pub(super) is_final: bool,
    pub(super) inside: Vec<Finding>,
    pub(super) outside: Vec<Finding>,
}

/// Has the texts of a transcript assessed by the principles that a critic decides.
///
/// # Errors
///
/// When the critic cannot be used at all; what fails for one text alone is its verdict.
pub(super) async fn assess(
    pipeline: &Pipeline,
    transcript: &Transcript,
    which: Which,
    place: u64,
) -> Result<Assessed, PipelineError> {
    let entry = &transcript.record;
    let id = Some(entry.id.clone());
    let tags = entry.tags.clone();
    let record = Record::build(id, entry.conversation.clone(), None, tags).at_place(place);
    let principles: Vec<&Principle> = pipeline
        .constitution()
        .applicable(record.tags())
        .filter(|principle| !principle.is_settled_by_checks())
        .collect();
    let mut assessed = Assessed {
        record: entry.id.clone(),
        texts: Vec::new(),
        usage: UsageByRole::default(),
        journalled: 0,
    };
    if principles.is_empty() {
        return Ok(assessed);
    }
    let wanted: Vec<Text<'_>> = texts(transcript)
        .into_iter()
        .filter(|text| text.is_among(which))
        .collect();
    let judged = wanted
        .iter()
        .map(|text| pipeline.judge(&record, &principles, text.said));
    let judged = try_join_all(judged).await?;
    for (text, judgement) in wanted.into_iter().zip(judged) {
        assessed.add(text, judgement);
    }
    Ok(assessed)
}

impl Assessed {
    fn add(&mut self, text: Text<'_>, judgement: Judgement) {
        self.journalled += judgement.journalled;
        for (role, usage) in &judgement.usage {
            self.usage.entry(*role).or_default().merge(usage);
        }
        self.texts.push(AssessedText {
            place: text.place,
            is_final: text.is_final,
            inside: text.found.into_iter().cloned().collect(),
            outside: judgement.findings,
        });
    }
}
