//! Chats that show a critique: question, answer, critique request, critique, revision request,
//! revision.

use serde_json::Value;

use super::haul::{Entry, Haul};
use crate::constitution::{Example, ExampleVerdict};

/// A chat taken apart: what it asks of an answer, and the example that it is.
#[derive(Debug)]
pub(super) struct ShownCritique {
    pub(super) critique_request: String,
    pub(super) revision_request: String,
    pub(super) example: Example,
    /// How many turns stand before the question.
    pub(super) earlier: usize,
}

/// Takes a chat of texts apart, which turns of both sides alternate in, the person's first. The last
/// four are requests and their replies.
pub(super) fn take_apart(turns: &[String]) -> Result<ShownCritique, String> {
    let count = turns.len();
    if count < 6 || !count.is_multiple_of(2) {
        return Err(format!(
            "it has {count} turns where a question and five more were expected"
        ));
    }
    let (earlier, last) = turns.split_at(count - 6);
    let [
        prompt,
        answer,
        critique_request,
        critique,
        revision_request,
        revision,
    ] = last
    else {
        return Err("it ends early".to_owned());
    };
    Ok(ShownCritique {
        critique_request: critique_request.trim().to_owned(),
        revision_request: revision_request.trim().to_owned(),
        example: example(prompt, answer, critique, revision),
        earlier: earlier.len(),
    })
}

/// The example of a critique: an answer that its revision leaves as it is complies.
pub(super) fn example(prompt: &str, answer: &str, critique: &str, revision: &str) -> Example {
    let is_kept = answer.trim() == revision.trim();
    Example {
        prompt: prompt.to_owned(),
        answer: answer.to_owned(),
        verdict: if is_kept {
            ExampleVerdict::Complies
        } else {
            ExampleVerdict::Violates
        },
        evidence: None,
        critique: Some(critique.to_owned()),
        revision: (!is_kept).then(|| revision.to_owned()),
    }
}

/// The turns of a chat of `role` and `content`, which must alternate.
pub(super) fn turns(chat: &Value) -> Result<Vec<String>, String> {
    let messages = chat.as_array().ok_or("it is no list of messages")?;
    let mut turns = Vec::new();
    for (place, message) in messages.iter().enumerate() {
        let content = message["content"].as_str();
        let role = message["role"].as_str().unwrap_or_default();
        let expected = if place % 2 == 0 { "user" } else { "assistant" };
        match content {
            Some(content) if role.eq_ignore_ascii_case(expected) => turns.push(content.to_owned()),
            Some(_) => {
                return Err(format!(
                    "message {} is of {role:?} where {expected:?} was expected",
                    place + 1
                ));
            }
            None => return Err(format!("message {} has no text in `content`", place + 1)),
        }
    }
    Ok(turns)
}

/// Puts an example with its principle: the entry that asks for the same, or a new one.
pub(super) fn put_by_requests(shown: ShownCritique, place: &str, haul: &mut Haul) {
    tell_of_earlier(shown.earlier, place, haul);
    let same = haul.entries.iter_mut().find(|entry| {
        entry.critique.as_ref() == Some(&shown.critique_request)
            && entry.revision.as_ref() == Some(&shown.revision_request)
    });
    match same {
        Some(entry) => entry.examples.push(shown.example),
        None => haul.entries.push(Entry {
            place: place.to_owned(),
            critique: Some(shown.critique_request),
            revision: Some(shown.revision_request),
            examples: vec![shown.example],
            ..Entry::default()
        }),
    }
}

/// An example has one question: what was said before it has no place.
pub(super) fn tell_of_earlier(earlier: usize, place: &str, haul: &mut Haul) {
    for _ in 0..earlier {
        haul.leave_out(
            "earlier turns",
            "an example holds one question and its answer",
            place,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_not_changed_complies() {
        let kept = example("Why?", "Because.", "Nothing is wrong.", " Because.");
        assert_eq!(
            (kept.verdict, kept.revision),
            (ExampleVerdict::Complies, None)
        );
        let mended = example("Why?", "Because.", "It says nothing.", "It rains.");
        assert_eq!(mended.verdict, ExampleVerdict::Violates);
        assert_eq!(mended.revision.as_deref(), Some("It rains."));
    }
}
