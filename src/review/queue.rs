//! The queue: what waits for people, handed out so that nobody does what another is doing.

use std::sync::Arc;
use std::time::Duration;

use super::{Review, ReviewError, Reviews, Standing};
use crate::record::RecordId;
use crate::store::{Claim, Store, StoreError, StoredTranscript};
use crate::telemetry;
use crate::transcript::Transcript;

/// How many held transcripts are read at a time.
const PAGE: usize = 64;

/// The held transcripts of a run, for people.
#[derive(Debug)]
pub struct Queue {
    store: Arc<dyn Store>,
    run: String,
    /// How long a claim lasts.
    lease: Duration,
}

/// A transcript that waits, or did.
#[derive(Debug)]
pub struct Waiting {
    /// Where it stands in its run.
    pub position: i64,
    /// The transcript as it was sealed.
    pub stored: StoredTranscript,
    /// The same, opened.
    pub transcript: Transcript,
    /// How it stands.
    pub standing: Standing,
}

/// Something about the queue went wrong.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The review does not fit.
    #[error(transparent)]
    Review(#[from] ReviewError),
    /// There is no such transcript.
    #[error("run {run} has no transcript of {record}")]
    Unknown {
        /// The run.
        run: String,
        /// The record.
        record: RecordId,
    },
    /// What the store holds is no transcript.
    #[error("the transcript of {record} cannot be read")]
    Unreadable {
        /// The record.
        record: RecordId,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
}

impl Queue {
    /// The queue of a run, whose claims last so long.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, run: &str, lease: Duration) -> Self {
        Self {
            store,
            run: run.to_owned(),
            lease,
        }
    }

    /// The held transcripts from after a cursor, with how they stand, and the cursor behind them where
    /// there are more.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn page(
        &self,
        reviews: &Reviews,
        after: Option<i64>,
        limit: usize,
    ) -> Result<(Vec<Waiting>, Option<i64>), QueueError> {
        let page = self.store.held(&self.run, after, limit).await?;
        let items = page.items.into_iter().map(|stored| open(stored, reviews));
        Ok((items.collect::<Result<_, _>>()?, page.next))
    }

    /// The next record for a reviewer, which is claimed: one that waits, that this person has not
    /// reviewed, and that not enough others are looking at. Disputed ones are for adjudicators alone.
    ///
    /// # Errors
    ///
    /// When the store cannot be read or written.
    pub async fn next(
        &self,
        reviews: &Reviews,
        reviewer: &str,
        adjudicates: bool,
    ) -> Result<Option<Waiting>, QueueError> {
        let mut after = None;
        loop {
            let (items, next) = self.page(reviews, after, PAGE).await?;
            for waiting in items {
                let done = reviews.of(&self.run, &waiting.transcript.record.id);
                let is_mine = done.iter().any(|review| review.author == reviewer);
                let open = match waiting.standing {
                    Standing::Waiting { have, need } if !is_mine => need - have,
                    Standing::Disputed if adjudicates && !is_mine => 1,
                    _ => continue,
                };
                if self
                    .claim(&waiting.transcript.record.id, reviewer, open)
                    .await?
                {
                    return Ok(Some(waiting));
                }
            }
            match next {
                Some(next) => after = Some(next),
                None => return Ok(None),
            }
        }
    }

    /// Claims a record for a reviewer where fewer than so many others look at it.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn claim(
        &self,
        record: &RecordId,
        reviewer: &str,
        most: u32,
    ) -> Result<bool, StoreError> {
        let claim = Claim {
            run: self.run.clone(),
            record: record.clone(),
            reviewer: reviewer.to_owned(),
            now: telemetry::now(),
            until: telemetry::now_and(self.lease),
            most,
        };
        self.store.claim(claim).await
    }

    /// The transcript of a record, whether it is held or not.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub async fn find(&self, reviews: &Reviews, record: &RecordId) -> Result<Waiting, QueueError> {
        let stored = self.store.transcript(&self.run, record).await?;
        let stored = stored.ok_or_else(|| QueueError::Unknown {
            run: self.run.clone(),
            record: record.clone(),
        })?;
        open(stored, reviews)
    }

    /// Appends a review, and gives the claim back.
    ///
    /// # Errors
    ///
    /// When it does not fit the transcript that is sealed, or the store cannot be written.
    pub async fn decide(&self, review: &Review) -> Result<u64, QueueError> {
        let waiting = self.find(&Reviews::default(), &review.record).await?;
        review.check(&waiting.transcript, waiting.stored.row.sealed.digest)?;
        let index = self.store.append_event(review.to_event()).await?;
        self.store
            .release(&self.run, &review.record, &review.author)
            .await?;
        Ok(index)
    }
}

fn open(stored: StoredTranscript, reviews: &Reviews) -> Result<Waiting, QueueError> {
    let sealed = &stored.row.sealed;
    let opened = sealed.open();
    let transcript = opened.map_err(|source| QueueError::Unreadable {
        record: sealed.record.clone(),
        source,
    })?;
    Ok(Waiting {
        position: stored.position,
        standing: reviews.standing(&transcript),
        transcript,
        stored,
    })
}
