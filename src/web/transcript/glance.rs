//! What changed and why, before anything else is read.

use maud::{Markup, html};

use super::changes;
use super::findings::rank;
use crate::transcript::{Finding, Transcript, Verdict};
use crate::web::layout;
use crate::web::visible;

/// A principle that was violated, by its gravest finding.
struct Violation<'t> {
    finding: &'t Finding,
    round: u32,
    is_mended: bool,
}

/// What changed between draft and final answer, and which violations asked for it.
pub(super) fn section(transcript: &Transcript) -> Markup {
    let violations = violations(transcript);
    html! {
        section.glance {
            div {
                h2 { "What changed" }
                @match (&transcript.draft, &transcript.final_answer) {
                    (Some(draft), Some(last)) if draft.text != last.text => {
                        (changes::near(&draft.text, &last.text))
                    }
                    (Some(_), Some(_)) => p { "Nothing: the final answer is the draft." },
                    (Some(_), None) => p { "There is no final answer." },
                    (None, _) => p { "There is no answer." },
                }
            }
            div {
                h2 { "Why" }
                @if violations.is_empty() {
                    p { (visible::text(&transcript.why)) }
                } @else {
                    ul.violations { @for violation in &violations { (one(violation)) } }
                }
            }
        }
    }
}

fn one(violation: &Violation<'_>) -> Markup {
    let Violation {
        finding,
        round,
        is_mended,
    } = violation;
    html! {
        li {
            a href={ "#round-" (round) } { (visible::text(&finding.principle)) } " "
            (layout::severity(rank(finding))) " "
            @if *is_mended { span.badge.compliant { "mended" } }
            @else { span.badge.unresolved { "not mended" } }
            @if !finding.explanation.is_empty() {
                p.soft dir="auto" { (visible::text(&shortened(&finding.explanation))) }
            }
        }
    }
}

/// As much of an explanation as fits beside others.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn violations(transcript: &Transcript) -> Vec<Violation<'_>> {
    let mut violations: Vec<Violation<'_>> = Vec::new();
    for round in &transcript.rounds {
        for finding in &round.findings {
            if finding.verdict != Verdict::Violates {
                continue;
            }
            let known = violations
                .iter_mut()
                .find(|known| known.finding.principle == finding.principle);
            match known {
                Some(known) if rank(known.finding) < rank(finding) => known.finding = finding,
                Some(_) => {}
                None => violations.push(Violation {
                    finding,
                    round: round.n,
                    is_mended: is_mended(transcript, &finding.principle),
                }),
            }
        }
    }
    violations.sort_by_key(|violation| std::cmp::Reverse(rank(violation.finding)));
    violations
}

/// Whether the final answer was found to keep a principle.
fn is_mended(transcript: &Transcript, principle: &str) -> bool {
    let last = transcript
        .final_answer
        .as_ref()
        .map_or(0, |last| last.round);
    // A round judges the revision of the round before it, or the draft.
    let judges_last = transcript.rounds.iter().find(|round| round.n == last + 1);
    judges_last.is_some_and(|round| {
        round.findings.iter().any(|finding| {
            finding.principle == principle
                && matches!(finding.verdict, Verdict::Complies | Verdict::NotApplicable)
        })
    })
}
