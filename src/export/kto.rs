//! `kto`: single answers with a label, as TRL reads unpaired preferences.

use serde::Serialize;

use super::row::{Turn, answer, json, turns};
use super::texts::{Texts, Version, final_text, prompt, texts};
use super::{Format, Item, LeftOut};
use crate::transcript::{Outcome, Transcript};

/// Single answers, good or bad.
#[derive(Debug)]
pub(super) struct Kto(pub(super) Texts);

#[derive(Serialize)]
struct Row<'a> {
    prompt: Vec<Turn<'a>>,
    completion: [Turn<'a>; 1],
    label: bool,
}

impl Format for Kto {
    fn rows(&mut self, item: &Item<'_>) -> Result<Vec<Vec<u8>>, LeftOut> {
        let transcript = item.transcript;
        let conversation = prompt(transcript)?;
        final_text(transcript)?;
        let texts = texts(transcript);
        let last = texts.len().saturating_sub(1);
        let wanted = |place: usize| {
            self.0 == Texts::Revisions
                || place == 0
                || place == last
                || is_final(transcript, &texts[place])
        };
        let rows: Vec<Vec<u8>> = texts
            .iter()
            .enumerate()
            .filter(|(place, text)| wanted(*place) && !text.text.is_empty())
            .filter_map(|(_, text)| {
                Some(json(&Row {
                    prompt: turns(conversation),
                    completion: answer(text.text),
                    label: label(transcript, text)?,
                }))
            })
            .collect();
        if rows.is_empty() {
            return Err(LeftOut::NotJudged);
        }
        Ok(rows)
    }
}

fn is_final(transcript: &Transcript, text: &Version<'_>) -> bool {
    let last = transcript.final_answer.as_ref();
    last.is_some_and(|last| last.text == text.text)
}

/// Whether a text is good; absent where nothing says so. A text that violates something is bad, the
/// final text of a compliant record is good. Where a fixed number of rounds revised and nothing
/// assessed the end, the pair decides: the final text is good and the draft is bad.
fn label(transcript: &Transcript, text: &Version<'_>) -> Option<bool> {
    if text.is_violating() {
        return Some(false);
    }
    match transcript.outcome {
        Outcome::Compliant if is_final(transcript, text) => Some(true),
        Outcome::Revised if transcript.changed() && is_final(transcript, text) => Some(true),
        Outcome::Revised if transcript.changed() && text.round == 0 => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::test_transcripts::{chat_run, clean, mended, rows_of, worse};

    fn labels(transcript: &Transcript, texts: Texts) -> Vec<(String, bool)> {
        let rows = rows_of(&mut Kto(texts), transcript).unwrap_or_default();
        let label = |row: &serde_json::Value| {
            let text = row["completion"][0]["content"].as_str().unwrap();
            (text.to_owned(), row["label"].as_bool().unwrap())
        };
        rows.iter().map(label).collect()
    }

    fn pair(text: &str, label: bool) -> (String, bool) {
        (text.to_owned(), label)
    }

    #[test]
    fn verdicts_are_labels() {
        let expected = [pair("Bad.", false), pair("Good.", true)];
        assert_eq!(labels(&mended(), Texts::Final), expected);
        assert_eq!(labels(&clean(), Texts::Final), [pair("Fine.", true)]);
        let expected = [pair("Bad.", false), pair("Worse.", false)];
        assert_eq!(labels(&worse(), Texts::Revisions), expected);
    }

    #[test]
    fn without_verdicts_the_pair_decides_and_the_texts_between_have_no_label() {
        let expected = [pair("Zero.", false), pair("Two.", true)];
        assert_eq!(labels(&chat_run(), Texts::Final), expected);
        assert_eq!(labels(&chat_run(), Texts::Revisions), expected);
    }
}
