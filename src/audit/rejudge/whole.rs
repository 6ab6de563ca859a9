//! A whole run before the critic outside, page by page.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use super::assess::{Assessed, AssessedText, assess};
use super::disagreement::Worst;
use super::texts::{about, violates};
use super::{Disagreement, Gains, Opinions, TextPlace, Which};
use crate::constitution::Constitution;
use crate::digest::Digest;
use crate::pipeline::{Pipeline, PipelineError};
use crate::store::{Page, Store, StoreError, StoredTranscript};
use crate::transcript::{Finding, Transcript, UsageByRole};

/// How many transcripts are read at a time.
const PAGE: usize = 64;

/// How a run is assessed again.
#[derive(Clone, Copy, Debug)]
pub struct RejudgeOptions {
    /// Which texts of each transcript.
    pub which: Which,
    /// The most transcripts, from the first that was sealed; all of them if absent.
    pub limit: Option<u64>,
    /// How many transcripts are assessed at once.
    pub at_once: usize,
    /// How many of the worst disagreements are kept.
    pub worst: usize,
}

/// Why a run cannot be assessed again.
#[derive(Debug, thiserror::Error)]
pub enum RejudgeError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The critic cannot be used at all.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// What the store holds is no transcript.
    #[error("the transcript of {record} in run {run} cannot be read")]
    Unreadable {
        /// The run.
        run: String,
        /// The record.
        record: String,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// Who is told of the disagreements could not take one.
    #[error("a disagreement cannot be written")]
    Told(#[source] std::io::Error),
}

/// What a second critic says of a run.
#[derive(Debug)]
pub struct SecondOpinion {
    /// Transcripts that were assessed.
    pub transcripts: u64,
    /// Transcripts without a text to assess.
    pub without_text: u64,
    /// Texts that were assessed.
    pub texts: u64,
    /// How the critics agree.
    pub opinions: Opinions,
    /// What rounds gained.
    pub gains: Gains,
    /// The worst disagreements.
    pub worst: Vec<Disagreement>,
    /// How many disagreements there are in all.
    pub disagreements: u64,
    /// Principles that the critic inside spoke of and this constitution does not have.
    pub unmatched: BTreeSet<String>,
    /// The constitutions that the transcripts were made under, where they are others.
    pub other_constitutions: BTreeSet<Digest>,
    /// What the calls used, by role.
    pub usage: UsageByRole,
    /// How many of the calls the journal answered.
    pub journalled: u64,
}

/// Has every stored text of a run assessed by the pipeline's critic, under its constitution, and
/// compares that with what the run's own critic found. Nothing stored is changed. Findings that
/// checks made are left out on both sides: they come out the same again.
///
/// `each` is called for each disagreement, in the order of the transcripts, and `progress` after each
/// transcript.
///
/// # Errors
///
/// When the store cannot be read, or the critic cannot be used at all.
pub async fn rejudge(
    store: &Arc<dyn Store>,
    run: &str,
    pipeline: &Pipeline,
    options: RejudgeOptions,
    mut each: impl FnMut(&Disagreement) -> std::io::Result<()>,
    progress: impl Fn(),
) -> Result<SecondOpinion, RejudgeError> {
    let mut whole = Whole::new(pipeline.constitution(), options);
    let limit = usize::try_from(options.limit.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    let mut assessed = std::pin::pin!(
        transcripts(store, run)
            .take(limit)
            .map_ok(|stored| async move {
                let transcript = open(&stored)?;
                let found = assess(pipeline, &transcript, options.which, stored.row.line).await?;
                let mark = &transcript.provenance.constitution;
                Ok((found, mark.as_ref().map(|mark| mark.digest)))
            })
            .try_buffered(options.at_once.max(1))
    );
    while let Some((found, constitution)) = assessed.try_next().await? {
        whole.add(&found, constitution, &mut each)?;
        progress();
    }
    Ok(whole.close())
}

/// The transcripts of a run, as they were sealed.
fn transcripts<'s>(
    store: &'s Arc<dyn Store>,
    run: &'s str,
) -> impl stream::Stream<Item = Result<StoredTranscript, RejudgeError>> + 's {
    let pages = stream::try_unfold(Some(None), move |after: Option<Option<i64>>| async move {
        let Some(after) = after else {
            return Ok(None);
        };
        let Page { items, next } = store.transcripts(run, after, PAGE).await?;
        let items = stream::iter(items.into_iter().map(Ok));
        Ok::<_, RejudgeError>(Some((items, next.map(Some))))
    });
    pages.try_flatten()
}

fn open(stored: &StoredTranscript) -> Result<Transcript, RejudgeError> {
    let opened = stored.row.sealed.open();
    opened.map_err(|source| RejudgeError::Unreadable {
        run: stored.run.clone(),
        record: stored.row.sealed.record.to_string(),
        source,
    })
}

/// What is being added up.
struct Whole<'c> {
    constitution: &'c Constitution,
    which: Which,
    worst: Worst,
    opinion: SecondOpinion,
}

impl<'c> Whole<'c> {
    fn new(constitution: &'c Constitution, options: RejudgeOptions) -> Self {
        Self {
            constitution,
            which: options.which,
            worst: Worst::of(options.worst),
            opinion: SecondOpinion {
                transcripts: 0,
                without_text: 0,
                texts: 0,
                opinions: Opinions::default(),
                gains: Gains::default(),
                worst: Vec::new(),
                disagreements: 0,
                unmatched: BTreeSet::new(),
                other_constitutions: BTreeSet::new(),
                usage: UsageByRole::default(),
                journalled: 0,
            },
        }
    }

    fn close(self) -> SecondOpinion {
        SecondOpinion {
            worst: self.worst.into_list(),
            ..self.opinion
        }
    }

    fn add(
        &mut self,
        assessed: &Assessed,
        constitution: Option<Digest>,
        each: &mut impl FnMut(&Disagreement) -> std::io::Result<()>,
    ) -> Result<(), RejudgeError> {
        let opinion = &mut self.opinion;
        opinion.transcripts += 1;
        opinion.without_text += u64::from(assessed.texts.is_empty());
        opinion.texts += assessed.texts.len() as u64;
        opinion.journalled += assessed.journalled;
        for (role, usage) in &assessed.usage {
            opinion.usage.entry(*role).or_default().merge(usage);
        }
        let other = constitution.filter(|digest| *digest != self.constitution.digest());
        opinion.other_constitutions.extend(other);
        for text in &assessed.texts {
            for disagreement in self.compare(assessed, text) {
                self.opinion.disagreements += 1;
                each(&disagreement).map_err(RejudgeError::Told)?;
                self.worst.add(disagreement);
            }
        }
        if self.which == Which::All {
            for pair in assessed.texts.windows(2) {
                if let TextPlace::Revision(round) = pair[1].place {
                    self.add_gain(Some(round), &pair[0], &pair[1]);
                }
            }
        }
        let last = assessed.texts.iter().find(|text| text.is_final);
        if let (Some(first), Some(last)) = (assessed.texts.first(), last)
            && last.place != TextPlace::Draft
        {
            self.add_gain(None, first, last);
        }
        Ok(())
    }

    /// Sets the findings of one text side by side, and gives those that differ.
    fn compare(&mut self, assessed: &Assessed, text: &AssessedText) -> Vec<Disagreement> {
        let mut differing = Vec::new();
        for inside in &text.inside {
            let id = &inside.principle;
            let Some(outside) = about(&text.outside, id) else {
                self.opinion.unmatched.insert(id.clone());
                continue;
            };
            let opinions = &mut self.opinion.opinions;
            let (Some(one), Some(other)) = (violates(inside), violates(outside)) else {
                opinions.add_unread();
                continue;
            };
            opinions.add(id, one, other);
            if one != other {
                differing.push(Disagreement {
                    record: assessed.record.clone(),
                    place: text.place,
                    is_final: text.is_final,
                    principle: id.clone(),
                    points: points(self.constitution, id),
                    inside: inside.into(),
                    outside: outside.into(),
                });
            }
        }
        differing
    }

    /// Counts what was gained between two texts.
    fn add_gain(&mut self, round: Option<u32>, before: &AssessedText, after: &AssessedText) {
        let ids = || {
            before
                .outside
                .iter()
                .map(|finding| finding.principle.as_str())
        };
        let seen_inside: Vec<(&str, f64)> = ids()
            .filter_map(|id| Some((id, self.change(id, &before.inside, &after.inside)?)))
            .filter(|(id, _)| self.change(id, &before.outside, &after.outside).is_some())
            .collect();
        let outside = |ids: &mut dyn Iterator<Item = &str>| {
            let changes = ids.filter_map(|id| self.change(id, &before.outside, &after.outside));
            changes.reduce(|sum, change| sum + change)
        };
        let inside = (!seen_inside.is_empty())
            .then(|| seen_inside.iter().map(|(_, change)| change).sum::<f64>());
        let outside = match inside {
            Some(_) => outside(&mut seen_inside.iter().map(|(id, _)| *id)),
            None => outside(&mut ids()),
        };
        if let Some(outside) = outside {
            self.opinion.gains.add(round, inside, outside);
        }
    }

    /// The points by which a principle is violated less in the second text, where both texts have a
    /// verdict.
    fn change(&self, id: &str, before: &[Finding], after: &[Finding]) -> Option<f64> {
        let violated = |findings| about(findings, id).and_then(violates);
        let (before, after) = (violated(before)?, violated(after)?);
        let change = f64::from(u8::from(before)) - f64::from(u8::from(after));
        Some(change * points(self.constitution, id))
    }
}

fn points(constitution: &Constitution, id: &str) -> f64 {
    let principle = constitution.principle(id);
    principle.map_or(0.0, |principle| {
        principle.severity.points() * principle.weight
    })
}
