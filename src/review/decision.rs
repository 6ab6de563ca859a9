//! One person's review of a transcript, as an event of the store's log.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::digest::Digest;
use crate::record::RecordId;
use crate::store::EventEntry;
use crate::transcript::Transcript;

/// The kind of the events that are reviews.
const EVENT: &str = "review";

/// What a person decided about an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "decision")]
pub enum Decision {
    /// The final answer is good.
    Approve,
    /// An earlier text is the better one: the revision of this round, or the draft, round 0.
    Choose {
        /// The round.
        round: u32,
    },
    /// The answer is this text.
    Edit {
        /// The new answer.
        text: String,
    },
    /// No text of the transcript is good.
    Reject,
}

/// Which text a person judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JudgedText {
    /// The draft.
    Draft,
    /// The final answer.
    Final,
}

/// What a person says of a text and a principle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonVerdict {
    /// Which text.
    pub text: JudgedText,
    /// The principle's id.
    pub principle: String,
    /// Whether the text violates it.
    pub violates: bool,
}

/// One person's review of a transcript.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// The run.
    pub run: String,
    /// The record.
    pub record: RecordId,
    /// The digest of the transcript that was looked at.
    pub transcript: Digest,
    /// Who decided.
    pub author: String,
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// What was decided.
    #[serde(flatten)]
    pub decision: Decision,
    /// What was said of single principles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verdicts: Vec<PersonVerdict>,
    /// Whether those were given before the critic's findings were seen.
    #[serde(default)]
    pub blind: bool,
    /// A note.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Whether it settles what other reviewers disagree on.
    #[serde(default)]
    pub adjudicates: bool,
}

/// A review does not fit its transcript.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReviewError {
    /// It is about other bytes.
    #[error("the review of {0} is about another transcript of it than the one that is sealed")]
    OtherTranscript(RecordId),
    /// There is no such text.
    #[error("the transcript of {record} has no text of round {round} to choose")]
    NoSuchText {
        /// The record.
        record: RecordId,
        /// The round.
        round: u32,
    },
    /// There is no answer to approve.
    #[error("the transcript of {0} has no final answer to approve; edit it, or reject it")]
    NothingToApprove(RecordId),
    /// It says nothing.
    #[error("a review needs an author")]
    NoAuthor,
    /// The new answer is empty.
    #[error("an edit needs a text; to have no answer, reject")]
    EmptyEdit,
    /// Two verdicts are about the same.
    #[error("the review of {record} says two things of the principle {principle:?} in one text")]
    TwiceSaid {
        /// The record.
        record: RecordId,
        /// The principle.
        principle: String,
    },
    /// A principle of the verdicts did not apply.
    #[error("no round of the transcript of {record} asked about the principle {principle:?}")]
    UnknownPrinciple {
        /// The record.
        record: RecordId,
        /// The principle.
        principle: String,
    },
}

impl Review {
    /// Whether it can be a review of this transcript, which has this digest.
    ///
    /// # Errors
    ///
    /// When it names texts or principles that the transcript does not have.
    pub fn check(&self, transcript: &Transcript, digest: Digest) -> Result<(), ReviewError> {
        let record = || self.record.clone();
        if self.transcript != digest {
            return Err(ReviewError::OtherTranscript(record()));
        }
        if self.author.trim().is_empty() {
            return Err(ReviewError::NoAuthor);
        }
        match &self.decision {
            Decision::Approve if transcript.final_answer.is_none() => {
                return Err(ReviewError::NothingToApprove(record()));
            }
            Decision::Choose { round } if text_of(transcript, *round).is_none() => {
                return Err(ReviewError::NoSuchText {
                    record: record(),
                    round: *round,
                });
            }
            Decision::Edit { text } if text.is_empty() => return Err(ReviewError::EmptyEdit),
            _ => {}
        }
        let mut said = BTreeSet::new();
        let mut verdicts = self.verdicts.iter();
        if let Some(verdict) = verdicts.find(|one| !said.insert((one.text, &one.principle))) {
            return Err(ReviewError::TwiceSaid {
                record: record(),
                principle: verdict.principle.clone(),
            });
        }
        let asked = |id: &String| {
            transcript
                .rounds
                .iter()
                .any(|round| round.principles.contains(id))
        };
        match self
            .verdicts
            .iter()
            .find(|verdict| !asked(&verdict.principle))
        {
            Some(verdict) => Err(ReviewError::UnknownPrinciple {
                record: record(),
                principle: verdict.principle.clone(),
            }),
            None => Ok(()),
        }
    }

    /// The event that says it.
    #[must_use]
    pub fn to_event(&self) -> EventEntry {
        let mut more = json!(self);
        if let Value::Object(more) = &mut more {
            more.remove("run");
            more.remove("at");
        }
        EventEntry::new(EVENT, &self.at, Some(&self.run), more)
    }

    /// The review that an event says, if it says one.
    #[must_use]
    pub fn of_event(event: &EventEntry) -> Option<Self> {
        if event.event != EVENT {
            return None;
        }
        let mut fields = event.more.clone();
        fields.insert("run".to_owned(), json!(event.run));
        fields.insert("at".to_owned(), json!(event.at));
        serde_json::from_value(Value::Object(fields)).ok()
    }
}

/// The text of a round, 0 being the draft.
pub(super) fn text_of(transcript: &Transcript, round: u32) -> Option<&str> {
    if round == 0 {
        return transcript.draft.as_ref().map(|draft| draft.text.as_str());
    }
    let mut rounds = transcript.rounds.iter();
    let round = rounds.find(|one| one.n == round)?;
    Some(&round.revision.as_ref()?.text)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::export::test_transcripts::mended;

    pub(in crate::review) fn review(author: &str, decision: Decision) -> Review {
        Review {
            run: "r".to_owned(),
            record: mended().record.id,
            transcript: Digest::of(b"x"),
            author: author.to_owned(),
            at: "2026-11-24T10:00:00.000Z".to_owned(),
            decision,
            verdicts: Vec::new(),
            blind: false,
            note: String::new(),
            adjudicates: false,
        }
    }

    #[test]
    fn an_event_says_the_review_and_nothing_else_does() {
        let mut one = review(
            "ann",
            Decision::Edit {
                text: "new\ntext".to_owned(),
            },
        );
        one.verdicts = vec![PersonVerdict {
            text: JudgedText::Draft,
            principle: "be-kind".to_owned(),
            violates: true,
        }];
        one.note = "hm".to_owned();
        let event = one.to_event();
        assert_eq!(event.run.as_deref(), Some("r"));
        let read: EventEntry = serde_json::from_str(&event.to_json()).expect("an event");
        assert_eq!(Review::of_event(&read), Some(one));
        let other = EventEntry::new("ended", "now", None, json!({}));
        assert_eq!(Review::of_event(&other), None);
    }

    #[test]
    fn a_review_must_fit_its_transcript() {
        let transcript = mended();
        let digest = Digest::of(b"x");
        let check = |review: &Review| review.check(&transcript, digest).err();
        assert_eq!(check(&review("ann", Decision::Approve)), None);
        assert_eq!(check(&review("ann", Decision::Choose { round: 0 })), None);
        let later = review("ann", Decision::Choose { round: 9 });
        assert!(matches!(
            check(&later),
            Some(ReviewError::NoSuchText { round: 9, .. })
        ));
        assert_eq!(
            check(&review(" ", Decision::Reject)),
            Some(ReviewError::NoAuthor)
        );
        let empty = review(
            "ann",
            Decision::Edit {
                text: String::new(),
            },
        );
        assert_eq!(check(&empty), Some(ReviewError::EmptyEdit));
        let mut other = review("ann", Decision::Approve);
        other.transcript = Digest::of(b"y");
        assert!(matches!(
            check(&other),
            Some(ReviewError::OtherTranscript(_))
        ));
        let mut twice = review("ann", Decision::Approve);
        let verdict = |violates| PersonVerdict {
            text: JudgedText::Draft,
            principle: "be-kind".to_owned(),
            violates,
        };
        twice.verdicts = vec![verdict(true), verdict(false)];
        assert!(matches!(check(&twice), Some(ReviewError::TwiceSaid { .. })));
        let mut unknown = review("ann", Decision::Approve);
        unknown.verdicts = vec![PersonVerdict {
            text: JudgedText::Final,
            principle: "nobody".to_owned(),
            violates: false,
        }];
        assert!(matches!(
            check(&unknown),
            Some(ReviewError::UnknownPrinciple { .. })
        ));
    }
}
