//! Several answers to one prompt, of which the best is wanted: the samples of a record in a run.

use serde::{Deserialize, Serialize};

use super::Preference;
use crate::message::{Conversation, Message};
use crate::record::RecordId;
use crate::store::{Store, StoredTranscript};
use crate::transcript::{Outcome, Transcript, Verdict};

use crate::run::RunError;

/// One answer of several, as the transcript that it comes from has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sample {
    /// The transcript's record.
    pub(super) record: RecordId,
    pub(super) outcome: Outcome,
    /// The final answer.
    pub(super) answer: Option<String>,
    /// Whether something could not be assessed.
    pub(super) error: bool,
}

/// All samples of one record, as a row.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SamplesRow {
    pub(super) id: RecordId,
    pub(super) run: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tags: Vec<String>,
    pub(super) prompt: Conversation,
    pub(super) samples: Vec<Sample>,
}

/// The best sample of a record, as it is written.
#[derive(Debug, Serialize)]
pub(super) struct BestRow<'a> {
    id: &'a RecordId,
    run: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    tags: &'a [String],
    outcome: Outcome,
    messages: Vec<&'a Message>,
    record: &'a RecordId,
    redraft: Choice<'a>,
}

/// How the best one came to be it.
#[derive(Debug, Serialize)]
struct Choice<'a> {
    /// How many samples there were.
    samples: usize,
    /// How many of them were compared: those with the best outcome.
    candidates: usize,
    comparisons: &'a [Challenge],
}

/// The best one so far against the next.
#[derive(Debug, Serialize)]
pub(super) struct Challenge {
    pub(super) a: RecordId,
    pub(super) b: RecordId,
    #[serde(flatten)]
    pub(super) preference: Preference,
}

impl SamplesRow {
    /// The row that a record's first sample begins; nothing for a further sample, which belongs to
    /// the row of its first one.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or what it holds is no transcript.
    pub(super) async fn of(
        first: &StoredTranscript,
        store: &dyn Store,
    ) -> Result<Option<Self>, RunError> {
        let run = first.run.as_str();
        let id = &first.row.sealed.record;
        let content = first.row.sealed.content;
        if let Some(base) = base_of(id) {
            let mark = store.seal_mark(run, &base).await?;
            if mark.is_some_and(|mark| mark.content == content) {
                return Ok(None);
            }
        }
        let transcript = open(first)?;
        let mut samples = vec![Sample::of(&transcript)];
        for number in 2_u32.. {
            let further = RecordId::new(format!("{id}#{number}"));
            match store.transcript(run, &further).await? {
                Some(stored) if stored.row.sealed.content == content => {
                    samples.push(Sample::of(&open(&stored)?));
                }
                _ => break,
            }
        }
        Ok(Some(Self {
            id: id.clone(),
            run: run.to_owned(),
            tags: transcript.record.tags,
            prompt: transcript.record.conversation,
            samples,
        }))
    }

    /// The samples to compare: those that are fit, and of these the ones with the best outcome. No
    /// answer that is known to violate something comes before one that complies.
    pub(super) fn candidates(&self) -> Vec<&Sample> {
        let fit = || self.samples.iter().filter(|sample| sample.is_fit());
        let best = fit().map(|sample| rank(sample.outcome)).min();
        fit()
            .filter(|sample| Some(rank(sample.outcome)) == best)
            .collect()
    }

    /// The row of the best sample.
    pub(super) fn best<'a>(
        &'a self,
        best: &'a Sample,
        answer: &'a Message,
        comparisons: &'a [Challenge],
    ) -> BestRow<'a> {
        BestRow {
            id: &self.id,
            run: &self.run,
            tags: &self.tags,
            outcome: best.outcome,
            messages: self.prompt.messages().iter().chain([answer]).collect(),
            record: &best.record,
            redraft: Choice {
                samples: self.samples.len(),
                candidates: self.candidates().len(),
                comparisons,
            },
        }
    }
}

impl Sample {
    fn of(transcript: &Transcript) -> Self {
        let findings = transcript.rounds.iter().flat_map(|round| &round.findings);
        let last = transcript.final_answer.as_ref();
        Self {
            record: transcript.record.id.clone(),
            outcome: transcript.outcome,
            answer: last.map(|last| last.text.clone()),
            error: findings
                .into_iter()
                .any(|finding| finding.verdict == Verdict::Error),
        }
    }

    /// Whether an answer is there that may be trained on.
    fn is_fit(&self) -> bool {
        let has_answer = self.answer.as_ref().is_some_and(|text| !text.is_empty());
        let ended = !matches!(self.outcome, Outcome::Held | Outcome::Failed);
        has_answer && ended && !self.error
    }
}

fn rank(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Compliant => 0,
        Outcome::Revised => 1,
        Outcome::Unresolved => 2,
        Outcome::Held | Outcome::Failed => 3,
    }
}

/// The record that an id such as `a#2` may be a further sample of.
fn base_of(id: &RecordId) -> Option<RecordId> {
    let (base, number) = id.as_str().rsplit_once('#')?;
    let is_further = number.parse::<u32>().is_ok_and(|number| number > 1);
    is_further.then(|| RecordId::new(base))
}

fn open(stored: &StoredTranscript) -> Result<Transcript, RunError> {
    super::source::opened(stored)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(outcome: Outcome, answer: Option<&str>, error: bool) -> Sample {
        Sample {
            record: RecordId::new("r"),
            outcome,
            answer: answer.map(str::to_owned),
            error,
        }
    }

    fn chosen(samples: Vec<Sample>) -> Vec<Sample> {
        let row = SamplesRow {
            id: RecordId::new("r"),
            run: "run".to_owned(),
            tags: Vec::new(),
            prompt: Conversation::from_prompt("q"),
            samples,
        };
        row.candidates().into_iter().cloned().collect()
    }

    #[test]
    fn only_the_best_outcome_is_compared() {
        let clean = sample(Outcome::Compliant, Some("x"), false);
        let dirty = sample(Outcome::Unresolved, Some("y"), false);
        let both = vec![dirty.clone(), clean.clone(), clean.clone()];
        assert_eq!(chosen(both), [clean.clone(), clean]);
        assert_eq!(chosen(vec![dirty.clone()]), [dirty]);
    }

    #[test]
    fn what_is_not_fit_to_train_on_is_no_candidate() {
        let unfit = vec![
            sample(Outcome::Failed, Some("x"), false),
            sample(Outcome::Held, Some("x"), false),
            sample(Outcome::Unresolved, Some("x"), true),
            sample(Outcome::Revised, Some(""), false),
            sample(Outcome::Revised, None, false),
        ];
        assert_eq!(chosen(unfit), []);
    }

    #[test]
    fn further_samples_are_told_by_their_number() {
        let base = |id: &str| base_of(&RecordId::new(id)).map(|base| base.to_string());
        assert_eq!(base("a#2").as_deref(), Some("a"));
        assert_eq!(base("a#b#12").as_deref(), Some("a#b"));
        assert_eq!(base("a#1"), None);
        assert_eq!(base("a#x"), None);
        assert_eq!(base("a"), None);
    }
}
