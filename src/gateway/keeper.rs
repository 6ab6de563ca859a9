//! Keeping transcripts: before the answer leaves, or as it leaves, and never more of them waiting
//! than fit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures::future::join_all;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, Semaphore};

use crate::digest::Digest;
use crate::store::{RunState, SealedRow, Store, StoreError};
use crate::telemetry;
use crate::transcript::Transcript;

/// How many answered requests may wait for the store; who comes after that waits, too.
const WAITING: u32 = 4096;

/// Whether an answer waits until its transcript would survive a crash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// It does.
    BeforeReply,
    /// It leaves while the transcript is written: a crash may cost the last few.
    #[default]
    Async,
}

/// A transcript before its bytes are fixed.
#[derive(Clone, Debug)]
pub(super) struct Unsealed {
    /// The digest of the record's content.
    pub(super) content: Digest,
    /// The transcript.
    pub(super) transcript: Transcript,
}

/// Keeps transcripts.
#[derive(Debug)]
pub(super) struct Keeper {
    store: Arc<dyn Store>,
    durability: Durability,
    room: Arc<Semaphore>,
    failing: Arc<AtomicBool>,
    trying: Mutex<()>,
    count: AtomicU64,
}

impl Keeper {
    pub(super) fn new(store: Arc<dyn Store>, durability: Durability) -> Self {
        Self {
            store,
            durability,
            room: Arc::new(Semaphore::new(WAITING as usize)),
            failing: Arc::default(),
            trying: Mutex::default(),
            count: AtomicU64::new(0),
        }
    }

    /// Where transcripts are kept.
    pub(super) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Whether the last transcript could not be kept.
    pub(super) fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed)
    }

    /// Tries, after a failure, whether the store can be written again; one try at a time.
    pub(super) async fn recovers(&self, run: &str) -> bool {
        let Ok(_alone) = self.trying.try_lock() else {
            return false;
        };
        let now = telemetry::now();
        let written = self.store.set_run_state(run, RunState::Running, &now).await;
        if written.is_ok() {
            self.failing.store(false, Ordering::Relaxed);
        }
        written.is_ok()
    }

    /// Keeps what `make` makes: before this returns, or soon after, as was chosen.
    ///
    /// # Errors
    ///
    /// When the store cannot be written, and somebody waits for it.
    pub(super) async fn keep(
        &self,
        run: String,
        make: impl FnOnce() -> Vec<Unsealed> + Send + 'static,
    ) -> Result<(), StoreError> {
        let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        let (store, failing) = (Arc::clone(&self.store), Arc::clone(&self.failing));
        let work = async move {
            let rows = make().into_iter().map(|unsealed| SealedRow {
                line: number,
                sealed: unsealed.transcript.seal(unsealed.content),
            });
            let seals = rows.map(|row| store.seal(&run, row));
            let kept = join_all(seals).await.into_iter().collect::<Result<(), _>>();
            failing.store(kept.is_err(), Ordering::Relaxed);
            if let Err(error) = &kept {
                let why = super::failure::in_one_line(error);
                tracing::error!(run, "a transcript could not be kept: {why}");
            }
            kept
        };
        if self.durability == Durability::BeforeReply {
            return work.await;
        }
        // The room is never closed; if it were, the work would be done at once.
        let place = Arc::clone(&self.room).acquire_owned().await;
        tokio::spawn(async move {
            let _ = work.await;
            drop(place);
        });
        Ok(())
    }

    /// Waits until everything is kept that was handed over.
    pub(super) async fn settle(&self) {
        let _ = self.room.acquire_many(WAITING).await;
        let _ = self.store.flush().await;
    }
}
