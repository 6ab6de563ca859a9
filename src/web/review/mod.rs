//! Review by people: the queue of held records, and each record in two steps, first without what the
//! critic found in it and then with it.
//!
//! `queue` and `item` are pages, `blind` and `findings` the two steps of an item, `acts` what forms do.
//! `sent` reads forms, `questions` asks about principles, `desk` remembers what is between two pages of
//! one person, `words` and `counts` tell reviews and queues, `measures` the critic by what people say. What is decided is decided in
//! [`crate::review`].

mod acts;
mod blind;
mod counts;
mod desk;
mod findings;
mod item;
mod measures;
mod questions;
mod queue;
mod sent;
#[cfg(test)]
mod tests;
mod words;

use std::time::Duration;

use super::{Pages, Problem};
use crate::record::RecordId;
use crate::review::{Queue, Reviews, Waiting};

pub(super) use acts::{claim, decide, judge, next, release};
pub(super) use desk::Desk;
pub(super) use item::show_item;
pub(super) use queue::show_queue;
pub(super) use sent::Sent;
pub(super) use words::{reasons, review, standing};

/// How long a claim lasts; each page of the record renews it.
const LEASE: Duration = Duration::from_secs(15 * 60);

/// That people decide on these pages at all.
fn must_take_reviews(pages: &Pages) -> Result<(), Problem> {
    if pages.takes_reviews() {
        return Ok(());
    }
    Err(Problem::Forbidden(
        "These pages only read the store. `redraft view --review` opens it for people who decide."
            .to_owned(),
    ))
}

/// A record of a queue about which there is something to decide.
async fn find(queue: &Queue, reviews: &Reviews, record: &RecordId) -> Result<Waiting, Problem> {
    let waiting = queue.find(reviews, record).await?;
    if waiting.is_erased() {
        return Err(Problem::Absent(format!(
            "What the transcript of {record} said was erased; there is nothing left to review."
        )));
    }
    Ok(waiting)
}
