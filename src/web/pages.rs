//! What pages are made from: a store, its index, and the constitutions that are known.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::MutexGuard;

use super::follower::{Follower, Standing};
use super::layout::Head;
use super::problem::Problem;
use super::review::Desk;
use crate::audit;
use crate::record::RecordId;
use crate::review::{Queue, Reviews};
use crate::store::index::{Index, IndexError, Item, Progress, renew};
use crate::store::{Store, StoredTranscript};

/// What pages are made from.
pub struct Pages {
    store: Arc<dyn Store>,
    index: Arc<Index>,
    follower: Follower,
    desk: Desk,
    takes_reviews: bool,
}

impl Pages {
    /// Pages over a store and its index, which catches up whenever a page is asked for; `report` hears
    /// how far it is. To be called on a tokio runtime.
    #[must_use]
    pub fn over(
        store: Arc<dyn Store>,
        index: Index,
        report: Box<dyn Fn(Progress) + Send + Sync>,
    ) -> Self {
        let index = Arc::new(index);
        let follower = Follower::start(Arc::clone(&index), Arc::clone(&store), report);
        Self {
            store,
            index,
            follower,
            desk: Desk::default(),
            takes_reviews: false,
        }
    }

    /// Pages on which people decide: their store is one that may be written.
    #[must_use]
    pub fn taking_reviews(self) -> Self {
        Self {
            takes_reviews: true,
            ..self
        }
    }

    /// Has the index catch up before the first page is asked for.
    pub fn begin(&self) {
        self.follower.begin();
    }

    /// Waits until the index has caught up with the store for the first time.
    ///
    /// # Errors
    ///
    /// When it could not.
    pub async fn caught_up(&self) -> Result<(), Problem> {
        match self.follower.first().await.failure {
            Some(failure) => Err(Problem::Behind(failure)),
            None => Ok(()),
        }
    }

    pub(super) fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    /// Whether people decide on these pages.
    pub(super) fn takes_reviews(&self) -> bool {
        self.takes_reviews
    }

    /// What stands around a page of that title, which may hold text from outside.
    pub(super) fn head(&self, title: impl Into<String>) -> Head {
        Head::titled(title).taking_reviews(self.takes_reviews)
    }

    /// What is between two pages of one person.
    pub(super) fn desk(&self) -> &Desk {
        &self.desk
    }

    /// What waits in a run, for people whose claims last so long.
    pub(super) fn queue(&self, run: &str, lease: Duration) -> Queue {
        Queue::new(Arc::clone(&self.store), run, lease)
    }

    /// Has the index catch up, for a moment.
    pub(super) async fn freshen(&self) -> Standing {
        self.follower.freshen().await
    }

    /// Asks the index, on a thread that may block.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Index) -> Result<T, IndexError> + Send + 'static,
    ) -> Result<T, Problem> {
        let index = Arc::clone(&self.index);
        Ok(tokio::task::spawn_blocking(move || question(&index)).await??)
    }

    /// The transcript of a record in a run.
    pub(super) async fn transcript(
        &self,
        run: &str,
        record: &str,
    ) -> Result<StoredTranscript, Problem> {
        let id = RecordId::new(record.to_owned());
        let found = self.store.transcript(run, &id).await?;
        found.ok_or_else(|| {
            Problem::Absent(format!(
                "The run {run} has no transcript of the record {record}."
            ))
        })
    }

    /// Every review of the store.
    pub(super) async fn reviews(&self) -> Result<MutexGuard<'_, Reviews>, Problem> {
        Ok(self.desk.reviews(self.store()).await?)
    }

    /// Takes in again what the store now holds otherwise than these items say; gives whether there
    /// was such a thing.
    pub(super) async fn renew(&self, items: &[Item]) -> Result<bool, Problem> {
        let renewed = renew(&self.index, self.store.as_ref(), audit::extract, items).await;
        Ok(renewed?)
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Pages")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}
