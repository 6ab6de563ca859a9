//! The findings of a round, beside the text that they are about.

use maud::{Markup, html};

use super::marked::Quote;
use crate::transcript::{Assessor, Finding, Verdict};
use crate::web::layout;
use crate::web::number::counted;
use crate::web::{fold, links, visible};

/// A severity as a number, 1 to 4.
pub(super) fn rank(finding: &Finding) -> u8 {
    finding.severity.map_or(0, |severity| severity as u8 + 1)
}

/// Whether a finding is one to speak of.
pub(super) fn is_notable(finding: &Finding) -> bool {
    matches!(finding.verdict, Verdict::Violates | Verdict::Error)
}

/// The number of a notable finding of a round, from 1.
pub(super) fn number(findings: &[Finding], place: usize) -> usize {
    findings
        .iter()
        .take(place + 1)
        .filter(|finding| is_notable(finding))
        .count()
}

/// What was found: violations and errors whole, the rest folded away. `constitution` is the address of
/// the page where a principle is explained.
pub(super) fn list(
    round: u32,
    findings: &[Finding],
    quotes: &[Quote],
    constitution: Option<&str>,
) -> Markup {
    let quiet: Vec<&Finding> = findings
        .iter()
        .filter(|finding| !is_notable(finding))
        .collect();
    html! {
        @for (place, finding) in findings.iter().enumerate().filter(|(_, finding)| is_notable(finding)) {
            @let found = quotes.iter().filter(|quote| quote.finding == place).count();
            (whole(round, number(findings, place), finding, found, constitution))
        }
        @if !findings.iter().any(is_notable) && !findings.is_empty() {
            p.clean { "Nothing was found." }
        }
        @if !quiet.is_empty() {
            details.quiet {
                summary { (counted(quiet.len() as u64, "principle")) " kept or not applicable" }
                ul {
                    @for finding in quiet {
                        li {
                            (principle(finding, constitution)) " "
                            span.soft { (finding.verdict) ", " (assessor(finding.by)) }
                            @if !finding.explanation.is_empty() {
                                " " (fold::text(&finding.explanation))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn whole(
    round: u32,
    number: usize,
    finding: &Finding,
    found: usize,
    constitution: Option<&str>,
) -> Markup {
    html! {
        article class={ "finding " (if finding.verdict == Verdict::Error { "error" } else { "violates" }) }
            id={ "r" (round) "-f" (number) } {
            div.row-head {
                span.note-number aria-hidden="true" { (number) }
                strong { (principle(finding, constitution)) }
                @if finding.verdict == Verdict::Error { span.badge.held { "not assessed" } }
                (layout::severity(rank(finding)))
            }
            @if !finding.explanation.is_empty() {
                p dir="auto" { (fold::text(&finding.explanation)) }
            }
            @for quote in &finding.evidence {
                blockquote dir="auto" { (fold::text(quote)) }
            }
            @if found < finding.evidence.len() {
                p.soft {
                    "Not every quote stands in the text: " (found) " of " (finding.evidence.len()) " were found."
                }
            }
            @if finding.evidence.is_empty() && finding.verdict == Verdict::Violates {
                p.soft { "An omission: there is nothing to quote." }
            }
            @if let Some(fix) = &finding.fix {
                p dir="auto" { span.soft { "Suggested: " } (fold::text(fix)) }
            }
            p.soft { "found " (assessor(finding.by)) }
        }
    }
}

fn principle(finding: &Finding, constitution: Option<&str>) -> Markup {
    let name = visible::text(&finding.principle);
    html! {
        @match constitution {
            Some(address) => a href={ (address) "#" (links::anchor(&finding.principle)) } { (name) },
            None => (name),
        }
    }
}

fn assessor(by: Assessor) -> &'static str {
    match by {
        Assessor::Checks => "by checks",
        Assessor::Model => "by the critic",
    }
}
