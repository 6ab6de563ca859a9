//! What it means when the provider refuses a file, or a batch as a whole.

use std::collections::HashMap;

use super::desk::Desk;
use super::follow::{Batch, void};
use super::provider::{BatchFault, BatchState};
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
            _ => put_right(address),
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
            Setback::Failed(ModelError::Status {
                endpoint: desk.provider.address().to_owned(),
                status: 429,
                message: fault.message.clone(),
                retry_after: None,
            })
        };
        return void(desk, batch, HashMap::new(), &setback).await;
    }
    let mut guilty: HashMap<Digest, RowEnd> = HashMap::new();
    for fault in &ended.faults {
        let line = fault.line.and_then(|line| line.checked_sub(1));
        if let Some(id) = line.and_then(|line| batch.rows.get(line)) {
            let text = format!("the provider refused this request: {}", fault.message);
            guilty.insert(*id, Err(Setback::Failed(ModelError::Other(text))));
        }
    }
    if !guilty.is_empty() {
        return void(desk, batch, guilty, &Setback::Innocent).await;
    }
    let whole = whole_refused(desk, &ended.faults);
    void(desk, batch, HashMap::new(), &Setback::Final(whole)).await
}

/// Why no request of a batch is to blame, and none will be taken.
fn whole_refused(desk: &Desk, faults: &[BatchFault]) -> ModelError {
    let address = desk.provider.address();
    let messages: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
    let said = if messages.is_empty() {
        "it gave no reason".to_owned()
    } else {
        messages.join("; ")
    };
    if faults.iter().any(|fault| fault.is_about_money) {
        return ModelError::OutOfMoney {
            endpoint: address.to_owned(),
            message: said,
        };
    }
    let text = format!("the provider refused the batch: {said}");
    ModelError::Unusable {
        model: desk.provider.model().to_owned(),
        hint: put_right(address),
        source: Box::new(ModelError::Other(text)),
    }
}

fn put_right(address: &str) -> String {
    format!(
        "put right what {address} says, and give the same command again: it goes on where it \
         stopped"
    )
}
