//! A closed batch goes up: its file, the note about it, the batch itself.

use bytes::Bytes;

use super::desk::Desk;
use super::follow::Batch;
use super::note::{BatchNote, forget_note, keep_note};
use super::patience::{Patience, look_for, patiently};
use super::provider::BatchState;
use super::refusal::refused;
use super::state::Closed;
use crate::digest::Digest;
use crate::model::ModelError;

/// Uploads the file and makes the batch. What is about to be paid for is noted first, so that a
/// process after this one can look for it.
pub(super) async fn make(desk: &Desk, closed: Closed) -> Result<Batch, ModelError> {
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
    desk.state().made(number);
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
        is_taken_up: false,
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
        let found = look_for(desk, file, tag).await;
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
