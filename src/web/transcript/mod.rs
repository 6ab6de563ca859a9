//! The page of one transcript: what was asked, found and changed, under which rule, by which model.

mod changes;
mod decisions;
mod findings;
mod glance;
mod marked;
mod provenance;
mod rounds;

use maud::{Markup, html};
use serde::Deserialize;

use self::decisions::Decisions;
use super::access::{Role, Visitor};
use super::asked::Asked;
use super::layout;
use super::pages::Pages;
use super::problem::Problem;
use super::{fold, links, visible};
use crate::review::{Review, Standing, standing};
use crate::store::index::{Cursor, Item};
use crate::store::{ERASED, StoredTranscript};
use crate::transcript::{DraftSource, Transcript};

/// Which transcript, and the list that it was found in.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Place {
    #[serde(flatten)]
    asked: Asked,
    /// `all`: the list goes over all runs.
    list: String,
}

/// The neighbours of a transcript in its list.
#[derive(Debug, Default)]
struct Neighbours {
    before: Option<Item>,
    after: Option<Item>,
}

/// A transcript.
pub(super) async fn show(
    pages: &Pages,
    visitor: &Visitor,
    place: Place,
) -> Result<Markup, Problem> {
    let Place { asked, list } = place;
    let stored = pages.transcript(&asked.run, &asked.record).await?;
    let standing = pages.freshen().await;
    let listed = Asked {
        run: if list == "all" {
            String::new()
        } else {
            asked.run.clone()
        },
        record: String::new(),
        ..asked.clone()
    };
    let neighbours = neighbours(pages, &asked, &listed).await?;
    let id = stored.row.sealed.record.clone();
    let leaf = pages.store().leaf_of(&asked.run, &id).await?;
    let leaf = leaf.map(|leaf| leaf.index);
    let reviews = pages.reviews().await?.of(&asked.run, &id).to_vec();
    let is_turn = may_decide(pages, visitor, &reviews) && stored.row.sealed.content != ERASED;
    let desk = is_turn.then(|| links::review_item(&asked.run, &asked.record));
    let head = pages
        .head(asked.record.clone())
        .below("Runs", "/")
        .below(asked.run.clone(), links::run(&asked.run))
        .below("Transcripts", listed.list())
        .standing(standing);
    // A long transcript takes a while to compare word by word.
    let content = tokio::task::spawn_blocking(move || {
        let turn = turn(&listed, &neighbours);
        match stored.row.sealed.open() {
            Ok(transcript) => {
                let decisions = decisions(&transcript, reviews, desk);
                whole(&stored, &transcript, leaf, &decisions, &turn)
            }
            Err(error) => unreadable(&stored, &error, leaf, &turn),
        }
    })
    .await?;
    Ok(layout::page(&head, &content))
}

async fn neighbours(pages: &Pages, asked: &Asked, listed: &Asked) -> Result<Neighbours, Problem> {
    let (run, record) = (asked.run.clone(), asked.record.clone());
    let (filter, sort) = (listed.filter(), listed.sort());
    pages
        .ask(move |index| {
            let Some(item) = index.item(&run, &record)? else {
                return Ok(Neighbours::default());
            };
            let here = Some(Cursor {
                step: sort.step(&item.facts),
                position: item.position,
            });
            let one = |backward| {
                let found = index.page(&filter, sort, here, backward, 1);
                found.map(|found| found.items.into_iter().next())
            };
            Ok(Neighbours {
                before: one(true)?,
                after: one(false)?,
            })
        })
        .await
}

fn turn(listed: &Asked, neighbours: &Neighbours) -> Markup {
    html! {
        nav.turn aria-label="Neighbouring transcripts" {
            @if let Some(item) = &neighbours.before {
                a rel="prev" href=(listed.transcript(&item.run, &item.record)) { "← Previous" }
            }
            @if let Some(item) = &neighbours.after {
                a rel="next" href=(listed.transcript(&item.run, &item.record)) { "Next →" }
            }
        }
    }
}

/// Whether somebody may decide about a record, and has not.
fn may_decide(pages: &Pages, visitor: &Visitor, reviews: &[Review]) -> bool {
    let is_done = reviews.iter().any(|review| review.author == visitor.name());
    pages.takes_reviews() && visitor.is(Role::Reviewer) && !is_done
}

fn decisions(transcript: &Transcript, reviews: Vec<Review>, desk: Option<String>) -> Decisions {
    let need = transcript.held.as_ref().map_or(1, |held| held.reviewers);
    let standing = standing(&reviews, need);
    let is_decided = matches!(standing, Standing::Decided(_));
    Decisions {
        desk: desk.filter(|_| !is_decided),
        standing,
        reviews,
    }
}

/// Everything about a transcript.
fn whole(
    stored: &StoredTranscript,
    transcript: &Transcript,
    leaf: Option<u64>,
    decisions: &Decisions,
    turn: &Markup,
) -> Markup {
    html! {
        div.title-row {
            h1 { (visible::text(transcript.record.id.as_str())) }
            (layout::outcome(Some(transcript.outcome)))
            (turn)
        }
        @if stored.row.sealed.content == ERASED {
            p.notice { "What this transcript said is gone: " (visible::text(&transcript.why)) "." }
        }
        (story(transcript))
        (decisions::section(transcript, decisions))
        (provenance::section(stored, transcript, leaf))
    }
}

/// What was asked, found and changed, and how it ended.
pub(super) fn story(transcript: &Transcript) -> Markup {
    html! {
        (glance::section(transcript))
        (conversation(transcript))
        (draft(transcript))
        (rounds::sections(transcript))
        (outcome(transcript))
    }
}

/// What was said before the answer.
pub(super) fn conversation(transcript: &Transcript) -> Markup {
    html! {
        section {
            h2 { "Conversation" }
            @for message in transcript.record.conversation.messages() {
                div class={ "message " (message.role) } {
                    span.speaker { (message.role) }
                    div.text dir="auto" { (fold::text(&message.content)) }
                }
            }
        }
    }
}

/// The draft, where no round shows it with its findings.
fn draft(transcript: &Transcript) -> Markup {
    let Some(draft) = &transcript.draft else {
        return html! { section { h2 { "Draft" } p { "There was no draft." } } };
    };
    html! {
        @if transcript.rounds.is_empty() {
            section {
                h2 { "Draft" }
                p.soft { (draft_source(draft.source)) }
                div.text dir="auto" { (fold::text(&draft.text)) }
            }
        }
    }
}

/// Where a draft came from.
fn draft_source(source: DraftSource) -> &'static str {
    match source {
        DraftSource::Given => "given with the record",
        DraftSource::Model => "written by the drafter",
    }
}

fn outcome(transcript: &Transcript) -> Markup {
    html! {
        section {
            h2 { "Outcome" }
            p { (layout::outcome(Some(transcript.outcome))) " " (visible::text(&transcript.why)) }
            @match &transcript.final_answer {
                Some(last) => {
                    h3 {
                        "Final answer "
                        span.soft {
                            @if last.round == 0 { "the draft" } @else { "the revision of round " (last.round) }
                        }
                    }
                    div.text.final dir="auto" { (fold::text(&last.text)) }
                }
                None => p { "There is no final answer." },
            }
        }
    }
}

/// What is left of a transcript that cannot be read.
fn unreadable(
    stored: &StoredTranscript,
    error: &serde_json::Error,
    leaf: Option<u64>,
    turn: &Markup,
) -> Markup {
    html! {
        div.title-row {
            h1 { (visible::text(stored.row.sealed.record.as_str())) }
            (layout::outcome(None))
            (turn)
        }
        p.notice {
            "This transcript cannot be read: it was erased, or a newer redraft wrote it ("
            (visible::text(&error.to_string())) "). What the store holds in its place:"
        }
        pre.text { (fold::text(&String::from_utf8_lossy(&stored.row.sealed.body))) }
        (provenance::seal(stored, leaf))
    }
}
