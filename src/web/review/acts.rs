//! What people do with records: each act leads on to a page, or is refused and changes nothing.

use tokio::sync::MutexGuard;

use super::desk::Look;
use super::questions::Questions;
use super::words::decided;
use super::{LEASE, Sent, find, must_take_reviews};
use crate::record::RecordId;
use crate::review::{Queue, Review, Reviews, Standing, Turn, Waiting};
use crate::telemetry;
use crate::web::access::{Role, Visitor};
use crate::web::asked::Asked;
use crate::web::number::{counted, thousands};
use crate::web::{Pages, Problem, links};

/// Claims the next record for somebody.
pub(in crate::web) async fn next(
    pages: &Pages,
    visitor: &Visitor,
    asked: &Asked,
) -> Result<String, Problem> {
    may_decide(pages, visitor)?;
    must_be_a_run(pages, &asked.run).await?;
    let mut reviews = pages.reviews().await?;
    take_next(pages, visitor, &asked.run, &mut reviews).await
}

/// Claims a certain record for somebody.
pub(in crate::web) async fn claim(
    pages: &Pages,
    visitor: &Visitor,
    asked: &Asked,
) -> Result<String, Problem> {
    let (queue, mut reviews, waiting) = begin(pages, visitor, asked).await?;
    take(pages, visitor, &queue, &mut reviews, &waiting).await?;
    Ok(links::review_item(&asked.run, &asked.record))
}

/// Keeps what somebody says before they see the findings, or that they do not say anything.
pub(in crate::web) async fn judge(
    pages: &Pages,
    visitor: &Visitor,
    asked: &Asked,
    sent: &Sent,
) -> Result<String, Problem> {
    let (queue, mut reviews, waiting) = begin(pages, visitor, asked).await?;
    must_be_the_same(sent, &waiting)?;
    let verdicts = match sent.field("do") {
        "skip" => Vec::new(),
        _ => sent.verdicts(&Questions::of(&waiting.transcript, None))?,
    };
    take(pages, visitor, &queue, &mut reviews, &waiting).await?;
    if !pages.desk().see(Look::of(visitor, &waiting), verdicts) {
        return Err(Problem::Conflict(format!(
            "You have seen the findings of {} already; what was said before them stays as it is.",
            asked.record
        )));
    }
    Ok(links::review_item(&asked.run, &asked.record))
}

/// Gives a record back.
pub(in crate::web) async fn release(
    pages: &Pages,
    visitor: &Visitor,
    asked: &Asked,
) -> Result<String, Problem> {
    may_decide(pages, visitor)?;
    must_be_a_run(pages, &asked.run).await?;
    let record = RecordId::new(asked.record.clone());
    let store = pages.store();
    store.release(&asked.run, &record, visitor.name()).await?;
    Ok(links::review(&asked.run))
}

/// Appends a decision, and claims the next record.
pub(in crate::web) async fn decide(
    pages: &Pages,
    visitor: &Visitor,
    asked: &Asked,
    sent: &Sent,
) -> Result<String, Problem> {
    let (queue, mut reviews, waiting) = begin(pages, visitor, asked).await?;
    let review = review(pages, visitor, &waiting, sent)?;
    review.check(&waiting.transcript, waiting.stored.row.sealed.digest)?;
    take(pages, visitor, &queue, &mut reviews, &waiting).await?;
    let is_disputed = reviews.standing(&waiting.transcript) == Standing::Disputed;
    if review.adjudicates != is_disputed {
        return Err(changed_meanwhile(&waiting));
    }
    let leaf = queue.decide(&review).await?;
    pages.desk().forget(&Look::of(visitor, &waiting));
    let word = format!(
        "{}: you {}, leaf {}.",
        asked.record,
        decided(&review.decision),
        thousands(leaf)
    );
    pages.desk().say(visitor, &word);
    // The decision is kept, whatever becomes of the next record.
    let next = take_next(pages, visitor, &asked.run, &mut reviews).await;
    Ok(next.unwrap_or_else(|_| links::review(&asked.run)))
}

/// What an act on a certain record needs, for those who may decide.
async fn begin<'p>(
    pages: &'p Pages,
    visitor: &Visitor,
    asked: &Asked,
) -> Result<(Queue, MutexGuard<'p, Reviews>, Waiting), Problem> {
    may_decide(pages, visitor)?;
    let queue = pages.queue(&asked.run, LEASE);
    let reviews = pages.reviews().await?;
    let waiting = find(&queue, &reviews, &RecordId::new(asked.record.clone())).await?;
    Ok((queue, reviews, waiting))
}

/// The review that a form says.
fn review(
    pages: &Pages,
    visitor: &Visitor,
    waiting: &Waiting,
    sent: &Sent,
) -> Result<Review, Problem> {
    let adjudicates = sent.field("adjudicate") == "yes";
    if adjudicates {
        visitor.must_be(Role::Admin)?;
    }
    if adjudicates != (waiting.standing == Standing::Disputed) {
        return Err(changed_meanwhile(waiting));
    }
    let record = waiting.transcript.record.id.clone();
    let before = pages.desk().seen(&Look::of(visitor, waiting));
    let before = before.ok_or_else(|| {
        Problem::Conflict(format!(
            "The findings of {record} were not shown to you since these pages were started: take the \
             first step again."
        ))
    })?;
    let given = sent.verdicts(&Questions::of(&waiting.transcript, None))?;
    if !before.is_empty() && !given.is_empty() {
        return Err(Problem::Conflict(
            "You have judged before you saw the findings; those verdicts stay as they are."
                .to_owned(),
        ));
    }
    let blind = !before.is_empty();
    Ok(Review {
        run: waiting.stored.run.clone(),
        record,
        transcript: sent.transcript()?,
        author: visitor.name().to_owned(),
        at: telemetry::now(),
        decision: sent.decision()?,
        verdicts: if blind { before } else { given },
        blind,
        note: sent.note(),
        adjudicates,
    })
}

fn may_decide(pages: &Pages, visitor: &Visitor) -> Result<(), Problem> {
    must_take_reviews(pages)?;
    visitor.must_be(Role::Reviewer)
}

async fn must_be_a_run(pages: &Pages, run: &str) -> Result<(), Problem> {
    if pages.store().run(run).await?.is_some() {
        return Ok(());
    }
    Err(Problem::Absent(format!(
        "There is no run {run} in this store."
    )))
}

fn must_be_the_same(sent: &Sent, waiting: &Waiting) -> Result<(), Problem> {
    if sent.transcript()? == waiting.stored.row.sealed.digest {
        return Ok(());
    }
    Err(changed_meanwhile(waiting))
}

fn changed_meanwhile(waiting: &Waiting) -> Problem {
    Problem::Conflict(format!(
        "{} has changed since its page was made. Load the page again.",
        waiting.transcript.record.id
    ))
}

/// Claims a record for somebody, or renews their claim, or says why not.
async fn take(
    pages: &Pages,
    visitor: &Visitor,
    queue: &Queue,
    reviews: &mut Reviews,
    waiting: &Waiting,
) -> Result<(), Problem> {
    let (name, is_admin) = (visitor.name(), visitor.is(Role::Admin));
    let transcript = &waiting.transcript;
    if queue.take(reviews, transcript, name, is_admin).await? {
        return Ok(());
    }
    let record = &transcript.record.id;
    Err(match reviews.turn(transcript, name, is_admin) {
        Turn::Done => Problem::Conflict(format!("You have decided about {record} already.")),
        Turn::Decided => Problem::Conflict(format!("{record} was decided meanwhile.")),
        Turn::Disputed => Problem::Forbidden(format!(
            "Those who reviewed {record} differ: an admin settles that."
        )),
        Turn::Open(_) => {
            let now = telemetry::now();
            let run = &waiting.stored.run;
            let looking = pages.store().claimants(run, record, &now).await?;
            let others = looking.iter().filter(|other| *other != name).count();
            Problem::Conflict(format!(
                "{} looks at {record} now, and it is not yours: your claim has run out, or you had none.",
                counted(others as u64, "other")
            ))
        }
    })
}

/// Claims the next record for somebody; gives where they go.
async fn take_next(
    pages: &Pages,
    visitor: &Visitor,
    run: &str,
    reviews: &mut Reviews,
) -> Result<String, Problem> {
    let desk = pages.desk();
    let (name, is_admin) = (visitor.name(), visitor.is(Role::Admin));
    let begin = desk.place(visitor, run);
    let queue = pages.queue(run, LEASE);
    let Some(waiting) = queue.next(reviews, name, is_admin, begin).await? else {
        desk.say(visitor, "Nothing is left for you in this queue.");
        return Ok(links::review(run));
    };
    desk.set_place(visitor, run, waiting.position);
    let record = waiting.transcript.record.id.as_str();
    Ok(links::review_item(run, record))
}
