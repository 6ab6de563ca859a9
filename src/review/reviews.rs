//! The fold over the log: every review of a store, by run and record.

use std::collections::{BTreeMap, BTreeSet};

use super::{Review, Standing, standing};
use crate::record::RecordId;
use crate::store::{EventEntry, Store, StoreError};
use crate::transcript::Transcript;

/// How many events are read at a time.
const PAGE: usize = 4096;

/// Every review of a store, each record's in the order in which they were given. Memory grows with
/// what people decide and erase, not with what was sealed.
#[derive(Clone, Debug, Default)]
pub struct Reviews {
    records: BTreeMap<(String, RecordId), Vec<Review>>,
    erased: BTreeSet<(String, RecordId)>,
    /// The first event that was not read yet.
    next: u64,
}

impl Reviews {
    /// Reads all reviews.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn read(store: &dyn Store) -> Result<Self, StoreError> {
        let mut reviews = Self::default();
        reviews.catch_up(store).await?;
        Ok(reviews)
    }

    /// Reads what was decided since.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn catch_up(&mut self, store: &dyn Store) -> Result<(), StoreError> {
        loop {
            let events = store.events(self.next, PAGE).await?;
            let Some(last) = events.last() else {
                return Ok(());
            };
            self.next = last.index + 1;
            for event in &events {
                let entry: Option<EventEntry> = serde_json::from_slice(&event.entry).ok();
                if let Some(entry) = entry {
                    self.hear(&entry);
                }
            }
        }
    }

    fn hear(&mut self, event: &EventEntry) {
        if let Some(review) = Review::of_event(event) {
            self.add(review);
            return;
        }
        let record = event.more.get("record").and_then(|record| record.as_str());
        let (Some(run), Some(record)) = (&event.run, record) else {
            return;
        };
        let key = (run.clone(), RecordId::new(record));
        if event.more.contains_key("erases") {
            self.erased.insert(key);
        } else if event.more.contains_key("withdraws") {
            // What was decided was about a transcript that is gone; the record is done anew.
            self.records.remove(&key);
        }
    }

    fn add(&mut self, review: Review) {
        let key = (review.run.clone(), review.record.clone());
        self.records.entry(key).or_default().push(review);
    }

    /// The reviews of a record, oldest first.
    #[must_use]
    pub fn of(&self, run: &str, record: &RecordId) -> &[Review] {
        let key = (run.to_owned(), record.clone());
        self.records.get(&key).map_or(&[], Vec::as_slice)
    }

    /// Every record of a run that was reviewed, with its reviews.
    pub fn of_run<'s>(
        &'s self,
        run: &'s str,
    ) -> impl Iterator<Item = (&'s RecordId, &'s [Review])> + 's {
        let first = (run.to_owned(), RecordId::new(""));
        self.records
            .range(first..)
            .take_while(move |((found, _), _)| found == run)
            .map(|((_, record), reviews)| (record, reviews.as_slice()))
    }

    /// Every record of a run whose payload was erased, so that there is nothing to review.
    pub fn erased_of<'s>(&'s self, run: &'s str) -> impl Iterator<Item = &'s RecordId> + 's {
        let first = (run.to_owned(), RecordId::new(""));
        self.erased
            .range(first..)
            .take_while(move |(found, _)| found == run)
            .map(|(_, record)| record)
    }

    /// Every record that was reviewed: its run, itself, and its reviews.
    pub fn all(&self) -> impl Iterator<Item = (&str, &RecordId, &[Review])> {
        let records = self.records.iter();
        records.map(|((run, record), reviews)| (run.as_str(), record, reviews.as_slice()))
    }

    /// How a transcript stands; one that is not held is decided by whoever reviews it.
    #[must_use]
    pub fn standing(&self, transcript: &Transcript) -> Standing {
        let need = transcript.held.as_ref().map_or(1, |held| held.reviewers);
        standing(self.of(&transcript.run, &transcript.record.id), need)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::review::Decision;
    use crate::review::decision::tests::review;

    #[test]
    fn what_was_decided_of_a_transcript_that_was_taken_back_is_not_said_of_the_next() {
        let given = review("ann", Decision::Approve);
        let mut reviews = Reviews::default();
        reviews.hear(&given.to_event());
        assert_eq!(reviews.of("r", &given.record).len(), 1);
        let withdrawn = |record: &str| {
            let more = json!({ "record": record, "withdraws": 3 });
            EventEntry::new("withdrawn", "2026-11-24T11:00:00.000Z", Some("r"), more)
        };
        reviews.hear(&withdrawn("another"));
        assert_eq!(reviews.of("r", &given.record).len(), 1);
        reviews.hear(&withdrawn(given.record.as_str()));
        assert_eq!(reviews.of("r", &given.record), []);
        let again = review("bob", Decision::Reject);
        reviews.hear(&again.to_event());
        assert_eq!(reviews.of("r", &again.record), [again]);
    }
}
