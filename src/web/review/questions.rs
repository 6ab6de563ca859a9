//! What a person is asked about the texts of a record: of each principle, whether it is kept.

use maud::{Markup, html};

use super::words::text_name;
use crate::constitution::Constitution;
use crate::review::JudgedText;
use crate::transcript::Transcript;
use crate::web::visible;

/// The verdicts to choose from: value, words, key.
const VERDICTS: [(&str, &str, &str); 3] = [
    ("", "nothing said", "u"),
    ("keeps", "keeps it", "c"),
    ("violates", "violates it", "v"),
];

/// The principles that a transcript's rounds asked about, and the texts that there are to judge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Questions {
    principles: Vec<Question>,
    texts: Vec<JudgedText>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Question {
    id: String,
    /// What the principle said then, where it is known.
    text: Option<String>,
}

impl Questions {
    /// About these principles, and both texts.
    #[cfg(test)]
    pub(super) fn about(ids: &[String]) -> Self {
        let question = |id: &String| Question {
            id: id.clone(),
            text: None,
        };
        Self {
            principles: ids.iter().map(question).collect(),
            texts: vec![JudgedText::Draft, JudgedText::Final],
        }
    }

    /// About a transcript, whose constitution may be known.
    pub(super) fn of(transcript: &Transcript, constitution: Option<&Constitution>) -> Self {
        let mut principles: Vec<Question> = Vec::new();
        for id in transcript.rounds.iter().flat_map(|round| &round.principles) {
            if principles.iter().any(|known| known.id == *id) {
                continue;
            }
            let known = constitution.and_then(|constitution| constitution.principle(id));
            principles.push(Question {
                id: id.clone(),
                text: known.map(|known| known.text.clone()),
            });
        }
        let texts = texts(transcript).into_iter().map(|(text, _)| text);
        Self {
            principles,
            texts: texts.collect(),
        }
    }

    /// The principle of that number.
    pub(super) fn id(&self, number: usize) -> Option<&str> {
        Some(&self.principles.get(number)?.id)
    }

    /// Whether that text is there to judge.
    pub(super) fn has(&self, text: JudgedText) -> bool {
        self.texts.contains(&text)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.principles.is_empty()
    }

    /// The fields of a form that ask them.
    pub(super) fn fields(&self) -> Markup {
        html! {
            @for (number, question) in self.principles.iter().enumerate() {
                article.question {
                    h3 { (visible::text(&question.id)) }
                    @match &question.text {
                        Some(text) => p.text dir="auto" { (visible::text(text)) },
                        None => p.soft { "What it said then is not known here." },
                    }
                    div.answers {
                        @for text in &self.texts { (self.field(*text, number, &question.id)) }
                    }
                }
            }
        }
    }

    fn field(&self, text: JudgedText, number: usize, id: &str) -> Markup {
        let name = match text {
            JudgedText::Draft => format!("draft-{number}"),
            JudgedText::Final => format!("final-{number}"),
        };
        let words = if self.texts.len() == 1 {
            "answer"
        } else {
            text_name(text)
        };
        html! {
            fieldset data-row aria-label={ (visible::attribute(id)) ", " (words) } {
                legend { "The " (words) }
                @for (value, said, key) in VERDICTS {
                    label {
                        input type="radio" name=(name) value=(value) checked[value.is_empty()] data-key=(key);
                        (said)
                    }
                }
            }
        }
    }
}

/// The texts of a transcript that there are to judge: the draft, and the final answer where it is
/// another one.
pub(super) fn texts(transcript: &Transcript) -> Vec<(JudgedText, &str)> {
    let draft = transcript.draft.as_ref().map(|draft| draft.text.as_str());
    let last = transcript.final_answer.as_ref();
    let last = last.map(|last| last.text.as_str());
    let mut texts = Vec::new();
    texts.extend(draft.map(|text| (JudgedText::Draft, text)));
    texts.extend(
        last.filter(|text| draft != Some(text))
            .map(|text| (JudgedText::Final, text)),
    );
    texts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::test_transcripts::{clean, mended};

    #[test]
    fn each_text_is_judged_once_by_each_principle_that_was_asked_about() {
        let questions = Questions::of(&mended(), None);
        assert_eq!(questions.id(0), Some("be-kind"));
        assert_eq!(questions.id(1), None, "two rounds asked about it");
        assert!(questions.has(JudgedText::Final));
        let page = questions.fields().into_string();
        assert_eq!(page.matches("<fieldset").count(), 2, "{page}");
        assert!(page.contains("name=\"final-0\""), "{page}");
        let one = Questions::of(&clean(), None);
        assert!(!one.has(JudgedText::Final), "it is the draft");
        assert!(one.fields().into_string().contains("The answer"));
    }
}
