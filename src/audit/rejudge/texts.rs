//! The texts of a transcript in their order, each with what the critic inside the loop found in it.

use serde::Serialize;

use crate::transcript::{Assessor, Finding, Transcript, Verdict};

/// Which texts of a transcript are assessed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Which {
    /// The draft and every revision, so that rounds can be compared.
    #[default]
    All,
    /// The draft and the final answer.
    Ends,
}

/// Where in its transcript a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase", tag = "text", content = "round")]
pub enum TextPlace {
    /// It is the draft.
    Draft,
    /// It is the revision of this round.
    Revision(u32),
}

/// One text of a transcript.
#[derive(Clone, Debug)]
pub(super) struct Text<'t> {
    pub(super) place: TextPlace,
    pub(super) said: &'t str,
    /// Whether it is the answer that the record ends with.
    pub(super) is_final: bool,
    /// What the critic inside the loop found; empty where it was not asked.
    pub(super) found: Vec<&'t Finding>,
}

/// The texts of a transcript, the draft first. A round's findings are about the text that it began
/// with; a text that several rounds began with has the findings of all of them.
pub(super) fn texts(transcript: &Transcript) -> Vec<Text<'_>> {
    let Some(draft) = &transcript.draft else {
        return Vec::new();
    };
    let begin = |place, said| Text {
        place,
        said,
        is_final: false,
        found: Vec::new(),
    };
    let mut texts: Vec<Text<'_>> = vec![begin(TextPlace::Draft, &draft.text)];
    for round in &transcript.rounds {
        if let Some(text) = texts.last_mut() {
            let by_model = |finding: &&Finding| finding.by == Assessor::Model;
            text.found.extend(round.findings.iter().filter(by_model));
        }
        if let Some(revision) = &round.revision {
            texts.push(begin(TextPlace::Revision(round.n), &revision.text));
        }
    }
    if let Some(last) = &transcript.final_answer {
        let place = texts.iter().rposition(|text| text.said == last.text);
        if let Some(text) = place.map(|place| &mut texts[place]) {
            text.is_final = true;
        }
    }
    texts
}

impl Text<'_> {
    /// Whether it is one of those to assess.
    pub(super) fn is_among(&self, which: Which) -> bool {
        which == Which::All || self.is_final || self.place == TextPlace::Draft
    }
}

/// Whether a finding says that something is violated; nothing where it says neither.
pub(super) fn violates(finding: &Finding) -> Option<bool> {
    match finding.verdict {
        Verdict::Violates => Some(true),
        Verdict::Complies | Verdict::NotApplicable => Some(false),
        Verdict::Error => None,
    }
}

/// What the last of these findings about a principle is.
pub(super) fn about<'f>(
    findings: impl IntoIterator<Item = &'f Finding>,
    principle: &str,
) -> Option<&'f Finding> {
    let about = |finding: &&Finding| finding.principle == principle;
    findings.into_iter().filter(about).last()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::test_transcripts::{chat_run, mended};

    #[test]
    fn each_text_has_the_findings_that_are_about_it() {
        let transcript = mended();
        let texts = texts(&transcript);
        assert_eq!(texts.len(), 2);
        assert_eq!(texts[0].place, TextPlace::Draft);
        assert_eq!(texts[1].place, TextPlace::Revision(1));
        let verdict = |text: &Text<'_>| {
            let found = about(text.found.iter().copied(), "be-kind");
            found.and_then(violates)
        };
        assert_eq!(verdict(&texts[0]), Some(true));
        assert_eq!(verdict(&texts[1]), Some(false));
        assert!(texts[1].is_final && !texts[0].is_final);
    }

    #[test]
    fn the_ends_are_the_draft_and_the_final_answer() {
        let transcript = chat_run();
        let all = texts(&transcript);
        assert!(all.len() > 2, "{all:?}");
        let ends: Vec<bool> = all.iter().map(|text| text.is_among(Which::Ends)).collect();
        assert_eq!(ends.iter().filter(|is_end| **is_end).count(), 2);
        assert!(all.iter().all(|text| text.found.is_empty()));
    }
}
