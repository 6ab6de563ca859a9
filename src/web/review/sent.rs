//! What the forms about a record send.

use serde::Deserialize;

use super::questions::Questions;
use crate::digest::Digest;
use crate::review::{Decision, JudgedText, PersonVerdict};
use crate::web::Problem;

/// The fields of a form. A verdict is named by its text and the number of its principle, since a
/// principle of another tool's transcript may be called anything.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(in crate::web) struct Sent(Vec<(String, String)>);

impl Sent {
    /// A field; empty where there is none.
    pub(super) fn field(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// A field of many lines. Browsers end each as they please.
    fn lines(&self, name: &str) -> String {
        self.field(name).replace("\r\n", "\n")
    }

    /// The digest of the transcript that was on the page.
    pub(super) fn transcript(&self) -> Result<Digest, Problem> {
        let digest = self.field("transcript").parse();
        digest.map_err(|_| unfit("The form does not say which transcript was looked at."))
    }

    /// The note.
    pub(super) fn note(&self) -> String {
        self.lines("note").trim().to_owned()
    }

    /// What was decided.
    pub(super) fn decision(&self) -> Result<Decision, Problem> {
        match self.field("decision") {
            "approve" => Ok(Decision::Approve),
            "reject" => Ok(Decision::Reject),
            "edit" => Ok(Decision::Edit {
                text: self.edited(),
            }),
            "" => Err(unfit("Nothing was decided: choose one of the decisions.")),
            other => {
                let round = other.strip_prefix("choose-");
                let round = round.and_then(|round| round.parse().ok());
                let round = round.ok_or_else(|| unfit("There is no such decision."))?;
                Ok(Decision::Choose { round })
            }
        }
    }

    /// The text that somebody wrote; one of spaces alone is none.
    fn edited(&self) -> String {
        let text = self.lines("text");
        if text.trim().is_empty() {
            return String::new();
        }
        text
    }

    /// What was said of principles; whoever says nothing of one says nothing.
    pub(super) fn verdicts(&self, questions: &Questions) -> Result<Vec<PersonVerdict>, Problem> {
        let mut verdicts = Vec::new();
        for (name, value) in self.0.iter().filter(|(_, value)| !value.is_empty()) {
            let Some((text, number)) = verdict_of(name) else {
                continue;
            };
            if !questions.has(text) {
                return Err(unfit("The transcript has no such text to judge."));
            }
            let asked = number.parse().ok().and_then(|number| questions.id(number));
            let principle = asked.ok_or_else(|| {
                unfit(&format!(
                    "No round asked about a principle number {number}."
                ))
            })?;
            let is_same =
                |known: &PersonVerdict| known.text == text && known.principle == principle;
            if verdicts.iter().any(is_same) {
                return Err(unfit("A form says one thing of a principle and a text."));
            }
            let violates = match value.as_str() {
                "violates" => true,
                "keeps" => false,
                _ => return Err(unfit("A verdict is one of: keeps, violates.")),
            };
            verdicts.push(PersonVerdict {
                text,
                principle: principle.to_owned(),
                violates,
            });
        }
        Ok(verdicts)
    }
}

fn verdict_of(name: &str) -> Option<(JudgedText, &str)> {
    let (text, number) = name.split_once('-')?;
    match text {
        "draft" => Some((JudgedText::Draft, number)),
        "final" => Some((JudgedText::Final, number)),
        _ => None,
    }
}

fn unfit(why: &str) -> Problem {
    Problem::Unfit(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(form: &str) -> Sent {
        serde_urlencoded::from_str(form).expect("a form")
    }

    #[test]
    fn a_decision_is_one_of_those_that_there_are() {
        let decided = |form: &str| sent(form).decision().ok();
        assert_eq!(decided("decision=approve&text=x"), Some(Decision::Approve));
        assert_eq!(
            decided("decision=choose-0"),
            Some(Decision::Choose { round: 0 })
        );
        let edited = |text: &str| Decision::Edit {
            text: text.to_owned(),
        };
        assert_eq!(
            decided("decision=edit&text=a%0D%0Ab%0D%0A"),
            Some(edited("a\nb\n"))
        );
        assert_eq!(decided("decision=edit&text=+%0D%0A"), Some(edited("")));
        for odd in ["", "decision=", "decision=choose-x", "decision=delete"] {
            assert_eq!(decided(odd), None, "{odd}");
        }
    }

    #[test]
    fn verdicts_are_about_principles_that_were_asked_about() {
        let questions = Questions::about(&["be-kind".to_owned(), "be-brief".to_owned()]);
        let verdicts = |form: &str| sent(form).verdicts(&questions);
        let given = verdicts("draft-1=violates&final-0=keeps&draft-0=&note=x").expect("verdicts");
        let told: Vec<_> = given
            .iter()
            .map(|one| (one.text, one.principle.as_str(), one.violates))
            .collect();
        assert_eq!(
            told,
            [
                (JudgedText::Draft, "be-brief", true),
                (JudgedText::Final, "be-kind", false)
            ]
        );
        for odd in ["draft-2=keeps", "final-x=keeps", "draft-0=maybe"] {
            assert!(matches!(verdicts(odd), Err(Problem::Unfit(_))), "{odd}");
        }
    }
}
