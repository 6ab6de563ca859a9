//! Noting in the store how far a run is, beside the rows: nobody waits for the disk but this.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::RunError;
use crate::store::{Checkpoint, Store, StoreError};

/// Takes checkpoints and writes the newest one whenever the last is written.
#[derive(Debug)]
pub(super) struct Checkpoints {
    newest: Option<watch::Sender<Checkpoint>>,
    writing: JoinHandle<Result<(), StoreError>>,
}

impl Checkpoints {
    /// Begins to write the checkpoints of a run.
    pub(super) fn start(store: Arc<dyn Store>, run: String) -> Self {
        let (newest, mut noted) = watch::channel(Checkpoint::default());
        let writing = tokio::spawn(async move {
            while noted.changed().await.is_ok() {
                let checkpoint = *noted.borrow_and_update();
                store.set_checkpoint(&run, checkpoint).await?;
            }
            Ok(())
        });
        Self {
            newest: Some(newest),
            writing,
        }
    }

    /// Hands over a checkpoint that holds by now.
    pub(super) fn note(&self, checkpoint: Checkpoint) {
        if let Some(newest) = &self.newest {
            // When writing has failed nobody listens any more, and `finish` says why.
            let _ = newest.send(checkpoint);
        }
    }

    /// Waits until the newest checkpoint is written.
    pub(super) async fn finish(&mut self) -> Result<(), RunError> {
        if self.newest.take().is_none() {
            return Ok(());
        }
        (&mut self.writing)
            .await
            .map_err(|error| RunError::Worker(error.to_string()))??;
        Ok(())
    }
}
