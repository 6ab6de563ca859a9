//! One batch from its closing to the journal: submitted, looked at until it ends, read, forgotten.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep};

use super::desk::Desk;
use super::note::{BatchNote, PREFIX};
use super::patience::{Patience, patiently};
use super::provider::{BatchState, BatchStatus};
use super::setback::{RowEnd, Setback};
use super::state::Closed;
use super::{EXPIRED, NO_RESULT};
use crate::digest::Digest;
use crate::model::ModelError;

/// How often the journal is asked whether it has the replies of a batch, at first and at last.
const FIRST_LOOK: Duration = Duration::from_millis(500);
const LAST_LOOK: Duration = Duration::from_secs(60);

/// A batch on its way.
struct Batch {
    number: u64,
    /// What the journal has it under; also its mark at the provider.
    tag: String,
    id: String,
    /// Its rows, in the order of the input file.
    rows: Vec<Digest>,
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
async fn resume(desk: Arc<Desk>, batch: Batch) {
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

/// Uploads the file and makes the batch. What is about to be paid for is noted first, so that a
/// process after this one can look for it.
async fn make(desk: &Desk, closed: Closed) -> Result<Batch, ModelError> {
    let Closed {
        number,
        rows,
        lines,
    } = closed;
    let tag = tag(number, &lines);
    let provider = &desk.provider;
    let file = patiently(desk, || provider.upload(lines.clone(), &tag))
        .await
        .map_err(|error| refused(desk, error))?;
    let mut note = BatchNote {
        address: provider.address().to_owned(),
        file,
        batch: None,
        rows,
    };
    keep_note(desk, &tag, &note).await?;
    let made = match create(desk, &note.file, &tag).await {
        Ok(made) => made,
        Err(Unmade { error, is_certain }) => {
            if is_certain {
                forget_note(desk, &tag).await?;
            }
            return Err(refused(desk, error));
        }
    };
    note.batch = Some(made.id.clone());
    keep_note(desk, &tag, &note).await?;
    tracing::info!(
        model = provider.model(),
        batch = made.id,
        requests = note.rows.len(),
        "a batch was submitted"
    );
    Ok(Batch {
        number,
        tag,
        id: made.id,
        rows: note.rows,
    })
}

/// Why a batch was not made, or may not have been.
struct Unmade {
    error: ModelError,
    is_certain: bool,
}

/// Makes the batch. Where a request to do so got no clear answer, the batch may be there: it is
/// looked for before another one is made.
async fn create(desk: &Desk, file: &str, tag: &str) -> Result<BatchState, Unmade> {
    let mut patience = Patience::new(desk);
    loop {
        let error = match desk.provider.create(file, tag).await {
            Ok(made) => return Ok(made),
            Err(error) => error,
        };
        let is_certain = is_refusal(&error);
        let gone_on = patience.after(error).await;
        gone_on.map_err(|error| Unmade { error, is_certain })?;
        if is_certain {
            continue;
        }
        let found = patiently(desk, || desk.provider.find(file, tag)).await;
        let is_certain = false;
        if let Some(made) = found.map_err(|error| Unmade { error, is_certain })? {
            return Ok(made);
        }
    }
}

/// Whether the error says for certain that nothing was made.
fn is_refusal(error: &ModelError) -> bool {
    let is_clear = |status: u16| (300..500).contains(&status) && !matches!(status, 408 | 409);
    error.is_not_connected()
        || matches!(error, ModelError::Status { status, .. } if is_clear(*status))
}

/// What tells this batch from every other one; the tags of later ones sort later.
fn tag(number: u64, lines: &Bytes) -> String {
    let now = jiff::Timestamp::now();
    let process = std::process::id();
    let what = format!("{process} {number} {now} {}", Digest::of(lines));
    let milliseconds = now.as_millisecond();
    format!("{milliseconds:015}-{}", Digest::of(what.as_bytes()).short())
}

/// What a refusal of a file or a batch means: no batch of this model will be taken.
fn refused(desk: &Desk, error: ModelError) -> ModelError {
    let address = desk.provider.address();
    let hint = match &error {
        ModelError::Status { status, .. } => match status {
            404 | 405 | 501 => format!(
                "no files or batches are taken at {address}: leave `batch` out for this model, or \
                 check its base URL"
            ),
            // Before anything has worked, the key's own hint is the better one.
            401 | 403 if !desk.was_reached() => return error,
            401 | 403 => format!("check whether the key may still be used at {address}"),
            _ => format!("{address} refused the batch; what it said stands below"),
        },
        ModelError::Garbled { .. } => {
            format!("what {address} says about files and batches cannot be understood")
        }
        _ => return error,
    };
    ModelError::Unusable {
        model: desk.provider.model().to_owned(),
        hint,
        source: Box::new(error),
    }
}

/// Waits for the batch's end, tells its rows, and forgets it once the journal has its replies.
async fn see_through(desk: &Desk, batch: &Batch) -> Result<(), ModelError> {
    let began = Instant::now();
    let Some(ended) = wait_for_end(desk, &batch.id).await? else {
        tracing::warn!(batch = batch.id, "the provider no longer knows the batch");
        return void(desk, batch, HashMap::new(), &Setback::Unfinished(NO_RESULT)).await;
    };
    tracing::info!(batch = batch.id, status = ?ended.status, "a batch has ended");
    if ended.status == BatchStatus::Failed {
        return refuse(desk, batch, &ended).await;
    }
    let ends = read(desk, batch, &ended).await?;
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

/// Looks at the batch until it has ended; nothing when the provider does not know it.
async fn wait_for_end(desk: &Desk, id: &str) -> Result<Option<BatchState>, ModelError> {
    let mut wait = desk.options.first_poll;
    loop {
        match patiently(desk, || desk.provider.retrieve(id)).await {
            Ok(state) if state.status != BatchStatus::UnderWay => return Ok(Some(state)),
            Ok(_) => {}
            Err(ModelError::Status { status: 404, .. }) => return Ok(None),
            Err(error) => return Err(refused(desk, error)),
        }
        sleep(wait).await;
        wait = wait.mul_f32(1.5).min(desk.options.longest_poll);
    }
}

/// A batch that was refused as a whole, and cost nothing.
async fn refuse(desk: &Desk, batch: &Batch, ended: &BatchState) -> Result<(), ModelError> {
    if let Some(fault) = ended.faults.iter().find(|fault| fault.is_full_queue()) {
        tracing::warn!(
            model = desk.provider.model(),
            reason = fault.message,
            "too much waits at the provider; smaller batches are submitted later"
        );
        let others = {
            let mut state = desk.state();
            state.shrink(batch.rows.len(), desk.options.longest_poll);
            state.open_batches() > 1
        };
        // A request that does not fit even alone, with nothing before it, will hardly ever fit.
        let setback = if batch.rows.len() > 1 || others {
            Setback::Innocent
        } else {
            Setback::Failed(row_refused(desk, 429, &fault.message))
        };
        return void(desk, batch, HashMap::new(), &setback).await;
    }
    let mut guilty: HashMap<Digest, RowEnd> = HashMap::new();
    for fault in &ended.faults {
        let line = fault.line.and_then(|line| line.checked_sub(1));
        if let Some(id) = line.and_then(|line| batch.rows.get(line)) {
            let error = row_refused(desk, 400, &fault.message);
            guilty.insert(*id, Err(Setback::Failed(error)));
        }
    }
    if !guilty.is_empty() {
        return void(desk, batch, guilty, &Setback::Innocent).await;
    }
    let messages: Vec<&str> = (ended.faults.iter())
        .map(|fault| fault.message.as_str())
        .collect();
    let said = if messages.is_empty() {
        "it gave no reason".to_owned()
    } else {
        messages.join("; ")
    };
    let unusable = refused(desk, row_refused(desk, 400, &said));
    void(desk, batch, HashMap::new(), &Setback::Final(unusable)).await
}

fn row_refused(desk: &Desk, status: u16, message: &str) -> ModelError {
    ModelError::Status {
        endpoint: desk.provider.address().to_owned(),
        status,
        message: message.to_owned(),
        retry_after: None,
    }
}

/// Ends a batch that has no replies. Its note goes first: nobody must wait for it again.
async fn void(
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

/// How the rows ended, as the batch's files say.
async fn read(
    desk: &Desk,
    batch: &Batch,
    ended: &BatchState,
) -> Result<HashMap<Digest, RowEnd>, ModelError> {
    let known: HashSet<&Digest> = batch.rows.iter().collect();
    let mut ends: HashMap<Digest, RowEnd> = HashMap::new();
    let mut odd = 0_u64;
    for file in [&ended.output_file, &ended.error_file]
        .into_iter()
        .flatten()
    {
        for line in lines(&download(desk, file).await?) {
            let Some((id, end)) = desk.provider.read_line(&line) else {
                odd += 1;
                continue;
            };
            if !known.contains(&id) {
                odd += 1;
            } else if desk.state().wants(batch.number, &id)
                && ends
                    .get(&id)
                    .is_none_or(|known| known.is_err() && end.is_ok())
            {
                ends.insert(id, end);
            }
        }
    }
    if odd > 0 {
        tracing::warn!(
            batch = batch.id,
            lines = odd,
            "lines of a batch's results cannot be read, or belong to no request of it"
        );
    }
    Ok(ends)
}

/// A file of results; one that is gone is empty, and its rows have no result.
async fn download(desk: &Desk, file: &str) -> Result<Bytes, ModelError> {
    match patiently(desk, || desk.provider.content(file)).await {
        Err(ModelError::Status { status: 404, .. }) => {
            tracing::warn!(file, "a file of a batch's results is gone");
            Ok(Bytes::new())
        }
        outcome => outcome.map_err(|error| refused(desk, error)),
    }
}

fn lines(file: &Bytes) -> impl Iterator<Item = Bytes> {
    let lines = file.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines
        .filter(|line| !line.is_empty())
        .map(|line| file.slice_ref(line))
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

/// Reads back the batches that an earlier process noted, and sees those through of which the
/// journal lacks replies.
///
/// # Errors
///
/// When the journal cannot be read, or the provider cannot say whether a batch was made.
pub(super) async fn take_up(desk: &Arc<Desk>) -> Result<(), ModelError> {
    let Some(journal) = &desk.journal else {
        return Ok(());
    };
    for (name, value) in journal.notes(desk.provider.model(), PREFIX).await? {
        let note = serde_json::from_str::<BatchNote>(&value).ok();
        let (Some(note), Some(tag)) = (note, name.strip_prefix(PREFIX)) else {
            tracing::warn!(name, "a note about a batch cannot be read");
            continue;
        };
        if note.address != desk.provider.address() {
            continue;
        }
        let mut open = Vec::new();
        for row in &note.rows {
            if journal.reply(*row).await?.is_none() {
                open.push(*row);
            }
        }
        let id = match &note.batch {
            _ if open.is_empty() => None,
            Some(id) => Some(id.clone()),
            None => look_for(desk, tag, &note).await?,
        };
        let Some(id) = id else {
            forget_note(desk, tag).await?;
            continue;
        };
        tracing::info!(batch = id, requests = open.len(), "a batch is taken up");
        let number = desk.state().take_up(note.rows.clone(), &open);
        let batch = Batch {
            number,
            tag: tag.to_owned(),
            id,
            rows: note.rows,
        };
        desk.spawn(resume(Arc::clone(desk), batch));
    }
    Ok(())
}

/// The batch that an earlier process was about to make; nothing when there is none.
async fn look_for(desk: &Desk, tag: &str, note: &BatchNote) -> Result<Option<String>, ModelError> {
    for pause in [Duration::ZERO, desk.options.first_poll] {
        // What was asked for just before the end may take a moment to appear.
        sleep(pause).await;
        let found = patiently(desk, || desk.provider.find(&note.file, tag)).await;
        match found {
            Ok(Some(made)) => {
                let note = BatchNote {
                    batch: Some(made.id.clone()),
                    ..note.clone()
                };
                keep_note(desk, tag, &note).await?;
                return Ok(Some(made.id));
            }
            Ok(None) => {}
            Err(ModelError::Status {
                status: 404 | 405 | 501,
                ..
            }) => {
                tracing::warn!("the provider does not list batches: one may be paid for twice");
                return Ok(None);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

async fn keep_note(desk: &Desk, tag: &str, note: &BatchNote) -> Result<(), ModelError> {
    let Some(journal) = &desk.journal else {
        return Ok(());
    };
    let value = serde_json::to_string(note).expect("a note is plain data");
    let name = format!("{PREFIX}{tag}");
    Ok(journal
        .set_note(desk.provider.model(), &name, &value)
        .await?)
}

async fn forget_note(desk: &Desk, tag: &str) -> Result<(), ModelError> {
    let Some(journal) = &desk.journal else {
        return Ok(());
    };
    let name = format!("{PREFIX}{tag}");
    Ok(journal.forget_note(desk.provider.model(), &name).await?)
}
