//! The batches that an earlier process left at the provider.

use std::sync::Arc;

use super::desk::Desk;
use super::follow::{self, Batch};
use super::note::{BatchNote, PREFIX, forget_note, keep_note};
use super::patience::look_for;
use crate::digest::Digest;
use crate::model::ModelError;
use crate::model::journal::{Journal, JournalError};

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
        let open = open_rows(journal.as_ref(), &note).await?;
        if note.address != desk.provider.address() {
            if !open.is_empty() {
                tracing::warn!(
                    requests = open.len(),
                    "a batch waits at {}: it is taken up only by a run at that address",
                    note.address
                );
            }
            continue;
        }
        let id = match &note.batch {
            _ if open.is_empty() => None,
            Some(id) => Some(id.clone()),
            None => find(desk, tag, &note).await?,
        };
        let Some(id) = id else {
            // Whoever makes that batch just now has noted its id meanwhile.
            if journal.notes(desk.provider.model(), &name).await? == [(name.clone(), value)] {
                forget_note(desk, tag).await?;
            }
            continue;
        };
        tracing::info!(batch = id, requests = open.len(), "a batch is taken up");
        let number = desk.state().take_up(note.rows.clone(), &open);
        let batch = Batch {
            number,
            tag: tag.to_owned(),
            id,
            rows: note.rows,
            is_taken_up: true,
        };
        desk.spawn(follow::resume(Arc::clone(desk), batch));
    }
    Ok(())
}

/// How many requests of a model are in batches of which nobody has read the results; a process that
/// does not take them up pays for them again.
///
/// # Errors
///
/// When the journal cannot be read.
pub async fn left_open(journal: &dyn Journal, model: &str) -> Result<usize, JournalError> {
    let mut count = 0;
    for (_, value) in journal.notes(model, PREFIX).await? {
        if let Ok(note) = serde_json::from_str::<BatchNote>(&value) {
            count += open_rows(journal, &note).await?.len();
        }
    }
    Ok(count)
}

/// The rows whose replies the journal lacks.
async fn open_rows(journal: &dyn Journal, note: &BatchNote) -> Result<Vec<Digest>, JournalError> {
    let mut open = Vec::new();
    for row in &note.rows {
        if journal.reply(*row).await?.is_none() {
            open.push(*row);
        }
    }
    Ok(open)
}

/// The batch that an earlier process was about to make; nothing when there is none.
async fn find(desk: &Desk, tag: &str, note: &BatchNote) -> Result<Option<String>, ModelError> {
    match look_for(desk, &note.file, tag).await {
        Ok(Some(made)) => {
            let note = BatchNote {
                batch: Some(made.id.clone()),
                ..note.clone()
            };
            keep_note(desk, tag, &note).await?;
            Ok(Some(made.id))
        }
        Ok(None) => Ok(None),
        Err(ModelError::Status {
            status: 404 | 405 | 501,
            ..
        }) => {
            tracing::warn!("the provider does not list batches: one may be paid for twice");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
