//! A transcript as people left it.

use super::decision::text_of;
use super::{Decision, Standing};
use crate::transcript::{Final, Outcome, Transcript};

/// The transcript with what was decided: the answer that people chose or wrote, and the outcome that
/// it has without waiting for them. One that nobody decided, or whose answers were all rejected, stays
/// as it is.
#[must_use]
pub fn applied(mut transcript: Transcript, standing: &Standing) -> Transcript {
    let Standing::Decided(decision) = standing else {
        return transcript;
    };
    let last = match decision {
        Decision::Approve => transcript.final_answer.clone(),
        Decision::Choose { round } => text_of(&transcript, *round).map(|text| Final {
            text: text.to_owned(),
            round: *round,
        }),
        Decision::Edit { text } => Some(Final {
            text: text.clone(),
            round: transcript
                .final_answer
                .as_ref()
                .map_or(0, |last| last.round),
        }),
        Decision::Reject => return transcript,
    };
    if let Some(held) = &transcript.held
        && transcript.outcome == Outcome::Held
    {
        transcript.outcome = held.otherwise;
    }
    transcript.final_answer = last.or(transcript.final_answer);
    transcript
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::test_transcripts::mended;
    use crate::transcript::{Held, HoldReason};

    fn held() -> Transcript {
        let mut transcript = mended();
        transcript.held = Some(Held {
            reasons: vec![HoldReason::Sample],
            otherwise: Outcome::Compliant,
            reviewers: 1,
        });
        transcript.outcome = Outcome::Held;
        transcript
    }

    fn after(decision: Decision) -> (Outcome, String) {
        let transcript = applied(held(), &Standing::Decided(decision));
        let text = transcript.final_answer.map(|last| last.text);
        (transcript.outcome, text.unwrap_or_default())
    }

    #[test]
    fn what_is_approved_leaves_held_with_the_text_that_people_chose() {
        let before = held();
        let last = before
            .final_answer
            .as_ref()
            .expect("an answer")
            .text
            .clone();
        let draft = before.draft.as_ref().expect("a draft").text.clone();
        assert_eq!(after(Decision::Approve), (Outcome::Compliant, last.clone()));
        assert_eq!(
            after(Decision::Choose { round: 0 }),
            (Outcome::Compliant, draft)
        );
        let text = "By hand.".to_owned();
        assert_eq!(
            after(Decision::Edit { text: text.clone() }),
            (Outcome::Compliant, text)
        );
        assert_eq!(after(Decision::Reject), (Outcome::Held, last));
        let waiting = Standing::Waiting { have: 0, need: 1 };
        assert_eq!(applied(held(), &waiting).outcome, Outcome::Held);
    }
}
