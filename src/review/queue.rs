//! The queue: what waits for people, handed out so that nobody does what another is doing.

use std::sync::Arc;
use std::time::Duration;

use super::{Review, ReviewError, Reviews, Standing, Turn};
use crate::record::RecordId;
use crate::store::{Claim, ERASED, Store, StoreError, StoredTranscript};
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

impl Waiting {
    /// Whether what it said was erased, so that there is nothing to review.
    #[must_use]
    pub fn is_erased(&self) -> bool {
        self.stored.row.sealed.content == ERASED
    }
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
    /// there are more. One that cannot be read, as a newer version may write it, is left out: nobody here
    /// could review it.
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
        let opened = page.items.into_iter().map(|stored| open(stored, reviews));
        let readable = opened.filter_map(|opened| {
            opened
                .inspect_err(|error| tracing::warn!("a held record is left out: {error}"))
                .ok()
        });
        Ok((readable.collect(), page.next))
    }

    /// The next record for a reviewer, which is claimed: one whose turn it is and that not enough
    /// others are looking at. The search begins after a position and, where nothing is found up to the
    /// end, goes on from the beginning up to there, so that whoever remembers the position of what they
    /// had last does not go through all that is done each time.
    ///
    /// # Errors
    ///
    /// When the store cannot be read or written.
    pub async fn next(
        &self,
        reviews: &mut Reviews,
        reviewer: &str,
        adjudicates: bool,
        begin: Option<i64>,
    ) -> Result<Option<Waiting>, QueueError> {
        let mut after = begin;
        let mut has_turned = begin.is_none();
        loop {
            let (items, next) = self.page(reviews, after, PAGE).await?;
            for mut waiting in items {
                let is_past = has_turned && begin.is_some_and(|begin| waiting.position > begin);
                if is_past {
                    return Ok(None);
                }
                if waiting.is_erased() {
                    continue;
                }
                let transcript = &waiting.transcript;
                if self
                    .take(reviews, transcript, reviewer, adjudicates)
                    .await?
                {
                    waiting.standing = reviews.standing(transcript);
                    return Ok(Some(waiting));
                }
            }
            after = match next {
                Some(next) => Some(next),
                None if has_turned => return Ok(None),
                None => {
                    has_turned = true;
                    None
                }
            };
        }
    }

    /// Claims the record of a transcript for a reviewer whose turn it is, where not enough others look
    /// at it; whether it was given. One's own claim is renewed.
    ///
    /// # Errors
    ///
    /// When the store cannot be read or written.
    pub async fn take(
        &self,
        reviews: &mut Reviews,
        transcript: &Transcript,
        reviewer: &str,
        adjudicates: bool,
    ) -> Result<bool, QueueError> {
        let record = &transcript.record.id;
        let Turn::Open(mut most) = reviews.turn(transcript, reviewer, adjudicates) else {
            return Ok(false);
        };
        if !self.claim(record, reviewer, most).await? {
            return Ok(false);
        }
        loop {
            // Somebody may have decided, and given their claim back, since the reviews were read.
            reviews.catch_up(self.store.as_ref()).await?;
            match reviews.turn(transcript, reviewer, adjudicates) {
                Turn::Open(now) if now >= most => return Ok(true),
                Turn::Open(now) if self.claim(record, reviewer, now).await? => most = now,
                _ => {
                    self.store.release(&self.run, record, reviewer).await?;
                    return Ok(false);
                }
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

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::review::Decision;
    use crate::review::decision::tests::review;
    use crate::review::test_stores::{held, store};
    use crate::transcript::HoldReason;

    /// A queue of the records 1, 2 and so on, each for so many people, and its store.
    async fn queue(folder: &TempDir, records: u64, reviewers: u32) -> (Arc<dyn Store>, Queue) {
        let one = |number: u64| held(number.to_string(), HoldReason::Sample, reviewers);
        let store = store(folder, (1..=records).map(one)).await;
        let queue = Queue::new(Arc::clone(&store), "r", Duration::from_secs(60));
        (store, queue)
    }

    async fn decide(queue: &Queue, record: &str, author: &str) {
        let reviews = Reviews::default();
        let waiting = queue.find(&reviews, &RecordId::new(record)).await.unwrap();
        let mut review = review(author, Decision::Approve);
        review.record = RecordId::new(record);
        review.transcript = waiting.stored.row.sealed.digest;
        queue.decide(&review).await.unwrap();
    }

    fn record(waiting: Option<&Waiting>) -> Option<&str> {
        waiting.map(|waiting| waiting.transcript.record.id.as_str())
    }

    #[tokio::test]
    async fn what_was_decided_since_the_reviews_were_read_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let (store, queue) = queue(&folder, 1, 1).await;
        let mut stale = Reviews::read(store.as_ref()).await.unwrap();
        decide(&queue, "1", "ann").await;
        assert!(
            queue
                .next(&mut stale, "bob", false, None)
                .await
                .unwrap()
                .is_none()
        );
        let one = RecordId::new("1");
        let looking = store.claimants("r", &one, &telemetry::now()).await.unwrap();
        assert!(looking.is_empty(), "the claim was given back");
    }

    #[tokio::test]
    async fn a_place_that_a_third_person_took_is_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let (store, queue) = queue(&folder, 1, 2).await;
        let mut stale = Reviews::read(store.as_ref()).await.unwrap();
        assert!(
            queue
                .next(&mut stale, "ann", false, None)
                .await
                .unwrap()
                .is_some()
        );
        decide(&queue, "1", "cleo").await;
        // One place is left, which is ann's.
        assert!(
            queue
                .next(&mut stale, "bob", false, None)
                .await
                .unwrap()
                .is_none()
        );
    }

    #[tokio::test]
    async fn the_search_begins_where_it_is_told_and_comes_around_once() {
        let folder = tempfile::tempdir().unwrap();
        let (_, queue) = queue(&folder, 3, 1).await;
        let mut reviews = Reviews::default();
        let second = queue.find(&reviews, &RecordId::new("2")).await.unwrap();
        let begin = Some(second.position);
        let found = queue.next(&mut reviews, "ann", false, begin).await.unwrap();
        assert_eq!(record(found.as_ref()), Some("3"));
        decide(&queue, "3", "ann").await;
        let found = queue.next(&mut reviews, "ann", false, begin).await.unwrap();
        assert_eq!(record(found.as_ref()), Some("1"));
        decide(&queue, "1", "ann").await;
        decide(&queue, "2", "ann").await;
        assert!(
            queue
                .next(&mut reviews, "ann", false, begin)
                .await
                .unwrap()
                .is_none()
        );
    }
}
