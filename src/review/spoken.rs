//! What a transcript says of one of its texts and a principle.

use super::JudgedText;
use crate::transcript::{Finding, Transcript};

/// The last finding about a principle, of those that are asked for, on the draft or the final answer.
#[must_use]
pub fn finding_on<'t>(
    transcript: &'t Transcript,
    text: JudgedText,
    principle: &str,
    wanted: impl Fn(&Finding) -> bool,
) -> Option<&'t Finding> {
    let draft = transcript.draft.as_ref()?.text.as_str();
    let judged = match text {
        JudgedText::Draft => draft,
        JudgedText::Final => transcript.final_answer.as_ref()?.text.as_str(),
    };
    let mut text = draft;
    let mut found = None;
    for round in &transcript.rounds {
        if text == judged {
            let about = round
                .findings
                .iter()
                .find(|finding| finding.principle == principle && wanted(finding));
            found = about.or(found);
        }
        if let Some(revision) = &round.revision {
            text = &revision.text;
        }
    }
    found
}
