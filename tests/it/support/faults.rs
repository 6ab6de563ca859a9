//! Plans that make a server fail now and then: the same requests in the same way, whatever the order
//! in which they come.

use serde_json::json;

use super::roles::{Part, answer, principles};
use super::{Act, Asked, hash};

/// Failures of the transport in about one of four first attempts, and at most three in a row.
pub(crate) struct Seeded(pub(crate) u64);

impl Seeded {
    fn number(&self, asked: &Asked) -> u64 {
        hash(&format!("{} {} {}", self.0, asked.before, asked.body))
    }

    pub(crate) fn act(&self, asked: &Asked) -> Act {
        let number = self.number(asked);
        if asked.before >= 3 || !number.is_multiple_of(4) {
            return Act::Answer;
        }
        match (number >> 8) % 8 {
            0 => Act::Later(429, 5),
            1 => Act::Status(500, r#"{"error":{"message":"out of luck"}}"#.to_owned()),
            2 => Act::Status(503, "overloaded".to_owned()),
            3 => Act::Cut,
            4 => Act::Status(200, r#"{"id":"x","choices":[{"mess"#.to_owned()),
            5 => Act::Status(200, "<html><body>Bad gateway</body></html>".to_owned()),
            6 => Act::Status(200, r#"{"id":"x","choices":[]}"#.to_owned()),
            _ => Act::AnswerAfter(std::time::Duration::from_millis(30)),
        }
    }
}

/// Replies that a critic or reviser should not give, to about one of four first attempts.
pub(crate) struct BreaksContract(pub(crate) u64);

impl BreaksContract {
    pub(crate) fn act(&self, asked: &Asked) -> Act {
        let number = hash(&format!("{} {}", self.0, asked.body));
        let first = !asked
            .message(0)
            .contains("Your last reply could not be used");
        match asked.part {
            Part::Critic if first && number.is_multiple_of(4) => broken(asked, number >> 8),
            Part::Reviser if asked.body["max_tokens"] == 500 && number.is_multiple_of(4) => {
                Act::Say {
                    text: "Answer that never".to_owned(),
                    finish: "length",
                }
            }
            _ => Act::Answer,
        }
    }
}

fn broken(asked: &Asked, number: u64) -> Act {
    let whole = answer(&asked.body, Part::Critic);
    let ids = principles(&asked.body);
    let first = ids.first().expect("a principle");
    match number % 6 {
        0 => Act::say("I would rather talk about { something else."),
        1 => Act::say(&whole[..whole.len() / 2]),
        2 => Act::Say {
            text: whole[..whole.len() / 2].to_owned(),
            finish: "length",
        },
        3 => Act::say(
            json!({ "violations": [], "complies": [first, "no-such-rule"], "not_applicable": [first] })
                .to_string(),
        ),
        4 => Act::say(
            json!({
                "violations": [{
                    "principle": first, "evidence": "words that nobody said",
                    "explanation": "It is.", "severity": "high", "fix": "Do not.",
                }],
                "complies": [], "not_applicable": [],
            })
            .to_string(),
        ),
        _ => Act::say(
            json!({ "violations": [], "complies": [], "not_applicable": ["x"], "note": ids.len() })
                .to_string(),
        ),
    }
}
