//! The page of a run's queue: how it stands, what is in it, and the way to the next record.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::counts::Counts;
use super::{LEASE, words};
use crate::record::RecordId;
use crate::review::{Reviews, Waiting};
use crate::store::index::{Index, RunEntry};
use crate::telemetry;
use crate::transcript::Outcome;
use crate::web::access::{Role, Visitor};
use crate::web::asked::Asked;
use crate::web::layout;
use crate::web::number::{counted, thousands};
use crate::web::{Pages, Problem, links, visible};

/// How many records a page has.
const ROWS: usize = 25;
/// How much of the conversation a row shows, in characters.
const EXCERPT: usize = 160;

/// What keys do on this page.
const KEYS: [(&str, &str); 1] = [("t", "take the next record")];

/// A run that holds records.
struct Holding {
    run: String,
    held: u64,
}

/// A record of the queue, and who has reviewed it.
struct Row {
    waiting: Waiting,
    reviewers: BTreeSet<String>,
}

/// The queue of a run, or of the one that was last worked on of those that hold something.
pub(in crate::web) async fn show_queue(
    pages: &Pages,
    visitor: &Visitor,
    asked: &Asked,
) -> Result<Markup, Problem> {
    super::must_take_reviews(pages)?;
    let standing = pages.freshen().await;
    let runs = runs(pages).await?;
    let chosen = match asked.run.as_str() {
        "" => runs.iter().find(|known| known.held > 0),
        run => Some(
            runs.iter()
                .find(|known| known.run == run)
                .ok_or_else(|| Problem::Absent(format!("There is no run {run} in this store.")))?,
        ),
    };
    let said = pages.desk().said(visitor);
    let content = match chosen {
        None => nothing(),
        Some(chosen) => queue(pages, visitor, chosen, asked.after.parse().ok()).await?,
    };
    let others = runs
        .iter()
        .filter(|known| known.held > 0 && chosen.is_none_or(|chosen| chosen.run != known.run));
    let content = html! {
        h1 { "Review" }
        @if let Some(said) = &said { p.notice.done role="status" { (visible::text(said)) } }
        (content)
        (elsewhere(&others.collect::<Vec<_>>()))
    };
    let head = pages
        .head("Review")
        .at("/review")
        .keys(&KEYS)
        .standing(standing);
    Ok(layout::page(&head, &content))
}

/// Every run, the one that was last worked on first.
async fn runs(pages: &Pages) -> Result<Vec<Holding>, Problem> {
    let known = pages.ask(Index::runs).await?;
    let held = |run: &str| {
        let entry = known.iter().find(|entry: &&RunEntry| entry.name == run);
        entry.map_or(0, |entry| entry.tallies.ended(Outcome::Held))
    };
    let rows = pages.store().runs().await?;
    let rows = rows.into_iter().map(|row| Holding {
        held: held(&row.run.name),
        run: row.run.name,
    });
    Ok(rows.collect())
}

async fn queue(
    pages: &Pages,
    visitor: &Visitor,
    chosen: &Holding,
    after: Option<i64>,
) -> Result<Markup, Problem> {
    let run = &chosen.run;
    let reviews = pages.reviews().await?;
    let counts = pages.desk().counts(pages.store(), &reviews, run).await?;
    let page = pages.queue(run, LEASE).page(&reviews, after, ROWS).await?;
    let (items, next) = page;
    let rows: Vec<Row> = items
        .into_iter()
        .map(|waiting| row_of(waiting, &reviews))
        .collect();
    drop(reviews);
    let decides = visitor.is(Role::Reviewer);
    let (name, now) = (visitor.name(), telemetry::now());
    let yours = pages.store().claimed_by(run, name, &now).await?;
    Ok(html! {
        p.lead { "Run " a href=(links::run(run)) { (visible::text(run)) } }
        (figures(chosen.held, &counts))
        @if decides {
            (take_next(visitor, run))
            (going_on(run, &yours))
        }
        (people(&counts))
        @if rows.is_empty() { p.empty { "No record of this run waits for people here." } }
        ol.rows { @for row in &rows { (one(run, row, decides)) } }
        nav.turn aria-label="More records" {
            @if after.is_some() { a rel="prev" href=(links::review(run)) { "← From the beginning" } }
            @if let Some(next) = next {
                a rel="next" href=(links::link("/review", &[("run", run), ("after", &next.to_string())])) {
                    "Next →"
                }
            }
        }
    })
}

fn row_of(waiting: Waiting, reviews: &Reviews) -> Row {
    let given = reviews.of(&waiting.stored.run, &waiting.transcript.record.id);
    Row {
        reviewers: given.iter().map(|one| one.author.clone()).collect(),
        waiting,
    }
}

fn figures(held: u64, counts: &Counts) -> Markup {
    html! {
        div.figures {
            (layout::figure(&thousands(counts.waiting(held)), "waiting"))
            (layout::figure(&thousands(counts.disputed), "disputed"))
            (layout::figure(&thousands(counts.approved), "approved"))
            (layout::figure(&thousands(counts.edited), "edited"))
            (layout::figure(&thousands(counts.rejected), "rejected"))
        }
    }
}

/// The button that claims the next record.
fn take_next(visitor: &Visitor, run: &str) -> Markup {
    html! {
        form.actions method="post" action=(links::link("/review/next", &[("run", run)])) {
            (visitor.form_field())
            button.large type="submit" data-key="t" { "Take the next " kbd { "t" } }
        }
    }
}

/// The records that somebody has claimed and not decided about.
fn going_on(run: &str, yours: &[RecordId]) -> Markup {
    html! {
        @if !yours.is_empty() {
            p {
                "You have begun with "
                @for (place, record) in yours.iter().enumerate() {
                    @if place > 0 { ", " }
                    a href=(links::review_item(run, record.as_str())) { (visible::text(record.as_str())) }
                }
                "."
            }
        }
    }
}

fn people(counts: &Counts) -> Markup {
    html! {
        @if !counts.people.is_empty() {
            p.count {
                "Reviewed by "
                @for (place, (name, count)) in counts.people.iter().enumerate() {
                    @if place > 0 { ", " }
                    strong { (visible::text(name)) } " (" (thousands(*count)) ")"
                }
            }
        }
    }
}

fn one(run: &str, row: &Row, decides: bool) -> Markup {
    let transcript = &row.waiting.transcript;
    let record = transcript.record.id.as_str();
    let is_erased = row.waiting.is_erased();
    let address = if decides && !is_erased {
        links::review_item(run, record)
    } else {
        links::transcript(run, record)
    };
    let asked = transcript.record.conversation.messages().last();
    html! {
        li data-row {
            div.row-head {
                a.record data-main href=(address) { (visible::text(record)) }
                @if is_erased { span.badge.quiet { "erased" } }
                @else { (words::standing(&row.waiting.standing)) }
            }
            @if let Some(asked) = asked {
                p.excerpt dir="auto" { (visible::text(&shortened(&asked.content))) }
            }
            p.why {
                (visible::text(&transcript.why))
                @if !row.reviewers.is_empty() {
                    " · reviewed by "
                    @for (place, name) in row.reviewers.iter().enumerate() {
                        @if place > 0 { ", " }
                        (visible::text(name))
                    }
                }
            }
        }
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn elsewhere(others: &[&Holding]) -> Markup {
    html! {
        @if !others.is_empty() {
            section {
                h2 { "Other runs that hold records" }
                ul {
                    @for other in others {
                        li {
                            a href=(links::review(&other.run)) { (visible::text(&other.run)) } " "
                            span.soft { (counted(other.held, "record")) " held" }
                        }
                    }
                }
            }
        }
    }
}

fn nothing() -> Markup {
    html! {
        p { "No run of this store has left a record to people. A recipe says which wait, in " code { "hold" } "." }
    }
}
