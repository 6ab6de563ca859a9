//! One batch from its closing to the journal: submitted, looked at until it ends, read, forgotten.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::desk::Desk;
use super::make::make;
use super::note::forget_note;
use super::patience::unless_gone;
use super::provider::{BatchState, BatchStatus};
use super::refusal::{refuse, refused};
use super::results::read;
use super::setback::{RowEnd, Setback};
use super::state::Closed;
use super::{EXPIRED, NO_RESULT};
use crate::digest::Digest;
use crate::model::{ModelError, Reach};

/// How often the journal is asked whether it has the replies of a batch, at first and at last.
const FIRST_LOOK: Duration = Duration::from_millis(500);
const LAST_LOOK: Duration = Duration::from_secs(60);

/// A batch on its way.
pub(super) struct Batch {
    pub(super) number: u64,
    /// What the journal has it under; also its mark at the provider.
    pub(super) tag: String,
    /// The provider's name for it.
    pub(super) id: String,
    /// Its rows, in the order of the input file.
    pub(super) rows: Vec<Digest>,
    /// Whether an earlier process made it.
    pub(super) is_taken_up: bool,
}

/// Submits a batch and sees it through.
pub(super) async fn submit(desk: Arc<Desk>, closed: Closed) {
    let number = closed.number;
    let submitted = match make(&desk, closed).await {
        Ok(batch) => see_through(&desk, &batch).await,
        Err(error) => Err(error),
    };
    if let Err(error) = submitted {
        give_up(&desk, number, error);
    }
}

/// Sees a batch through that an earlier process submitted.
pub(super) async fn resume(desk: Arc<Desk>, batch: Batch) {
    if let Err(error) = see_through(&desk, &batch).await {
        give_up(&desk, batch.number, error);
    }
}

/// Lets every call that waits for the batch fail; the note stays, and so does what was paid.
fn give_up(desk: &Desk, number: u64, error: ModelError) {
    let mut state = desk.state();
    state.settle(number, HashMap::new(), &Setback::Final(error));
    state.forget(number);
}

/// Waits for the batch's end, tells its rows, and forgets it once the journal has its replies.
async fn see_through(desk: &Desk, batch: &Batch) -> Result<(), ModelError> {
    let began = Instant::now();
    let Some(ended) = wait_for_end(desk, &batch.id).await? else {
        tracing::warn!(
            batch = batch.id,
            "the provider no longer knows the batch: its requests go into another one"
        );
        return void(desk, batch, HashMap::new(), &Setback::Unfinished(NO_RESULT)).await;
    };
    tracing::info!(batch = batch.id, status = ?ended.status, "a batch has ended");
    if ended.status == BatchStatus::Failed {
        return refuse(desk, batch, &ended).await;
    }
    let mut ends = read(desk, batch, &ended).await?;
    if batch.is_taken_up {
        forgive(&mut ends);
    }
    let replies = ends.iter().filter(|(_, end)| end.is_ok());
    let paid: Vec<Digest> = replies.map(|(id, _)| *id).collect();
    {
        let mut state = desk.state();
        state.last_took = began.elapsed();
        if ended.status == BatchStatus::Completed {
            state.grow(desk.options.max_requests);
        }
        let otherwise = match ended.status {
            BatchStatus::Expired => Setback::Unfinished(EXPIRED),
            BatchStatus::Cancelled => Setback::Cancelled,
            _ => Setback::Unfinished(NO_RESULT),
        };
        state.settle(batch.number, ends, &otherwise);
    }
    wait_for_journal(desk, batch, paid).await?;
    forget_note(desk, &batch.tag).await?;
    desk.state().forget(batch.number);
    Ok(())
}

/// What the server, the key or the account refused in an earlier process's time may be put right by
/// now: such rows are asked again.
fn forgive(ends: &mut HashMap<Digest, RowEnd>) {
    for end in ends.values_mut() {
        if let Err(Setback::Failed(error)) = end
            && (error.blames_server() || error.reach() == Reach::Run)
        {
            *end = Err(Setback::Innocent);
        }
    }
}

/// Looks at the batch until it has ended; nothing when the provider does not know it.
async fn wait_for_end(desk: &Desk, id: &str) -> Result<Option<BatchState>, ModelError> {
    let mut wait = desk.options.first_poll;
    loop {
        let seen = unless_gone(desk, || desk.provider.retrieve(id)).await;
        match seen.map_err(|error| refused(desk, error))? {
            Some(state) if state.status == BatchStatus::UnderWay => {}
            outcome => return Ok(outcome),
        }
        sleep(wait).await;
        wait = wait.mul_f32(1.5).min(desk.options.longest_poll);
    }
}

/// Ends a batch that has no replies. Its note goes first: nobody must wait for it again.
pub(super) async fn void(
    desk: &Desk,
    batch: &Batch,
    ends: HashMap<Digest, RowEnd>,
    otherwise: &Setback,
) -> Result<(), ModelError> {
    forget_note(desk, &batch.tag).await?;
    let mut state = desk.state();
    state.settle(batch.number, ends, otherwise);
    state.forget(batch.number);
    Ok(())
}

/// Waits until the journal has every reply that was paid for.
async fn wait_for_journal(
    desk: &Desk,
    batch: &Batch,
    mut paid: Vec<Digest>,
) -> Result<(), ModelError> {
    let Some(journal) = &desk.journal else {
        return Ok(());
    };
    let mut wait = FIRST_LOOK;
    while !paid.is_empty() {
        sleep(wait).await;
        wait = wait.saturating_mul(2).min(LAST_LOOK);
        let mut missing = Vec::new();
        for id in paid {
            let is_unclaimed = desk.state().is_unclaimed(batch.number, &id);
            if is_unclaimed || journal.reply(id).await?.is_none() {
                missing.push(id);
            }
        }
        paid = missing;
    }
    Ok(())
}
