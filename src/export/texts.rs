//! The texts of a transcript, with what was found in each.

use std::collections::BTreeMap;

use super::LeftOut;
use crate::message::Message;
use crate::transcript::{Finding, Round, Transcript, Verdict};

/// Which texts of a transcript are exported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Texts {
    /// The final answer; in pairs, beside the draft.
    #[default]
    Final,
    /// Every revision that was kept; in pairs, beside the text that it revised.
    Revisions,
}

/// The draft, or one revision.
#[derive(Debug)]
pub(super) struct Version<'t> {
    /// The round that made it; 0 for the draft.
    pub(super) round: u32,
    pub(super) text: &'t str,
    /// Whether it took the place of the text before it; the draft did.
    pub(super) kept: bool,
    /// What the rounds that judged it found, the last word of each principle.
    pub(super) findings: BTreeMap<&'t str, &'t Finding>,
}

impl Version<'_> {
    /// Whether some principle was found violated.
    pub(super) fn is_violating(&self) -> bool {
        let mut findings = self.findings.values();
        findings.any(|finding| finding.verdict == Verdict::Violates)
    }
}

/// Draft and revisions in their order. A revision that gave back what it was given is no new text.
pub(super) fn texts(transcript: &Transcript) -> Vec<Version<'_>> {
    let Some(draft) = &transcript.draft else {
        return Vec::new();
    };
    let mut texts = vec![Version {
        round: 0,
        text: &draft.text,
        kept: true,
        findings: BTreeMap::new(),
    }];
    for round in &transcript.rounds {
        let current = texts.last_mut().expect("the draft is there");
        let found = round.findings.iter();
        current
            .findings
            .extend(found.map(|finding| (finding.principle.as_str(), finding)));
        if let Some(revision) = &round.revision
            && revision.text != current.text
        {
            texts.push(Version {
                round: round.n,
                text: &revision.text,
                kept: round.kept,
                findings: BTreeMap::new(),
            });
        }
    }
    texts
}

/// A round that revised, and the text that it was given.
pub(super) struct Step<'t> {
    pub(super) round: &'t Round,
    pub(super) before: &'t str,
    pub(super) revision: &'t str,
}

/// The rounds that revised, with the text each was given.
pub(super) fn steps(transcript: &Transcript) -> Vec<Step<'_>> {
    let mut before = transcript.draft.as_ref().map_or("", |draft| &draft.text);
    let mut steps = Vec::new();
    for round in &transcript.rounds {
        if let Some(revision) = &round.revision {
            steps.push(Step {
                round,
                before,
                revision: &revision.text,
            });
            before = &revision.text;
        }
    }
    steps
}

/// The answers to train on.
pub(super) fn answers(transcript: &Transcript, which: Texts) -> Result<Vec<&str>, LeftOut> {
    prompt(transcript)?;
    let last = final_text(transcript)?;
    match which {
        Texts::Final => Ok(vec![last]),
        Texts::Revisions => {
            let revisions = texts(transcript).into_iter().skip(1);
            let kept = revisions.filter(|text| text.kept && !text.text.is_empty());
            let kept: Vec<&str> = kept.map(|text| text.text).collect();
            if kept.is_empty() {
                return Err(LeftOut::NoChange);
            }
            Ok(kept)
        }
    }
}

/// The final answer, if there is one with something in it.
pub(super) fn final_text(transcript: &Transcript) -> Result<&str, LeftOut> {
    let last = transcript.final_answer.as_ref();
    last.map(|last| last.text.as_str())
        .filter(|text| !text.is_empty())
        .ok_or(LeftOut::NoAnswer)
}

/// What was said before the answer, if anything was.
pub(super) fn prompt(transcript: &Transcript) -> Result<&[Message], LeftOut> {
    let messages = transcript.record.conversation.messages();
    if messages.is_empty() {
        return Err(LeftOut::NoPrompt);
    }
    Ok(messages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::test_transcripts::{chat_run, clean, mended, worse};

    fn shown<'t>(texts: &[Version<'t>]) -> Vec<(u32, &'t str, bool, bool)> {
        texts
            .iter()
            .map(|text| (text.round, text.text, text.kept, text.is_violating()))
            .collect()
    }

    #[test]
    fn each_text_has_the_findings_of_the_round_that_judged_it() {
        let transcript = mended();
        let expected = [(0, "Bad.", true, true), (1, "Good.", true, false)];
        assert_eq!(shown(&texts(&transcript)), expected);
        let transcript = worse();
        let expected = [(0, "Bad.", true, true), (1, "Worse.", false, true)];
        assert_eq!(shown(&texts(&transcript)), expected);
    }

    #[test]
    fn every_kept_revision_is_an_answer_and_a_text_that_came_back_is_none() {
        let transcript = chat_run();
        let revisions = answers(&transcript, Texts::Revisions).unwrap();
        assert_eq!(revisions, ["One.", "Two."]);
        assert_eq!(answers(&transcript, Texts::Final).unwrap(), ["Two."]);
        let none = answers(&clean(), Texts::Revisions).map(|rows| rows.len());
        assert_eq!(none, Err(LeftOut::NoChange));
        let none = answers(&worse(), Texts::Revisions).map(|rows| rows.len());
        assert_eq!(none, Err(LeftOut::NoChange));
    }
}
