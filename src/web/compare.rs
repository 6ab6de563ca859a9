//! The page that sets two runs side by side.

use std::collections::BTreeMap;

use maud::{Markup, html};
use serde::Deserialize;

use super::layout;
use super::links::{self, link};
use super::number::{counted, interval, percent, share, thousands};
use super::pages::Pages;
use super::problem::Problem;
use super::runs::outcome_counts;
use super::{chart, visible};
use crate::store::index::{Ends, PrincipleTally, RunEntry, Sides};
use crate::transcript::Outcome;

/// How many records that changed sides a page has.
const ROWS: usize = 25;

/// Which runs.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Pair {
    a: String,
    b: String,
    after: String,
}

type Crossed = BTreeMap<Ends, u64>;

/// Two runs side by side, or the form that asks for them.
pub(super) async fn show(pages: &Pages, pair: Pair) -> Result<Markup, Problem> {
    let standing = pages.freshen().await;
    let names: Vec<String> = pages
        .store()
        .runs()
        .await?
        .into_iter()
        .map(|row| row.run.name)
        .collect();
    for run in [&pair.a, &pair.b].into_iter().filter(|run| !run.is_empty()) {
        if !names.contains(run) {
            return Err(Problem::Absent(format!(
                "There is no run {run} in this store."
            )));
        }
    }
    let is_asked = !pair.a.is_empty() && !pair.b.is_empty();
    let content = html! {
        h1 { "Compare two runs" }
        (form(&names, &pair))
        @if is_asked { (compared(pages, &pair).await?) }
    };
    let head = pages.head("Compare").at("/compare").standing(standing);
    Ok(layout::page(&head, &content))
}

fn form(names: &[String], pair: &Pair) -> Markup {
    let given = |run: &String| (!run.is_empty()).then(|| run.clone());
    let first = given(&pair.a).or_else(|| names.first().cloned());
    let other = || {
        names
            .iter()
            .find(|name| Some(*name) != first.as_ref())
            .cloned()
    };
    let second = given(&pair.b).or_else(other);
    html! {
        form.filters method="get" action="/compare" {
            div.selects {
                @for (name, label, chosen) in [("a", "First run", &first), ("b", "Second run", &second)] {
                    div.choice {
                        label for=(name) { (label) }
                        select id=(name) name=(name) {
                            @for run in names {
                                option value=(visible::attribute(run)) selected[Some(run) == chosen.as_ref()] { (visible::plain(run)) }
                            }
                        }
                    }
                }
                div.choice { button type="submit" { "Compare" } }
            }
        }
    }
}

async fn compared(pages: &Pages, pair: &Pair) -> Result<Markup, Problem> {
    let Pair { a, b, after } = pair.clone();
    let (first, second, crossed, sides) = pages
        .ask(move |index| {
            Ok((
                index.run(&a)?,
                index.run(&b)?,
                index.outcomes_of_both(&a, &b)?,
                index.changed_sides(&a, &b, &after, ROWS + 1)?,
            ))
        })
        .await?;
    Ok(html! {
        (outcomes(&first, &second))
        (principles(&first, &second))
        (sides_taken(pair, &crossed, sides))
    })
}

fn outcomes(first: &RunEntry, second: &RunEntry) -> Markup {
    let runs =
        [first, second].map(|run| (run, outcome_counts(&run.tallies), run.tallies.transcripts()));
    html! {
        section {
            h2 { "Outcomes" }
            @for (run, counts, _) in &runs {
                p.label { a href=(links::run(&run.name)) { (visible::text(&run.name)) } }
                (chart::outcomes(counts))
            }
            div.scroll {
                table {
                    thead { tr {
                        th scope="col" { "outcome" }
                        th.number scope="col" { "first" }
                        th.number scope="col" { "second" }
                    } }
                    tbody {
                        @for (place, outcome) in Outcome::ALL.into_iter().enumerate() {
                            @if runs.iter().any(|(_, counts, _)| counts[place].1 > 0) { tr {
                                th scope="row" { (layout::outcome(Some(outcome))) }
                                @for (_, counts, total) in &runs {
                                    td.number {
                                        (thousands(counts[place].1)) " "
                                        span.soft { (percent(counts[place].1, *total)) }
                                    }
                                }
                            } }
                        }
                    }
                }
            }
        }
    }
}

fn principles(first: &RunEntry, second: &RunEntry) -> Markup {
    let mut both: BTreeMap<String, [PrincipleTally; 2]> = BTreeMap::new();
    for (place, run) in [first, second].into_iter().enumerate() {
        for tally in run.tallies.principles() {
            let principle = tally.principle.clone();
            both.entry(principle).or_default()[place] = tally;
        }
    }
    let (mut spoke, silent): (Vec<_>, Vec<_>) = both
        .into_iter()
        .partition(|(_, tallies)| tallies.iter().any(|tally| tally.violated > 0));
    let gap = |tallies: &[PrincipleTally; 2]| {
        let [first, second] = tallies
            .each_ref()
            .map(|tally| share(tally.violated, tally.assessed));
        (first - second).abs()
    };
    spoke.sort_by(|(_, one), (_, other)| gap(other).total_cmp(&gap(one)));
    html! {
        section {
            h2 { "Principles" }
            p.soft {
                "How often each was violated, with 95 % intervals, and how often of that it was mended; the "
                "greatest difference first."
            }
            div.scroll {
                table.compared {
                    thead { tr {
                        th scope="col" { "principle" }
                        @for which in ["first", "second"] {
                            th scope="col" { (which) ", violated" }
                            th.number scope="col" { "mended" }
                        }
                    } }
                    tbody {
                        @for (principle, tallies) in &spoke {
                            tr {
                                th scope="row" { (visible::text(principle)) }
                                @for tally in tallies { (cells(tally)) }
                            }
                        }
                    }
                }
            }
            @if !silent.is_empty() {
                p.soft { (counted(silent.len() as u64, "principle")) " violated in neither run." }
            }
        }
    }
}

fn cells(tally: &PrincipleTally) -> Markup {
    html! {
        td.with-bar {
            (chart::share_bar("violated", tally.violated, tally.assessed))
            span {
                (percent(tally.violated, tally.assessed)) " "
                span.soft { (interval(tally.violated, tally.assessed)) }
            }
        }
        td.number { (percent(tally.mended, tally.violated)) }
    }
}

fn sides_taken(pair: &Pair, crossed: &Crossed, mut sides: Vec<Sides>) -> Markup {
    let total: u64 = crossed.values().sum();
    let moved: u64 = crossed
        .iter()
        .filter(|((first, second), _)| first != second)
        .map(|(_, count)| count)
        .sum();
    let next = (sides.len() > ROWS).then(|| {
        sides.truncate(ROWS);
        sides
            .last()
            .map(|last| last.record.clone())
            .unwrap_or_default()
    });
    html! {
        section {
            h2 { "Records that changed sides" }
            p {
                "Both runs have " strong { (counted(total, "record")) } " in common; "
                strong { (thousands(moved)) } " ended otherwise in the second."
            }
            (cross_table(crossed))
            @if !sides.is_empty() {
                ol.rows { @for side in &sides { (moved_record(pair, side)) } }
            }
            nav.turn aria-label="More records" {
                @if let Some(next) = next {
                    a rel="next" href=(link("/compare", &[("a", &pair.a), ("b", &pair.b), ("after", &next)])) {
                        "Next →"
                    }
                }
            }
        }
    }
}

/// How many records ended how in both runs: a row for each outcome of the first.
fn cross_table(crossed: &Crossed) -> Markup {
    let outcomes = |which: fn(&Ends) -> Option<Outcome>| -> Vec<Outcome> {
        Outcome::ALL
            .into_iter()
            .filter(|outcome| crossed.keys().any(|ends| which(ends) == Some(*outcome)))
            .collect()
    };
    let (rows, columns) = (outcomes(|ends| ends.0), outcomes(|ends| ends.1));
    html! {
        div.scroll {
            table {
                thead { tr {
                    th scope="col" { "first ↓ second →" }
                    @for second in &columns { th.number scope="col" { (second) } }
                } }
                tbody {
                    @for first in &rows {
                        tr {
                            th scope="row" { (first) }
                            @for second in &columns {
                                @let count = crossed.get(&(Some(*first), Some(*second))).copied().unwrap_or(0);
                                td.number.moved[first != second && count > 0] { (thousands(count)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn moved_record(pair: &Pair, side: &Sides) -> Markup {
    html! {
        li data-row {
            div.row-head {
                span.record { (visible::text(&side.record)) }
                a data-main href=(links::transcript(&pair.a, &side.record)) {
                    span.soft { "first " } (layout::outcome(side.first))
                }
                span aria-hidden="true" { "→" }
                a href=(links::transcript(&pair.b, &side.record)) {
                    span.soft { "second " } (layout::outcome(side.second))
                }
            }
        }
    }
}
