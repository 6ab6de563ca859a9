//! What it means when the provider refuses a file, or a batch as a whole.

use std::collections::HashMap;

use super::desk::Desk;
use super::follow::{Batch, void};
use super::provider::BatchState;
use super::setback::{RowEnd, Setback};
use crate::digest::Digest;
use crate::model::ModelError;

/// What a refusal of a file or a batch means: no batch of this model will be taken.
pub(super) fn refused(desk: &Desk, error: ModelError) -> ModelError {
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

/// A batch that was refused as a whole, and cost nothing.
pub(super) async fn refuse(
    desk: &Desk,
    batch: &Batch,
    ended: &BatchState,
) -> Result<(), ModelError> {
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
