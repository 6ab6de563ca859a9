//! The page of a constitution: its principles where they are known, how often each spoke, examples.

use std::collections::HashMap;

use maud::{Markup, html};
use serde::Deserialize;

use super::asked::Asked;
use super::constitutions::constitution;
use super::layout;
use super::number::{counted, interval, percent, thousands};
use super::pages::Pages;
use super::problem::Problem;
use super::{chart, links, visible};
use crate::constitution::{Constitution, Principle};
use crate::digest::Digest;
use crate::review::PrincipleMeasured;
use crate::store::index::{Filter, Index, IndexError, Item, PrincipleTally, Sort};
use crate::transcript::{ConstitutionMark, Verdict};

/// So many transcripts are named for each principle.
const EXAMPLES: usize = 3;

/// Which constitution.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Of {
    digest: String,
}

/// A principle as this page shows it.
struct Entry {
    tally: PrincipleTally,
    examples: Vec<Item>,
}

/// A constitution.
pub(super) async fn show(pages: &Pages, asked: &Of) -> Result<Markup, Problem> {
    let standing = pages.freshen().await;
    let absent = || {
        Problem::Absent(
            "No transcript of this store was judged under that constitution.".to_owned(),
        )
    };
    let digest: Digest = asked.digest.parse().map_err(|_| absent())?;
    let (mark, runs, entries) = pages
        .ask(move |index| gather(index, digest))
        .await?
        .ok_or_else(absent)?;
    let text = constitution(pages.store(), digest).await;
    let text = text.as_deref();
    let people = pages.desk().measured(pages.store(), digest).await?;
    let people: HashMap<&str, PrincipleMeasured> = people.principles().collect();
    let content = html! {
        h1 { (visible::text(&mark.name)) " " span.soft { (visible::text(&mark.version)) } }
        p.lead { "Digest " code { (digest) } }
        (what_is_known(text))
        p {
            "It judged in "
            @for (place, run) in runs.iter().enumerate() {
                @if place > 0 { ", " }
                a href=(links::run(run)) { (visible::text(run)) }
            }
            "."
        }
        section {
        h2 { "Principles" }
        @for entry in &entries {
            @let id = &entry.tally.principle;
            (principle(&mark, entry, text.and_then(|text| text.principle(id)), people.get(id.as_str())))
        }
        @if let Some(text) = text { (silent(text, &entries)) }
        }
    };
    let head = pages
        .head(mark.name.clone())
        .below("Runs", "/")
        .standing(standing);
    Ok(layout::page(&head, &content))
}

type Gathered = (ConstitutionMark, Vec<String>, Vec<Entry>);

fn gather(index: &Index, digest: Digest) -> Result<Option<Gathered>, IndexError> {
    let Some((mark, runs, tallies)) = index.constitution(digest)? else {
        return Ok(None);
    };
    let mut entries = Vec::new();
    for tally in tallies.principles() {
        let filter = Filter {
            constitution: Some(digest.to_string()),
            principle: Some(tally.principle.clone()),
            verdict: Some(Verdict::Violates),
            ..Filter::default()
        };
        let examples = index
            .page(&filter, Sort::Newest, None, false, EXAMPLES)?
            .items;
        entries.push(Entry { tally, examples });
    }
    Ok(Some((mark, runs, entries)))
}

fn what_is_known(text: Option<&Constitution>) -> Markup {
    html! {
        @match text {
            Some(text) => p { (visible::text(text.description())) },
            None => p.notice {
                "What its principles said as they stood is not known here: a transcript names its "
                "constitution by digest; the store did not keep this one, and it is none of those that "
                "come with redraft."
            },
        }
    }
}

fn principle(
    mark: &ConstitutionMark,
    entry: &Entry,
    text: Option<&Principle>,
    people: Option<&PrincipleMeasured>,
) -> Markup {
    let tally = &entry.tally;
    let all = Asked {
        principle: tally.principle.clone(),
        verdict: "violates".to_owned(),
        constitution: mark.digest.to_string(),
        ..Asked::default()
    };
    html! {
        section.card id=(links::anchor(&tally.principle)) {
            div.row-head {
                h3 { (visible::text(&tally.principle)) }
                @if let Some(text) = text { (layout::severity(text.severity as u8 + 1)) }
            }
            @if let Some(text) = text { p.text dir="auto" { (visible::text(&text.text)) } }
            (chart::share_bar("violated", tally.violated, tally.assessed))
            p.why {
                "violated in " strong { (thousands(tally.violated)) } " of " (thousands(tally.assessed))
                " (" (percent(tally.violated, tally.assessed)) ", 95 % interval "
                (interval(tally.violated, tally.assessed)) "), mended in "
                strong { (thousands(tally.mended)) }
                @if tally.errors > 0 { ", not assessed in the end in " (thousands(tally.errors)) }
            }
            @if let Some(people) = people { (precision(people)) }
            @if !entry.examples.is_empty() {
                p.why {
                    "Examples: "
                    @for item in &entry.examples {
                        a href=(links::transcript(&item.run, &item.record)) { (visible::text(&item.record)) }
                        " "
                    }
                    "· " a href=(all.list()) { "all of them" }
                }
            }
        }
    }
}

/// How often people call a violation what the critic did.
fn precision(people: &PrincipleMeasured) -> Markup {
    let PrincipleMeasured {
        flagged, confirmed, ..
    } = people;
    html! {
        p.why {
            @if *flagged == 0 {
                "People judged " (counted(people.agreement.judged, "text")) " by it, none of which the critic had found to violate it."
            } @else {
                "Precision by human review: " strong { (percent(*confirmed, *flagged)) }
                " (95 % interval " (interval(*confirmed, *flagged)) "): of "
                (counted(*flagged, "violation")) " that the critic found and people judged, they confirmed "
                (thousands(*confirmed)) "."
            }
        }
    }
}

/// The principles that never said anything.
fn silent(text: &Constitution, entries: &[Entry]) -> Markup {
    let spoke = |principle: &&Principle| {
        entries
            .iter()
            .any(|entry| entry.tally.principle == principle.id)
    };
    let silent: Vec<&Principle> = text
        .principles()
        .iter()
        .filter(|principle| !spoke(principle))
        .collect();
    html! {
        @if !silent.is_empty() {
            h2 { "Principles that never spoke" }
            @for principle in silent {
                section.card { h3 { (principle.id) } p.text { (visible::text(&principle.text)) } }
            }
        }
    }
}
