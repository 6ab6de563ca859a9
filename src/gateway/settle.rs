//! What was found becomes what the client is given: texts put back, refusals, notes; and the
//! transcripts learn of it.

use serde_json::{Value, json};

use super::judge::{Judged, Standing};
use super::surface::{Instead, Surface};
use super::tally::Tally;
use super::{Failure, OnCriticError, OnUnresolved, Panel, Served};
use crate::round::{judge_by_checks, rewrite_by_checks};
use crate::transcript::{Delivered, Delivery, Verdict};

/// How an answer leaves.
#[derive(Debug)]
pub(super) struct Settled {
    /// Whether it differs from what the model's server sent.
    pub(super) changed: bool,
    /// What was done instead of giving the texts as they ended, if anything was.
    pub(super) delivered: Option<Delivery>,
}

/// Puts into the answer what the client is given, and notes it in the transcripts.
///
/// # Errors
///
/// When a text could not be judged, and the answer must not leave unjudged.
pub(super) fn settle(
    served: &Served,
    surface: Surface,
    panel: &Panel,
    answer: &mut Value,
    judged: &mut [Judged],
) -> Result<Settled, Failure> {
    if served.on_critic_error == OnCriticError::Closed
        && let Some(failure) = unassessed(judged)
    {
        for one in judged {
            deliver(one, Delivery::Withheld, "", None);
        }
        return Err(Failure {
            has_transcript: true,
            ..failure
        });
    }
    let mut settled = Settled {
        changed: surface.strip(answer),
        delivered: None,
    };
    let mut notes = Vec::new();
    for parts in judged.chunk_by_mut(|one, next| one.part.choice == next.part.choice) {
        let how = settle_choice(served, surface, panel, answer, parts, &mut settled.changed);
        if how == Some(Delivery::Annotated) {
            notes.push(note(parts));
        }
        settled.delivered = settled.delivered.or(how);
    }
    if !notes.is_empty() {
        answer["redraft"] = json!({ "outcome": Tally::of(judged).outcome, "choices": notes });
        settled.changed = true;
    }
    Ok(settled)
}

fn unassessed(judged: &[Judged]) -> Option<Failure> {
    judged.iter().find_map(|one| match &one.standing {
        Standing::Unassessed(why) => Some(Failure::critic(why.clone())),
        _ => None,
    })
}

/// One choice: as its texts ended, or something else in its place.
fn settle_choice(
    served: &Served,
    surface: Surface,
    panel: &Panel,
    answer: &mut Value,
    parts: &mut [Judged],
    changed: &mut bool,
) -> Option<Delivery> {
    let choice = parts.first()?.part.choice;
    let texts: Option<Vec<(String, bool)>> = parts
        .iter()
        .map(|one| text_to_give(served, panel, one))
        .collect();
    let Some(texts) = texts else {
        let (by, how) = match served.on_unresolved {
            OnUnresolved::Replace => (Instead::Message(&served.message), Delivery::Replaced),
            _ => (Instead::Refusal(&served.message), Delivery::Refused),
        };
        surface.replace(answer, choice, by);
        *changed = true;
        for (place, one) in parts.iter_mut().enumerate() {
            let text = if place == 0 { &served.message } else { "" };
            let why = (one.standing == Standing::BrokenJson)
                .then_some("what became of the text is no longer JSON");
            deliver(one, how, text, why);
        }
        return Some(how);
    };
    let mut how = None;
    for (one, (text, is_noted)) in parts.iter_mut().zip(texts) {
        // Compared with what stands there, not with what was judged: escapes may have gone.
        let stands = answer
            .pointer(&one.part.place)
            .and_then(Value::as_str)
            .unwrap_or_default();
        if stands != text {
            surface.put(answer, &one.part, &text);
            *changed = true;
        }
        if is_noted {
            deliver(one, Delivery::Annotated, &text, None);
            how = Some(Delivery::Annotated);
        }
    }
    how
}

/// The text that is given, and whether a note goes with it; nothing when it must not leave.
fn text_to_give(served: &Served, panel: &Panel, one: &Judged) -> Option<(String, bool)> {
    let transcript = &one.unsealed.transcript;
    let last = transcript
        .final_answer
        .as_ref()
        .map_or("", |last| &last.text);
    match &one.standing {
        Standing::Clean => Some((last.to_owned(), false)),
        Standing::Violates(_) if served.on_unresolved == OnUnresolved::Annotate => {
            Some((last.to_owned(), true))
        }
        Standing::Violates(_) | Standing::BrokenJson => None,
        Standing::Unassessed(_) => Some((past_checks(panel, &transcript.record.tags, last)?, true)),
    }
}

/// The text as far as checks can mend it; nothing when they cannot.
fn past_checks(panel: &Panel, tags: &[String], text: &str) -> Option<String> {
    let principles: Vec<_> = panel.texts.constitution().applicable(tags).collect();
    let findings = judge_by_checks(&principles, text);
    let mended = rewrite_by_checks(&principles, &findings, text).unwrap_or_else(|| text.to_owned());
    let is_clean = judge_by_checks(&principles, &mended)
        .iter()
        .all(|finding| finding.verdict != Verdict::Violates);
    is_clean.then_some(mended)
}

fn deliver(one: &mut Judged, how: Delivery, text: &str, why: Option<&str>) {
    one.unsealed.transcript.delivered = Some(Delivered {
        how,
        text: text.to_owned(),
        why: why.map(str::to_owned),
    });
}

fn note(parts: &[Judged]) -> Value {
    let violated: Vec<&String> = parts
        .iter()
        .filter_map(|one| match &one.standing {
            Standing::Violates(ids) => Some(ids),
            _ => None,
        })
        .flatten()
        .collect();
    let is_unassessed = parts
        .iter()
        .any(|one| matches!(one.standing, Standing::Unassessed(_)));
    json!({
        "index": parts.first().map(|one| one.part.choice),
        "violated": violated,
        "assessed": !is_unassessed,
    })
}
