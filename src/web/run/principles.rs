//! What each principle found in a run, and what was mended of it.

use maud::{Markup, html};

use super::{Medium, Told};
use crate::store::index::{Kind, PrincipleTally};
use crate::web::asked::{Asked, SEVERITIES};
use crate::web::layout;
use crate::web::number::{counted, interval, percent, thousands};
use crate::web::{chart, visible};

/// Violated and mended per principle, and the gravest violations.
pub(super) fn section(told: &Told, medium: Medium) -> Markup {
    let principles = told.entry.tallies.principles();
    html! {
        section {
            h2 { "Principles" }
            @if principles.is_empty() {
                p { "No principle spoke in this run." }
            } @else {
                p.soft {
                    "In how many records each was violated by the draft or a revision, and in how many of "
                    "those the final answer keeps it. The line across a bar is the 95 % interval (Wilson)."
                }
                @let (spoke, silent): (Vec<_>, Vec<_>) = principles
                    .iter()
                    .cloned()
                    .partition(|tally| tally.violated > 0 || tally.errors > 0);
                @if !spoke.is_empty() { div.scroll { (table(told, &spoke, medium)) } }
                @if !silent.is_empty() {
                    details.numbers {
                        summary { (counted(silent.len() as u64, "principle")) " never violated" }
                        div.scroll { (table(told, &silent, medium)) }
                    }
                }
                @if medium == Medium::Page { (errors_note(told, &principles)) }
            }
        }
        (severity(told, medium))
    }
}

fn table(told: &Told, principles: &[PrincipleTally], medium: Medium) -> Markup {
    html! {
        table.principles {
            thead { tr {
                th scope="col" { "principle" }
                th.number scope="col" { "assessed" }
                th scope="col" { "violated" }
                th scope="col" { "mended, of those" }
                th.number scope="col" { "errors" }
            } }
            tbody {
                @for tally in principles {
                    tr {
                        th scope="row" {
                            (medium.link(&list(told, tally, "violates"), &visible::text(&tally.principle)))
                        }
                        td.number { (thousands(tally.assessed)) }
                        td.with-bar { (share("violated", tally.violated, tally.assessed)) }
                        td.with-bar { (share("mended", tally.mended, tally.violated)) }
                        td.number {
                            @if tally.errors > 0 {
                                (medium.link(&list(told, tally, "error"), &html! { (thousands(tally.errors)) }))
                            } @else { "–" }
                        }
                    }
                }
            }
        }
    }
}

fn share(class: &str, part: u64, whole: u64) -> Markup {
    html! {
        (chart::share_bar(class, part, whole))
        span {
            strong { (thousands(part)) } " · " (percent(part, whole))
            @if whole > 0 { " " span.soft { "(" (interval(part, whole)) ")" } }
        }
    }
}

fn list(told: &Told, tally: &PrincipleTally, verdict: &str) -> String {
    Asked {
        principle: tally.principle.clone(),
        verdict: verdict.to_owned(),
        ..Asked::of_run(&told.row.run.name)
    }
    .list()
}

fn errors_note(told: &Told, principles: &[PrincipleTally]) -> Markup {
    let errors: u64 = principles.iter().map(|tally| tally.errors).sum();
    let faults = told.entry.tallies.count(Kind::Faults, 0);
    html! {
        p.soft {
            @if errors == 0 { "Every principle was assessed in the end. " }
            @else {
                "Errors are records in which the last assessment of a principle came to nothing; they are "
                "never counted as kept. "
            }
            @if faults > 0 { "The critic was asked again " (thousands(faults)) " times because of unusable replies." }
        }
    }
}

fn severity(told: &Told, medium: Medium) -> Markup {
    let tallies = &told.entry.tallies;
    let levels: Vec<(u8, u64, u64)> = SEVERITIES
        .iter()
        .map(|(_, number)| {
            let key = i64::from(*number);
            (
                *number,
                tallies.count(Kind::Worst, key),
                tallies.count(Kind::Violations, key),
            )
        })
        .collect();
    let most = levels
        .iter()
        .map(|(_, records, _)| *records)
        .max()
        .unwrap_or(0);
    html! {
        section {
            h2 { "Severity" }
            @if most == 0 {
                p { "No violation was found." }
            } @else {
                p.soft { "Records by their gravest violation, before any revision or after one." }
                div.scroll {
                    table {
                        thead { tr {
                            th scope="col" { "gravest" }
                            th scope="col" { "records" }
                            th.number scope="col" { "violations in all rounds" }
                        } }
                        tbody {
                            @for (severity, records, violations) in levels {
                                @let address = Asked {
                                    severity: layout::severity_name(severity).to_owned(),
                                    ..Asked::of_run(&told.row.run.name)
                                }.list();
                                tr {
                                    th scope="row" { (medium.link(&address, &layout::severity(severity))) }
                                    td.with-bar {
                                        (chart::count_bar(layout::severity_name(severity), records, most))
                                        span { strong { (thousands(records)) } }
                                    }
                                    td.number { (thousands(violations)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
