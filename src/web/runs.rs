//! The page of all runs.

use maud::{Markup, html};

use super::layout;
use super::number::{counted, moment, money, percent, thousands};
use super::pages::Pages;
use super::problem::Problem;
use super::{chart, links, visible};
use crate::model::budget::Spent;
use crate::store::index::{Index, Kind, Tallies};
use crate::store::{RunRow, RunState};
use crate::transcript::Outcome;

/// A run as this page shows it.
struct Entry {
    row: RunRow,
    spent: Spent,
    tallies: Tallies,
}

/// All runs of the store, the one that was last worked on first.
pub(super) async fn show(pages: &Pages) -> Result<Markup, Problem> {
    let standing = pages.freshen().await;
    let mut counted_runs = pages.ask(Index::runs).await?;
    let mut entries = Vec::new();
    for row in pages.store().runs().await? {
        let spent = pages.store().spent(&row.run.name).await?;
        let place = counted_runs
            .iter()
            .position(|known| known.name == row.run.name);
        let tallies = place
            .map(|place| counted_runs.swap_remove(place).tallies)
            .unwrap_or_default();
        entries.push(Entry {
            row,
            spent,
            tallies,
        });
    }
    let content = html! {
        h1 { "Runs" }
        p.lead { (visible::text(&pages.store().location())) }
        @if entries.is_empty() {
            p { "There are no runs in this store yet: " code { "redraft run" } " makes one." }
        }
        ol.runs { @for entry in &entries { (one(entry)) } }
        @if entries.len() > 1 {
            p { a href="/compare" { "Compare two runs" } }
        }
    };
    let head = pages.head("Runs").at("/").standing(standing);
    Ok(layout::page(&head, &content))
}

fn one(entry: &Entry) -> Markup {
    let Entry {
        row,
        spent,
        tallies,
    } = entry;
    let counts = outcome_counts(tallies);
    let total = tallies.transcripts();
    html! {
        li.card data-row {
            div.row-head {
                h2 { a data-main href=(links::run(&row.run.name)) { (visible::text(&row.run.name)) } }
                (state(row.state))
            }
            (chart::outcomes(&counts))
            (legend(&counts, total))
            dl.facts {
                div { dt { "dataset" } dd { (visible::text(&row.run.dataset)) } }
                div { dt { "sealed" } dd { (thousands(row.sealed)) } }
                div {
                    dt { "changed" }
                    dd { (percent(tallies.count(Kind::Changed, 0), total)) }
                }
                div { dt { "cost" } dd { (cost(spent)) } }
                div { dt { "last worked on" } dd { (visible::text(&moment(&row.updated))) } }
            }
        }
    }
}

/// How many ended how; every outcome is there.
pub(super) fn outcome_counts(tallies: &Tallies) -> Vec<(Outcome, u64)> {
    Outcome::ALL
        .into_iter()
        .map(|outcome| (outcome, tallies.ended(outcome)))
        .collect()
}

/// The outcomes that there were, with their counts.
fn legend(counts: &[(Outcome, u64)], total: u64) -> Markup {
    html! {
        ul.legend {
            @for (outcome, count) in counts.iter().filter(|(_, count)| *count > 0) {
                li class=(layout::outcome_class(*outcome)) {
                    (outcome) " " strong { (thousands(*count)) } " " span.soft { (percent(*count, total)) }
                }
            }
        }
    }
}

/// How far a run is.
pub(super) fn state(state: RunState) -> Markup {
    let (word, class) = match state {
        RunState::Running => ("running", "revised"),
        RunState::Stopped => ("stopped", "unresolved"),
        RunState::Finished => ("finished", "quiet"),
    };
    html! { span class={ "badge " (class) } { (word) } }
}

/// What a run has spent.
pub(super) fn cost(spent: &Spent) -> String {
    if spent.tokens() == 0 && spent.cost == 0.0 {
        return "–".to_owned();
    }
    if spent.cost > 0.0 {
        let unknown = if spent.unpriced_calls > 0 {
            " and more"
        } else {
            ""
        };
        return format!("{}{unknown}", money(spent.cost));
    }
    counted(spent.tokens(), "token")
}
