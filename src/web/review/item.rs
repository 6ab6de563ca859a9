//! The page of one record for somebody who reviews it: the way in, and its two steps.

use maud::{Markup, html};

use super::desk::Look;
use super::questions::Questions;
use super::{blind, findings, must_take_reviews, words};
use crate::record::RecordId;
use crate::review::{Review, Turn, Waiting};
use crate::telemetry;
use crate::web::access::{Role, Visitor};
use crate::web::asked::Asked;
use crate::web::constitutions::constitution;
use crate::web::layout;
use crate::web::number::counted;
use crate::web::{Pages, Problem, links, visible};

/// What keys do on this page.
const KEYS: [(&str, &str); 12] = [
    ("j k", "the next principle, the one before"),
    ("v", "the text violates it"),
    ("c", "the text keeps it"),
    ("u", "nothing said of it"),
    ("s Enter", "judge and see the findings"),
    ("a", "approve the final answer"),
    ("0 1–9", "choose the draft, or the text of that round"),
    ("e", "write another answer"),
    ("x", "reject every text"),
    ("m", "a note"),
    ("Enter", "send what is chosen; from within a text with Ctrl"),
    ("g", "give the record back"),
];

/// A record that somebody looks at.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) waiting: Waiting,
    pub(super) questions: Questions,
    /// What others decided, for somebody who settles between them.
    pub(super) others: Vec<Review>,
}

impl Item {
    /// The address of something that is done with the record.
    pub(super) fn act(&self, what: &str) -> String {
        let waiting = &self.waiting;
        let record = waiting.transcript.record.id.as_str();
        let place = [("run", waiting.stored.run.as_str()), ("record", record)];
        links::link(&format!("/review/{what}"), &place)
    }

    /// The fields that every form about the record has.
    pub(super) fn fields(&self, visitor: &Visitor) -> Markup {
        html! {
            (visitor.form_field())
            input type="hidden" name="transcript" value=(self.waiting.stored.row.sealed.digest);
        }
    }

    /// The button that gives the record back.
    pub(super) fn give_back(&self, visitor: &Visitor) -> Markup {
        html! {
            form.actions method="post" action=(self.act("release")) {
                (self.fields(visitor))
                button.plain type="submit" data-key="g" { "Give it back " kbd { "g" } }
            }
        }
    }
}

/// How somebody stands to a record.
#[derive(Debug)]
enum Door {
    /// They have claimed it.
    In,
    /// They may claim it, beside so many others.
    Closed { others: usize },
    /// So many others look at it, and no more may.
    Full { others: usize },
    /// It is not their turn.
    Shut(Turn),
}

/// A record for somebody who reviews it.
pub(in crate::web) async fn show_item(
    pages: &Pages,
    visitor: &Visitor,
    asked: &Asked,
) -> Result<Markup, Problem> {
    must_take_reviews(pages)?;
    visitor.must_be(Role::Reviewer)?;
    let (item, door) = enter(pages, visitor, asked).await?;
    let look = Look::of(visitor, &item.waiting);
    let seen = pages.desk().seen(&look);
    let said = pages.desk().said(visitor);
    let visitor = visitor.clone();
    let record = asked.record.clone();
    let head = pages
        .head(record.clone())
        .at("/review")
        .keys(&KEYS)
        .below("Review", links::review(&asked.run))
        .below(asked.run.clone(), links::run(&asked.run));
    // A long transcript takes a while to compare word by word.
    let content = tokio::task::spawn_blocking(move || {
        html! {
            @if let Some(said) = &said { p.notice.done role="status" { (visible::text(said)) } }
            div.title-row {
                h1 { (visible::text(&record)) }
                (words::standing(&item.waiting.standing))
            }
            @match (door, seen) {
                (Door::In, None) => (blind::page(&item, &visitor)),
                (Door::In, Some(verdicts)) => (findings::page(&item, &visitor, &verdicts)),
                (door, _) => (closed(&item, &visitor, &door)),
            }
        }
    })
    .await?;
    Ok(layout::page(&head, &content))
}

/// Finds a record and renews the claim of whoever has one.
async fn enter(pages: &Pages, visitor: &Visitor, asked: &Asked) -> Result<(Item, Door), Problem> {
    let (name, is_admin) = (visitor.name(), visitor.is(Role::Admin));
    let queue = pages.queue(&asked.run, super::LEASE);
    let record = RecordId::new(asked.record.clone());
    let mut reviews = pages.reviews().await?;
    let waiting = super::find(&queue, &reviews, &record).await?;
    let now = telemetry::now();
    let mut looking = pages.store().claimants(&asked.run, &record, &now).await?;
    let has_claim = looking.iter().any(|other| other == name);
    looking.retain(|other| other != name);
    let transcript = &waiting.transcript;
    let is_in = has_claim && queue.take(&mut reviews, transcript, name, is_admin).await?;
    let others = looking.len();
    let door = match reviews.turn(transcript, name, is_admin) {
        Turn::Open(_) if is_in => Door::In,
        Turn::Open(most) if others < most as usize => Door::Closed { others },
        Turn::Open(_) => Door::Full { others },
        turn => Door::Shut(turn),
    };
    let given = reviews.of(&asked.run, &record).to_vec();
    drop(reviews);
    let mark = transcript.provenance.constitution.as_ref();
    let known = match mark {
        Some(mark) => constitution(pages.store(), mark.digest).await,
        None => None,
    };
    let item = Item {
        questions: Questions::of(transcript, known.as_deref()),
        others: given,
        waiting,
    };
    Ok((item, door))
}

/// What somebody is told who is not in.
fn closed(item: &Item, visitor: &Visitor, door: &Door) -> Markup {
    let transcript = &item.waiting.transcript;
    let run = &item.waiting.stored.run;
    html! {
        @match door {
            Door::In => {},
            Door::Closed { others } => {
                p {
                    "You have not claimed this record, or your claim has run out. "
                    (looking(*others))
                }
                form.actions method="post" action=(item.act("claim")) {
                    (item.fields(visitor))
                    button.large type="submit" data-send { "Review it" }
                }
            },
            Door::Full { others } => p { (looking(*others)) " No more may at once: take another one." },
            Door::Shut(Turn::Done) => p { "You have decided about this record. Others still have to." },
            Door::Shut(Turn::Disputed) => p {
                "Those who reviewed this record differ. An admin who has not reviewed it settles that."
            },
            Door::Shut(_) => p { "This record is decided." },
        }
        p.actions {
            a href=(links::review(run)) { "The queue" }
            @if matches!(door, Door::Shut(_)) {
                a href=(links::transcript(run, transcript.record.id.as_str())) { "The transcript" }
            }
        }
    }
}

fn looking(others: usize) -> Markup {
    html! {
        @match others {
            0 => "Nobody looks at it now.",
            1 => "One other person looks at it now.",
            others => { (counted(others as u64, "other")) " look at it now." },
        }
    }
}
