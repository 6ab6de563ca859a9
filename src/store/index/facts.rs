//! What pages ask of a transcript, without its texts: its facts, and the words that stand for them.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::names::Names;
use crate::transcript::{ConstitutionMark, Outcome, UsageByRole, Verdict};

/// What the index takes in of one transcript.
#[derive(Clone, Debug)]
pub struct Extract {
    /// Its facts.
    pub facts: Facts,
    /// The constitution that judged.
    pub constitution: Option<ConstitutionMark>,
    /// All that can be searched for.
    pub text: String,
    /// How the conversation begins, for a list.
    pub excerpt: String,
}

/// The facts of one transcript. Severities are numbers from 1, low, to 4, critical; 0 is none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// How it ended; absent when the transcript cannot be read.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Whether the final answer differs from the draft.
    #[serde(rename = "c", default)]
    pub changed: bool,
    /// Whether somebody has reviewed the record, as the log says and no transcript does.
    #[serde(rename = "h", default, skip_serializing_if = "std::ops::Not::not")]
    pub reviewed: bool,
    /// How many revisions were written.
    #[serde(rename = "r", default)]
    pub revisions: u32,
    /// The round whose revision is the final answer.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub final_round: Option<u32>,
    /// Characters of draft and final answer.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub lengths: Option<(u64, u64)>,
    /// Of a hundred words of draft and final answer, how many only one of them has.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub distance: Option<u8>,
    /// Whether draft and final answer look like refusals.
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<(bool, bool)>,
    /// How often the critic was asked again because a reply could not be used.
    #[serde(rename = "a", default)]
    pub faults: u32,
    /// How many violations there were of each severity, low first.
    #[serde(rename = "v", default)]
    pub violations: [u32; 4],
    /// What each principle said.
    #[serde(skip)]
    pub spoken: Vec<Spoken>,
    /// The record's tags.
    #[serde(skip)]
    pub tags: Vec<String>,
    /// What its calls used.
    #[serde(rename = "u", default, skip_serializing_if = "UsageByRole::is_empty")]
    pub usage: UsageByRole,
}

/// What one principle said in one transcript, over all its rounds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "questions, each answered on its own"
)]
pub struct Spoken {
    /// The principle's id.
    pub principle: String,
    /// Some text keeps it.
    pub complies: bool,
    /// Some text violates it.
    pub violates: bool,
    /// It did not apply to some text.
    pub not_applicable: bool,
    /// Some text could not be assessed.
    pub error: bool,
    /// It was violated, and the final answer does not violate it.
    pub mended: bool,
    /// Its last assessment came to nothing.
    pub last_is_error: bool,
    /// The gravest of its violations.
    pub severity: u8,
}

impl Spoken {
    /// The verdicts that it gave.
    pub fn verdicts(&self) -> impl Iterator<Item = Verdict> {
        [
            (self.complies, Verdict::Complies),
            (self.violates, Verdict::Violates),
            (self.not_applicable, Verdict::NotApplicable),
            (self.error, Verdict::Error),
        ]
        .into_iter()
        .filter_map(|(given, verdict)| given.then_some(verdict))
    }

    fn flags(&self) -> u8 {
        [
            self.complies,
            self.violates,
            self.not_applicable,
            self.error,
            self.mended,
            self.last_is_error,
        ]
        .into_iter()
        .enumerate()
        .map(|(bit, is_set)| u8::from(is_set) << bit)
        .sum()
    }

    /// What flags and severity say, of whichever principle.
    pub(super) fn from_kept(flags: u8, severity: u8) -> Self {
        let is_set = |bit: u8| flags & (1 << bit) != 0;
        Self {
            principle: String::new(),
            complies: is_set(0),
            violates: is_set(1),
            not_applicable: is_set(2),
            error: is_set(3),
            mended: is_set(4),
            last_is_error: is_set(5),
            severity,
        }
    }
}

impl Facts {
    /// The gravest violation of any text.
    #[must_use]
    pub fn worst(&self) -> u8 {
        (1..=4)
            .rev()
            .find(|severity| self.violations[usize::from(*severity) - 1] > 0)
            .unwrap_or(0)
    }

    /// The principles that some text violates.
    pub fn violated(&self) -> impl Iterator<Item = &Spoken> {
        self.spoken.iter().filter(|spoken| spoken.violates)
    }
}

/// Facts as the index keeps them: principles and tags by their numbers.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    #[serde(flatten)]
    facts: Facts,
    #[serde(rename = "p", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) spoken: Vec<(i64, u8, u8)>,
    #[serde(rename = "t", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tags: Vec<i64>,
}

impl Kept {
    pub(super) fn of(facts: &Facts, names: &mut Names<'_>) -> rusqlite::Result<Self> {
        let mut kept = Self {
            facts: Facts {
                spoken: Vec::new(),
                tags: Vec::new(),
                ..facts.clone()
            },
            spoken: Vec::new(),
            tags: Vec::new(),
        };
        for spoken in &facts.spoken {
            let id = names.id("principle", &spoken.principle)?;
            kept.spoken.push((id, spoken.flags(), spoken.severity));
        }
        for tag in &facts.tags {
            kept.tags.push(names.id("tag", tag)?);
        }
        kept.tags.sort_unstable();
        kept.tags.dedup();
        Ok(kept)
    }

    /// The facts, names filled in.
    pub(super) fn open(self, name: impl Fn(i64) -> String) -> Facts {
        let spoken = self
            .spoken
            .into_iter()
            .map(|(id, flags, severity)| Spoken {
                principle: name(id),
                ..Spoken::from_kept(flags, severity)
            })
            .collect();
        Facts {
            spoken,
            tags: self.tags.into_iter().map(&name).collect(),
            ..self.facts
        }
    }

    /// The words that stand for these facts.
    pub(super) fn facets(&self, run: i64, group: i64) -> String {
        let facts = &self.facts;
        let mut words = format!(
            "all r{run} g{group} c{} h{}",
            u8::from(facts.changed),
            u8::from(facts.reviewed)
        );
        let mut add = |word: std::fmt::Arguments<'_>| {
            // Writing to a string does not fail.
            let _ = write!(words, " {word}");
        };
        if let Some(outcome) = facts.outcome {
            add(format_args!("o{outcome}"));
        }
        add(format_args!("w{}", facts.worst()));
        add(format_args!("n{}", facts.revisions.min(MOST_REVISIONS)));
        add(format_args!("d{}", distance_bucket(facts)));
        for tag in &self.tags {
            add(format_args!("t{tag}"));
        }
        let (mut verdicts, mut severities) = (0, 0_u8);
        for (id, flags, severity) in &self.spoken {
            add(format_args!("p{id}"));
            let spoken = Spoken::from_kept(*flags, *severity);
            for verdict in spoken.verdicts() {
                add(format_args!("p{id}v{}", verdict_letter(verdict)));
            }
            if *severity > 0 {
                add(format_args!("p{id}s{severity}"));
            }
            verdicts |= flags & 0b1111;
            severities |= 1 << severity;
        }
        for verdict in Spoken::from_kept(verdicts, 0).verdicts() {
            add(format_args!("v{}", verdict_letter(verdict)));
        }
        for severity in (1..=4).filter(|severity| severities & (1 << severity) != 0) {
            add(format_args!("s{severity}"));
        }
        words
    }

    /// The same facts of a record that somebody has reviewed.
    pub(super) fn mark_reviewed(&mut self) {
        self.facts.reviewed = true;
    }

    pub(super) fn facts(&self) -> &Facts {
        &self.facts
    }
}

/// More revisions than this count as this many when rows are sorted.
pub(super) const MOST_REVISIONS: u32 = 9;
/// How many steps there are from an answer that stayed to one that has no word in common.
pub(super) const DISTANCES: u8 = 20;

/// The step of five hundredths that a distance is in; anything above none is at least the first.
pub(super) fn distance_bucket(facts: &Facts) -> u8 {
    facts
        .distance
        .map_or(0, |distance| distance.min(100).div_ceil(100 / DISTANCES))
}

pub(super) fn verdict_letter(verdict: Verdict) -> char {
    match verdict {
        Verdict::Complies => 'c',
        Verdict::Violates => 'v',
        Verdict::NotApplicable => 'n',
        Verdict::Error => 'e',
    }
}
