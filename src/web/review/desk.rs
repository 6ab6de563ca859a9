//! What pages about reviews remember from one to the next.

use tokio::sync::{Mutex, MutexGuard};

use crate::review::Reviews;
use crate::store::{Store, StoreError};

/// What pages about reviews remember from one to the next.
#[derive(Debug, Default)]
pub(in crate::web) struct Desk {
    reviews: Mutex<Reviews>,
}

impl Desk {
    /// Every review of the store. While this is held, nobody else of this process decides.
    pub(in crate::web) async fn reviews(
        &self,
        store: &dyn Store,
    ) -> Result<MutexGuard<'_, Reviews>, StoreError> {
        let mut reviews = self.reviews.lock().await;
        reviews.catch_up(store).await?;
        Ok(reviews)
    }
}
