//! What the index of a store takes in of a transcript.

use super::{Change, looks_like_refusal, word_diff};
use crate::constitution::Severity;
use crate::store::StoredTranscript;
use crate::store::index::{Extract, Facts, Spoken};
use crate::transcript::{Outcome, Transcript, Verdict};

/// How much of the conversation a list shows, in characters.
const EXCERPT: usize = 160;
/// Longer texts are not compared word by word.
const COMPARED_BYTES: usize = 64 * 1024;

/// What the index takes in. A payload that is no transcript, because it was erased or is of a newer
/// format, leaves no word to search for, and no outcome.
#[must_use]
pub fn extract(stored: &StoredTranscript) -> Extract {
    match stored.row.sealed.open() {
        Ok(transcript) => Extract {
            facts: facts(&transcript),
            text: words(&transcript),
            excerpt: excerpt(&transcript),
            constitution: transcript.provenance.constitution.clone(),
        },
        Err(_) => Extract {
            facts: Facts::default(),
            text: String::new(),
            excerpt: String::new(),
            constitution: None,
        },
    }
}

fn facts(transcript: &Transcript) -> Facts {
    let draft = transcript.draft.as_ref();
    let last = transcript.final_answer.as_ref();
    let ends = draft
        .map(|draft| draft.text.as_str())
        .zip(last.map(|last| last.text.as_str()));
    let was_marked = draft
        .and_then(|draft| draft.note.as_deref())
        .is_some_and(|note| note.contains("refused"));
    let mut violations = [0; 4];
    for finding in transcript.rounds.iter().flat_map(|round| &round.findings) {
        if finding.verdict == Verdict::Violates {
            violations[usize::from(rank(finding.severity)).max(1) - 1] += 1;
        }
    }
    Facts {
        outcome: Some(transcript.outcome),
        changed: transcript.changed(),
        // What people do with it stands in the log.
        reviewed: false,
        revisions: count(
            transcript
                .rounds
                .iter()
                .filter(|round| round.revision.is_some())
                .count(),
        ),
        final_round: last.map(|last| last.round),
        lengths: ends.map(|(draft, last)| (characters(draft), characters(last))),
        distance: ends.and_then(|(draft, last)| distance(draft, last)),
        refused: ends.map(|(draft, last)| {
            let stayed = was_marked && draft == last;
            (
                was_marked || looks_like_refusal(draft),
                stayed || looks_like_refusal(last),
            )
        }),
        faults: count(
            transcript
                .rounds
                .iter()
                .map(|round| round.faults.len())
                .sum(),
        ),
        violations,
        spoken: spoken(transcript),
        tags: transcript.record.tags.clone(),
        usage: transcript.usage.clone(),
    }
}

fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn characters(text: &str) -> u64 {
    text.chars().count() as u64
}

/// A violation without a severity, as other tools leave it, counts as medium.
fn rank(severity: Option<Severity>) -> u8 {
    match severity {
        Some(Severity::Low) => 1,
        None | Some(Severity::Medium) => 2,
        Some(Severity::High) => 3,
        Some(Severity::Critical) => 4,
    }
}

/// Of a hundred words of both texts, how many only one of them has; at least one when they differ.
fn distance(draft: &str, last: &str) -> Option<u8> {
    if draft == last {
        return Some(0);
    }
    if draft.len().max(last.len()) > COMPARED_BYTES {
        return None;
    }
    let (mut all, mut differing) = (0, 0);
    for part in word_diff(draft, last) {
        let words = part.text.split_whitespace().count();
        if part.change == Change::Same {
            all += 2 * words;
        } else {
            all += words;
            differing += words;
        }
    }
    let hundredths = (100 * differing)
        .checked_div(all)
        .unwrap_or(0)
        .clamp(1, 100);
    u8::try_from(hundredths).ok()
}

/// What each principle said, in the order in which they first did.
fn spoken(transcript: &Transcript) -> Vec<Spoken> {
    let last_revision = transcript
        .final_answer
        .as_ref()
        .map_or(0, |last| last.round);
    let settled = matches!(transcript.outcome, Outcome::Compliant | Outcome::Revised);
    let mut all: Vec<Spoken> = Vec::new();
    for round in &transcript.rounds {
        for finding in &round.findings {
            let place = all
                .iter()
                .position(|known| known.principle == finding.principle)
                .unwrap_or_else(|| {
                    all.push(Spoken {
                        principle: finding.principle.clone(),
                        ..Spoken::default()
                    });
                    all.len() - 1
                });
            let spoken = &mut all[place];
            match finding.verdict {
                Verdict::Complies => spoken.complies = true,
                Verdict::Violates => spoken.violates = true,
                Verdict::NotApplicable => spoken.not_applicable = true,
                Verdict::Error => spoken.error = true,
            }
            spoken.last_is_error = finding.verdict == Verdict::Error;
            if finding.verdict == Verdict::Violates {
                spoken.severity = spoken.severity.max(rank(finding.severity));
            }
            let is_clean = matches!(finding.verdict, Verdict::Complies | Verdict::NotApplicable);
            // A round judges the revision of the round before it, or the draft.
            if round.n == last_revision + 1 {
                spoken.mended = is_clean;
            }
        }
    }
    for spoken in &mut all {
        spoken.mended = spoken.violates && (spoken.mended || settled);
    }
    all
}

/// All that a person may look for: the record's name, what was said, every text, and why.
fn words(transcript: &Transcript) -> String {
    let mut parts: Vec<&str> = vec![transcript.record.id.as_str()];
    let messages = transcript.record.conversation.messages();
    parts.extend(messages.iter().map(|message| message.content.as_str()));
    parts.extend(transcript.draft.as_ref().map(|draft| draft.text.as_str()));
    for round in &transcript.rounds {
        parts.extend(round.critique.as_deref());
        for finding in &round.findings {
            parts.push(&finding.explanation);
        }
        parts.extend(
            round
                .revision
                .as_ref()
                .map(|revision| revision.text.as_str()),
        );
    }
    parts.dedup();
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

/// How the last message before the answer begins.
fn excerpt(transcript: &Transcript) -> String {
    let messages = transcript.record.conversation.messages();
    let Some(last) = messages.last() else {
        return String::new();
    };
    let mut short = String::new();
    for word in last.content.split_whitespace() {
        if !short.is_empty() {
            short.push(' ');
        }
        short.push_str(word);
        if short.len() > 4 * EXCERPT {
            break;
        }
    }
    match short.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", &short[..end]),
        None => short,
    }
}
