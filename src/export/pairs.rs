//! Pairs of texts, the better one and the worse one.

use super::LeftOut;
use super::texts::{Texts, Version, final_text, prompt, texts};
use crate::constitution::Severity;
use crate::transcript::{Finding, Transcript, Verdict};

/// Two texts that answer the same prompt.
#[derive(Debug)]
pub(super) struct Pair<'p, 't> {
    pub(super) chosen: &'p Version<'t>,
    pub(super) rejected: &'p Version<'t>,
    /// By how much the rejected text violates more; absent where no principle was assessed in both.
    pub(super) margin: Option<f64>,
}

/// Makes rows of the pairs of a transcript: draft and final answer, or what was revised and each
/// revision that was kept.
pub(super) fn pairs<Row>(
    transcript: &Transcript,
    which: Texts,
    mut row: impl FnMut(&Pair<'_, '_>) -> Result<Row, LeftOut>,
) -> Result<Vec<Row>, LeftOut> {
    prompt(transcript)?;
    final_text(transcript)?;
    let texts = texts(transcript);
    let mut rows = Vec::new();
    let mut reason = LeftOut::NoChange;
    for (rejected, chosen) in candidates(transcript, &texts, which) {
        match judge(rejected, chosen).and_then(|pair| row(&pair)) {
            Ok(row) => rows.push(row),
            Err(why) => reason = why,
        }
    }
    if rows.is_empty() {
        return Err(reason);
    }
    Ok(rows)
}

fn candidates<'p, 't>(
    transcript: &Transcript,
    texts: &'p [Version<'t>],
    which: Texts,
) -> Vec<(&'p Version<'t>, &'p Version<'t>)> {
    match which {
        Texts::Final => {
            let round = transcript
                .final_answer
                .as_ref()
                .map_or(0, |last| last.round);
            let last = texts.iter().rfind(|text| text.round <= round);
            texts.first().zip(last).into_iter().collect()
        }
        Texts::Revisions => {
            let steps = texts.windows(2).filter(|pair| pair[1].kept);
            steps.map(|pair| (&pair[0], &pair[1])).collect()
        }
    }
}

fn judge<'p, 't>(
    rejected: &'p Version<'t>,
    chosen: &'p Version<'t>,
) -> Result<Pair<'p, 't>, LeftOut> {
    if chosen.text == rejected.text {
        return Err(LeftOut::NoChange);
    }
    if chosen.text.is_empty() || rejected.text.is_empty() {
        return Err(LeftOut::NoAnswer);
    }
    let margin = margin(rejected, chosen);
    if margin.is_some_and(|margin| margin <= 0.0) {
        return Err(LeftOut::NotBetter);
    }
    Ok(Pair {
        chosen,
        rejected,
        margin,
    })
}

/// By how many severity points the first text violates more than the second, over the principles
/// that were assessed in both.
fn margin(worse: &Version<'_>, better: &Version<'_>) -> Option<f64> {
    let assessed = |finding: &Finding| finding.verdict != Verdict::Error;
    let mut both = worse
        .findings
        .iter()
        .filter_map(|(id, found)| Some((*found, *better.findings.get(id)?)))
        .filter(|(one, other)| assessed(one) && assessed(other))
        .map(|(one, other)| points(one) - points(other))
        .peekable();
    both.peek()?;
    Some(both.sum())
}

fn points(finding: &Finding) -> f64 {
    match finding.verdict {
        Verdict::Violates => finding.severity.unwrap_or(Severity::Medium).points(),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::test_transcripts::{chat_run, clean, equal, mended, worse};

    fn margins(transcript: &Transcript, which: Texts) -> Result<Vec<Option<f64>>, LeftOut> {
        pairs(transcript, which, |pair| Ok(pair.margin))
    }

    #[test]
    fn a_mended_answer_beats_its_draft_by_what_it_no_longer_violates() {
        assert_eq!(margins(&mended(), Texts::Final), Ok(vec![Some(4.0)]));
    }

    #[test]
    fn where_nothing_was_assessed_there_is_a_pair_without_a_margin() {
        assert_eq!(margins(&chat_run(), Texts::Final), Ok(vec![None]));
        assert_eq!(margins(&chat_run(), Texts::Revisions), Ok(vec![None, None]));
    }

    #[test]
    fn equal_texts_and_equal_verdicts_are_no_pair() {
        assert_eq!(margins(&clean(), Texts::Final), Err(LeftOut::NoChange));
        assert_eq!(margins(&worse(), Texts::Final), Err(LeftOut::NoChange));
        assert_eq!(margins(&worse(), Texts::Revisions), Err(LeftOut::NoChange));
        assert_eq!(margins(&equal(), Texts::Final), Err(LeftOut::NotBetter));
    }
}
