//! The page of one run, and what of it is frozen in a report.

mod answers;
mod principles;
mod usage;

use maud::{Markup, html};

use super::asked::Asked;
use super::layout;
use super::number::{counted, moment, percent, thousands};
use super::pages::Pages;
use super::problem::Problem;
use super::runs::{cost, outcome_counts, state};
use super::{chart, links, visible};
use crate::model::budget::Spent;
use crate::store::RunRow;
use crate::store::index::{Kind, RunEntry};
use crate::transcript::Outcome;

/// All that the page of a run says.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) row: RunRow,
    pub(super) spent: Spent,
    pub(super) rejected: u64,
    pub(super) entry: RunEntry,
}

/// Where a run is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Medium {
    /// On a page, which leads on to others.
    Page,
    /// In a file of its own, which leads nowhere.
    File,
}

impl Medium {
    /// A link where there is somewhere to go.
    pub(super) fn link(self, address: &str, words: &Markup) -> Markup {
        match self {
            Self::Page => html! { a href=(address) { (words) } },
            Self::File => html! { (words) },
        }
    }
}

/// The page of a run.
pub(super) async fn show(pages: &Pages, run: &str) -> Result<Markup, Problem> {
    let standing = pages.freshen().await;
    let told = gather(pages, run).await?;
    let head = pages.head(run).below("Runs", "/").standing(standing);
    Ok(layout::page(&head, &whole(&told, Medium::Page)))
}

/// What there is to say of a run.
pub(super) async fn gather(pages: &Pages, run: &str) -> Result<Told, Problem> {
    let store = pages.store();
    let row = store.run(run).await?;
    let row =
        row.ok_or_else(|| Problem::Absent(format!("There is no run {run} in this store.")))?;
    let (_, rejected) = store.rejected(run, 0).await?;
    let name = run.to_owned();
    Ok(Told {
        row,
        spent: store.spent(run).await?,
        rejected,
        entry: pages.ask(move |index| index.run(&name)).await?,
    })
}

/// Everything about a run.
pub(super) fn whole(told: &Told, medium: Medium) -> Markup {
    html! {
        (heading(told, medium))
        (outcomes(told, medium))
        (principles::section(told, medium))
        (answers::section(&told.entry.tallies))
        (usage::section(told))
    }
}

fn heading(told: &Told, medium: Medium) -> Markup {
    let Told {
        row,
        spent,
        rejected,
        entry,
    } = told;
    let tallies = &entry.tallies;
    let total = tallies.transcripts();
    html! {
        div.title-row {
            h1 { (visible::text(&row.run.name)) }
            (state(row.state))
        }
        p.lead {
            "Dataset " strong { (visible::text(&row.run.dataset)) }
            ", judged under "
            @for (place, mark) in entry.constitutions.iter().enumerate() {
                @if place > 0 { ", " }
                (medium.link(&links::constitution(mark.digest), &html! {
                    (visible::text(&mark.name)) " " (visible::text(&mark.version))
                }))
            }
            @if entry.constitutions.is_empty() { "no constitution that is known" }
            ". Begun " (visible::text(&moment(&row.run.started)))
            ", last worked on " (visible::text(&moment(&row.updated))) " (UTC)."
        }
        div.figures {
            (layout::figure(&thousands(total), "transcripts"))
            (layout::figure(&percent(tallies.ended(Outcome::Compliant), total), "compliant"))
            (layout::figure(&percent(tallies.count(Kind::Changed, 0), total), "answers changed"))
            (layout::figure(&cost(spent), "spent"))
        }
        @if *rejected > 0 {
            p.soft { (counted(*rejected, "row")) " could not be used." }
        }
        @if medium == Medium::Page {
            p.actions {
                a.button href=(Asked::of_run(&row.run.name).list()) { "Read the transcripts" }
                " "
                a href=(links::link("/compare", &[("a", &row.run.name)])) { "Compare with another run" }
            }
        }
    }
}

fn outcomes(told: &Told, medium: Medium) -> Markup {
    let tallies = &told.entry.tallies;
    let total = tallies.transcripts();
    let list = |outcome: Outcome| {
        Asked {
            outcome: outcome.to_string(),
            ..Asked::of_run(&told.row.run.name)
        }
        .list()
    };
    let counts = outcome_counts(tallies);
    html! {
        section {
            h2 { "Outcomes" }
            (chart::outcomes(&counts))
            div.scroll {
                table {
                    thead { tr {
                        th scope="col" { "outcome" }
                        th.number scope="col" { "records" }
                        th.number scope="col" { "share" }
                        th scope="col" { "meaning" }
                    } }
                    tbody {
                        @for (outcome, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
                            tr {
                                th scope="row" {
                                    (medium.link(&list(outcome), &layout::outcome(Some(outcome))))
                                }
                                td.number { (thousands(count)) }
                                td.number { (percent(count, total)) }
                                td.soft { (meaning(outcome)) }
                            }
                        }
                    }
                }
            }
            @let unreadable = tallies.count(Kind::Outcome, -1);
            @if unreadable > 0 {
                p { (counted(unreadable, "transcript")) " cannot be read: erased, or of a newer format." }
            }
        }
    }
}

fn meaning(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Compliant => {
            "every principle was assessed on the final text, and none is violated"
        }
        Outcome::Revised => "a fixed number of rounds ran; the last text was not assessed",
        Outcome::Unresolved => "something is still violated, or could not be assessed",
        Outcome::Held => "waits for a person",
        Outcome::Failed => "a call failed for good, or gave no answer to work on",
    }
}
