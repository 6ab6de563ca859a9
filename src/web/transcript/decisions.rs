//! What people decided about a transcript.

use maud::{Markup, html};

use super::changes;
use crate::review::{Review, Standing, applied};
use crate::transcript::Transcript;
use crate::web::review;
use crate::web::visible;

/// The reviews of one transcript.
#[derive(Clone, Debug)]
pub(super) struct Decisions {
    /// All of them, the oldest first.
    pub(super) reviews: Vec<Review>,
    /// What they come to.
    pub(super) standing: Standing,
    /// Where the record can be reviewed, for somebody who may.
    pub(super) desk: Option<String>,
}

/// What people decided, what the answer is after that, and where to decide; nothing about a record that
/// waits for nobody.
pub(super) fn section(transcript: &Transcript, decisions: &Decisions) -> Markup {
    let Decisions {
        reviews,
        standing,
        desk,
    } = decisions;
    if reviews.is_empty() && transcript.held.is_none() && desk.is_none() {
        return html! {};
    }
    html! {
        section #people {
            h2 { "What people decided" }
            p {
                @if !reviews.is_empty() || transcript.held.is_some() { (review::standing(standing)) " " }
                @if let Some(held) = &transcript.held {
                    "It was left to people: " (review::reasons(held)) "."
                }
                @if reviews.is_empty() { " Nobody has decided yet." }
            }
            @for one in reviews { (review::review(one)) }
            (answer(transcript, standing))
            @if let Some(desk) = desk { p.actions { a.button href=(desk) { "Review it" } } }
        }
    }
}

/// The answer after review, where it is another one.
fn answer(transcript: &Transcript, standing: &Standing) -> Markup {
    let after = applied(transcript.clone(), standing).final_answer;
    let before = transcript.final_answer.as_ref();
    html! {
        @match (before, &after) {
            (Some(before), Some(after)) if before.text != after.text => {
                h3 { "The answer after review" }
                div.text.diff.final dir="auto" { (changes::whole(&before.text, &after.text)) }
            }
            (None, Some(after)) => {
                h3 { "The answer after review" }
                div.text.final dir="auto" { (visible::text(&after.text)) }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::export::test_transcripts::mended;
    use crate::review::Decision;

    fn told(decision: Decision) -> String {
        let review = Review {
            run: "run-1".to_owned(),
            record: mended().record.id,
            transcript: Digest::of(b"x"),
            author: "<ann>".to_owned(),
            at: "2026-11-24T10:00:00.000Z".to_owned(),
            decision: decision.clone(),
            verdicts: Vec::new(),
            blind: false,
            note: "\u{202e}hm".to_owned(),
            adjudicates: true,
        };
        let decisions = Decisions {
            reviews: vec![review],
            standing: Standing::Decided(decision),
            desk: None,
        };
        section(&mended(), &decisions).into_string()
    }

    #[test]
    fn the_answer_after_review_is_shown_where_it_is_another_one() {
        let page = told(Decision::Approve);
        assert!(page.contains("&lt;ann&gt;") && page.contains(">U+202E</span>hm"));
        assert!(page.contains("settles it"), "{page}");
        assert!(!page.contains("after review"), "{page}");
        let page = told(Decision::Edit {
            text: "Good <b>.".to_owned(),
        });
        assert!(page.contains("The answer after review"), "{page}");
        assert!(page.contains("&lt;b&gt;"), "{page}");
        assert!(!told(Decision::Reject).contains("after review"));
    }

    #[test]
    fn nothing_is_said_of_what_waits_for_nobody() {
        let decisions = Decisions {
            reviews: Vec::new(),
            standing: Standing::Waiting { have: 0, need: 1 },
            desk: None,
        };
        assert_eq!(section(&mended(), &decisions).into_string(), "");
    }
}
