//! The rounds of a transcript: each text with its findings beside it, and what the revision changed.

use maud::{Markup, html};

use super::{changes, draft_source, findings, marked};
use crate::transcript::{Revision, RevisionAuthor, Round, Transcript};
use crate::web::number::counted;
use crate::web::{fold, links, visible};

/// Every round, the first with the draft.
pub(super) fn sections(transcript: &Transcript) -> Markup {
    let Some(draft) = &transcript.draft else {
        return html! {};
    };
    let mark = transcript.provenance.constitution.as_ref();
    let constitution = mark.map(|mark| links::constitution(mark.digest));
    let mut judged = (draft.text.as_str(), "draft".to_owned());
    let mut sections = Vec::new();
    for round in &transcript.rounds {
        let note = if sections.is_empty() {
            let source = draft_source(draft.source);
            let note = draft.note.as_deref();
            note.map_or_else(|| source.to_owned(), |note| format!("{source}; {note}"))
        } else {
            String::new()
        };
        sections.push(section(round, &judged, &note, constitution.as_deref()));
        if let Some(revision) = &round.revision {
            judged = (&revision.text, format!("revision of round {}", round.n));
        }
    }
    html! { @for section in sections { (section) } }
}

fn section(
    round: &Round,
    (text, name): &(&str, String),
    note: &str,
    constitution: Option<&str>,
) -> Markup {
    let quotes = marked::quotes(text, &round.findings);
    let is_clean = !round.findings.is_empty() && !round.findings.iter().any(findings::is_notable);
    html! {
        section.round id={ "round-" (round.n) } {
            h2 { "Round " (round.n) }
            div.judged {
                div {
                    h3 {
                        "The " (name) ", as it was judged"
                        @if !note.is_empty() { " " span.soft { (visible::text(note)) } }
                    }
                    @let shown = html! {
                        div.text dir="auto" { (marked::text(round.n, text, &quotes, &round.findings)) }
                    };
                    // It stands above already, as what the revision changed.
                    @if is_clean && round.n > 1 {
                        details.quiet { summary { "The whole text" } (shown) }
                    } @else { (shown) }
                }
                div.findings {
                    h3 { "Findings" }
                    (findings::list(round.n, &round.findings, &quotes, constitution))
                    (critique(round))
                    (faults(round))
                }
            }
            @match &round.revision {
                Some(revision) => (revised(round, text, revision)),
                None => p.soft { "No revision: " (visible::text(&round.why)) "." },
            }
        }
    }
}

fn critique(round: &Round) -> Markup {
    html! {
        @if let Some(request) = &round.critique_request {
            p.soft { "Asked: " (fold::text(request)) }
        }
        @if let Some(critique) = &round.critique {
            div.text dir="auto" { (fold::text(critique)) }
            p.soft { "Asked about: " (visible::text(&round.principles.join(", "))) }
        }
    }
}

fn faults(round: &Round) -> Markup {
    html! {
        @if !round.faults.is_empty() {
            details.quiet {
                summary { "The critic was asked again " (counted(round.faults.len() as u64, "time")) }
                ul { @for fault in &round.faults { li { (visible::text(fault)) } } }
            }
        }
    }
}

fn revised(round: &Round, before: &str, revision: &Revision) -> Markup {
    let (word, class) = if round.kept {
        ("kept", "compliant")
    } else {
        ("not kept", "unresolved")
    };
    html! {
        h3 {
            "Revision " (author(revision.by)) " "
            span class={ "badge " (class) } { (word) } " "
            span.soft { (visible::text(&round.why)) }
        }
        @if let Some(request) = &round.revision_request {
            p.soft { "Asked: " (fold::text(request)) }
        }
        @if before == revision.text {
            p { "It says the same as the text before." }
        } @else {
            div.text.diff dir="auto" { (changes::whole(before, &revision.text)) }
        }
    }
}

fn author(by: RevisionAuthor) -> &'static str {
    match by {
        RevisionAuthor::Checks => "by checks",
        RevisionAuthor::Model => "by the reviser",
        RevisionAuthor::ChecksAndModel => "by checks and the reviser",
    }
}
