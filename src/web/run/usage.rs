//! What a run's calls used, by role.

use maud::{Markup, html};

use super::Told;
use crate::model::ModelRole;
use crate::store::index::Kind;
use crate::web::chart;
use crate::web::number::{money, percent, share, thousands};

const ROLES: [ModelRole; 4] = [
    ModelRole::Drafter,
    ModelRole::Critic,
    ModelRole::Reviser,
    ModelRole::Judge,
];

/// Calls, tokens and cost of one role.
struct Usage {
    role: ModelRole,
    calls: u64,
    input: u64,
    cached: u64,
    output: u64,
    billionths: u64,
    unpriced: u64,
}

/// Cost by role.
pub(super) fn section(told: &Told) -> Markup {
    let tallies = &told.entry.tallies;
    let used: Vec<Usage> = ROLES
        .into_iter()
        .map(|role| {
            let count = |kind| tallies.count(kind, role as i64);
            Usage {
                role,
                calls: count(Kind::Calls),
                input: count(Kind::Input),
                cached: count(Kind::Cached),
                output: count(Kind::Output),
                billionths: count(Kind::Cost),
                unpriced: count(Kind::Unpriced),
            }
        })
        .filter(|usage| usage.calls > 0)
        .collect();
    html! {
        section {
            h2 { "Cost by role" }
            @if used.is_empty() {
                p { "No model was called: checks alone did the work." }
            } @else {
                div.scroll { (table(&used)) }
                p.soft {
                    "Of the calls that the sealed transcripts are made of, whether they were paid for now or "
                    "came from the journal. What was really spent is above."
                }
            }
        }
    }
}

fn table(used: &[Usage]) -> Markup {
    let is_priced = used.iter().any(|usage| usage.billionths > 0);
    let weight = |usage: &Usage| {
        if is_priced {
            usage.billionths
        } else {
            usage.input + usage.output
        }
    };
    let all: u64 = used.iter().map(weight).sum();
    html! {
        table {
            thead { tr {
                th scope="col" { "role" }
                th scope="col" { @if is_priced { "cost" } @else { "tokens" } }
                th.number scope="col" { "calls" }
                th.number scope="col" { "input" }
                th.number scope="col" { "of it cached" }
                th.number scope="col" { "output" }
            } }
            tbody {
                @for usage in used {
                    tr {
                        th scope="row" { (usage.role) }
                        td.with-bar {
                            (chart::count_bar("revised", weight(usage), all))
                            span {
                                strong { (amount(usage, is_priced)) } " "
                                span.soft { (percent(weight(usage), all)) }
                            }
                        }
                        td.number { (thousands(usage.calls)) }
                        td.number { (thousands(usage.input)) }
                        td.number { (percent(usage.cached, usage.input)) }
                        td.number { (thousands(usage.output)) }
                    }
                }
            }
        }
    }
}

fn amount(usage: &Usage, is_priced: bool) -> String {
    if !is_priced {
        return thousands(usage.input + usage.output);
    }
    // A share of one is the number itself.
    let cost = money(share(usage.billionths, 1) / 1e9);
    if usage.unpriced > 0 {
        format!("{cost} and more")
    } else {
        cost
    }
}
