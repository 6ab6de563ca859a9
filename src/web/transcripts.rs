//! The page of transcripts: search, filters, order, and a page of rows.

use maud::{Markup, html};

use super::asked::{Asked, SEVERITIES, VERDICTS};
use super::layout;
use super::number::{counted, thousands};
use super::pages::Pages;
use super::problem::Problem;
use super::{links, visible};
use crate::store::index::{Cursor, Found, Item, Sort, Tallies};
use crate::transcript::Outcome;

/// How many rows a page has.
const ROWS: usize = 25;
/// So many tags are offered; another one can be typed into the address.
const TAGS: usize = 100;
/// So many principles are named in a row.
const NAMED: usize = 3;

/// A page of transcripts.
pub(super) async fn show(pages: &Pages, asked: Asked) -> Result<Markup, Problem> {
    let standing = pages.freshen().await;
    let found = find(pages, &asked).await?;
    let filter = asked.filter();
    let (count, more) = pages.ask(move |index| index.count(&filter)).await?;
    let run = asked.run.clone();
    let (runs, tallies) = pages
        .ask(move |index| {
            let runs = index.runs()?;
            let names: Vec<String> = runs.iter().map(|known| known.name.clone()).collect();
            let tallies = runs.into_iter().find(|known| known.name == run);
            Ok((
                names,
                tallies.map(|known| known.tallies).unwrap_or_default(),
            ))
        })
        .await?;
    let content = html! {
        h1 { "Transcripts" }
        (form(&asked, &runs, &tallies))
        p.count role="status" {
            @if more { "More than " }
            (counted(count, "transcript"))
            @if asked.is_narrow() { " · " a href=(Asked::of_run(&asked.run).list()) { "show all" } }
        }
        @if found.items.is_empty() {
            p.empty { "No transcript fits." }
        }
        ol.rows { @for item in &found.items { (row(&asked, item)) } }
        (turn(&asked, &found))
    };
    let mut head = pages
        .head("Transcripts")
        .at("/transcripts")
        .standing(standing);
    if !asked.run.is_empty() {
        head = head
            .below("Runs", "/")
            .below(asked.run.clone(), links::run(&asked.run));
    }
    Ok(layout::page(&head, &content))
}

/// The rows that were asked for, none of which says what the store no longer does.
async fn find(pages: &Pages, asked: &Asked) -> Result<Found, Problem> {
    let search = || {
        let (filter, sort) = (asked.filter(), asked.sort());
        let (from, backward) = asked.place();
        pages.ask(move |index| index.page(&filter, sort, from, backward, ROWS))
    };
    let mut found = search().await?;
    if pages.renew(&found.items).await? {
        found = search().await?;
    }
    Ok(found)
}

fn form(asked: &Asked, runs: &[String], tallies: &Tallies) -> Markup {
    let run_choices = runs.iter().map(|run| (run.as_str(), run.clone()));
    let mut principles: Vec<String> = tallies
        .principles()
        .into_iter()
        .map(|tally| tally.principle)
        .collect();
    principles.sort();
    let outcomes = Outcome::ALL.map(|outcome| (outcome.as_str(), outcome.to_string()));
    let verdicts = VERDICTS.map(|(name, word, _)| (name, word.to_owned()));
    let severities = SEVERITIES.map(|(name, _)| (name, name.to_owned()));
    let tags: Vec<(String, u64)> = tallies.tags().into_iter().take(TAGS).collect();
    let sorts = Sort::ALL.map(|sort| (sort.as_str(), sort_words(sort).to_owned()));
    html! {
        form.filters method="get" action="/transcripts" role="search" {
            div.search {
                label for="q" { "Search" }
                input #q type="search" name="q" value=(visible::attribute(&asked.q))
                    placeholder="words, “a phrase”, beginn*";
                button type="submit" { "Show" }
            }
            div.selects {
                (choice("run", "Run", "every run", &asked.run, run_choices))
                (choice("outcome", "Outcome", "any", &asked.outcome, outcomes))
                (choice("principle", "Principle", "any", &asked.principle,
                    principles.iter().map(|id| (id.as_str(), id.clone()))))
                (choice("verdict", "Verdict", "any", &asked.verdict, verdicts))
                (choice("severity", "Severity", "any", &asked.severity, severities))
                (choice("changed", "Answer", "any", &asked.changed,
                    [("yes", "changed".to_owned()), ("no", "stayed".to_owned())]))
                (choice("reviewed", "Review", "any", &asked.reviewed,
                    [("yes", "reviewed".to_owned()), ("no", "not reviewed".to_owned())]))
                (choice("tag", "Tag", "any", &asked.tag, tags.iter()
                    .map(|(tag, count)| (tag.as_str(), format!("{tag} ({})", thousands(*count))))))
                (choice("sort", "Order", "", asked.sort().as_str(), sorts))
            }
            @if !asked.constitution.is_empty() {
                input type="hidden" name="constitution" value=(visible::attribute(&asked.constitution));
            }
        }
    }
}

/// A field with choices. What is chosen and not offered is offered, too.
fn choice<'c>(
    name: &str,
    label: &str,
    none: &str,
    chosen: &str,
    choices: impl IntoIterator<Item = (&'c str, String)>,
) -> Markup {
    let choices: Vec<(&str, String)> = choices.into_iter().collect();
    let is_offered = chosen.is_empty() || choices.iter().any(|(value, _)| *value == chosen);
    html! {
        div.choice {
            label for=(name) { (label) }
            select id=(name) name=(name) {
                @if !none.is_empty() { option value="" { (none) } }
                @for (value, words) in &choices {
                    option value=(visible::attribute(value)) selected[*value == chosen] { (visible::plain(words)) }
                }
                @if !is_offered {
                    option value=(visible::attribute(chosen)) selected { (visible::plain(chosen)) }
                }
            }
        }
    }
}

fn sort_words(sort: Sort) -> &'static str {
    match sort {
        Sort::Newest => "newest first",
        Sort::Oldest => "oldest first",
        Sort::Severity => "gravest first",
        Sort::Change => "most changed first",
        Sort::Revisions => "most revisions first",
    }
}

fn row(asked: &Asked, item: &Item) -> Markup {
    let facts = &item.facts;
    let violated: Vec<&str> = facts
        .violated()
        .map(|spoken| spoken.principle.as_str())
        .collect();
    html! {
        li data-row {
            div.row-head {
                a.record data-main href=(asked.transcript(&item.run, &item.record)) {
                    (visible::text(&item.record))
                }
                (layout::outcome(facts.outcome))
                (layout::severity(facts.worst()))
            }
            p.excerpt dir="auto" { (visible::text(&item.excerpt)) }
            p.why {
                @for (place, principle) in violated.iter().take(NAMED).enumerate() {
                    @if place > 0 { ", " }
                    (visible::text(principle))
                }
                @if violated.len() > NAMED { " and " (violated.len() - NAMED) " more" }
                @if !violated.is_empty() { " · " }
                (changed(item))
                @if asked.run.is_empty() { " · " (visible::text(&item.run)) }
            }
        }
    }
}

fn changed(item: &Item) -> String {
    let facts = &item.facts;
    let revisions = counted(facts.revisions.into(), "revision");
    match (facts.changed, facts.distance) {
        (false, _) => "answer stayed".to_owned(),
        (true, Some(distance)) => format!("{distance} % of the words changed, {revisions}"),
        (true, None) => format!("answer changed, {revisions}"),
    }
}

/// The links to the page before and the one after.
fn turn(asked: &Asked, found: &Found) -> Markup {
    let (from, backward) = asked.place();
    let cursor = |item: &Item| Cursor {
        step: asked.sort().step(&item.facts),
        position: item.position,
    };
    let has_before = if backward { found.more } else { from.is_some() };
    let has_after = if backward { from.is_some() } else { found.more };
    let before = found.items.first().filter(|_| has_before).map(cursor);
    let after = found.items.last().filter(|_| has_after).map(cursor);
    html! {
        nav.turn aria-label="More transcripts" {
            @if let Some(before) = before {
                a rel="prev" href=(asked.list_at("before", before)) { "← Previous" }
            }
            @if let Some(after) = after {
                a rel="next" href=(asked.list_at("after", after)) { "Next →" }
            }
        }
    }
}
