//! What pages about reviews remember from one to the next.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use indexmap::IndexMap;
use tokio::sync;

use super::counts::Counts;
use super::measures::Measures;
use crate::digest::Digest;
use crate::record::RecordId;
use crate::review::{Measured, PersonVerdict, Reviews, Standing, Waiting, standing};
use crate::store::{Store, StoreError};
use crate::web::access::Visitor;

/// So many records are remembered whose findings somebody has seen and not decided about.
const SEEN: usize = 4_096;

const LONGEST_NOTICE: usize = 1_000;

/// What pages about reviews remember from one to the next. Nothing of it is lost for good when the
/// process ends: reviews are read from the store again, and whoever has judged and not decided judges
/// again.
#[derive(Debug, Default)]
pub(in crate::web) struct Desk {
    reviews: sync::Mutex<Reviews>,
    measures: sync::Mutex<Measures>,
    needs: Mutex<Needs>,
    people: Mutex<People>,
}

/// How many people must agree on a record that somebody has reviewed; none where it is not held.
type Needs = BTreeMap<(String, RecordId), Option<u32>>;

#[derive(Debug, Default)]
struct People {
    /// The position of what a person was given last in a run.
    places: BTreeMap<(String, String), i64>,
    seen: IndexMap<Look, Vec<PersonVerdict>>,
    notices: BTreeMap<String, String>,
}

/// A look at a transcript: whose, and at which.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Look {
    visitor: String,
    run: String,
    record: RecordId,
    transcript: Digest,
}

impl Look {
    pub(super) fn of(visitor: &Visitor, waiting: &Waiting) -> Self {
        Self {
            visitor: visitor.name().to_owned(),
            run: waiting.stored.run.clone(),
            record: waiting.transcript.record.id.clone(),
            transcript: waiting.stored.row.sealed.digest,
        }
    }
}

impl Desk {
    /// Every review of the store. While this is held, nobody else of this process decides.
    pub(in crate::web) async fn reviews(
        &self,
        store: &dyn Store,
    ) -> Result<sync::MutexGuard<'_, Reviews>, StoreError> {
        let mut reviews = self.reviews.lock().await;
        reviews.catch_up(store).await?;
        Ok(reviews)
    }

    /// What critic and people said under a constitution.
    pub(in crate::web) async fn measured(
        &self,
        store: &dyn Store,
        constitution: Digest,
    ) -> Result<Measured, StoreError> {
        let reviews = self.reviews(store).await?;
        let mut measures = self.measures.lock().await;
        measures.catch_up(store, &reviews).await?;
        Ok(measures.of(constitution))
    }

    /// How the held records of a run stand that somebody has reviewed, and who did.
    pub(super) async fn counts(
        &self,
        store: &dyn Store,
        reviews: &Reviews,
        run: &str,
    ) -> Result<Counts, StoreError> {
        let mut counts = Counts::default();
        for (record, given) in reviews.of_run(run) {
            if let Some(need) = self.need(store, run, record).await? {
                counts.add(&standing(given, need), given);
            }
        }
        for record in reviews.erased_of(run) {
            let need = self.need(store, run, record).await?;
            let standing = need.map(|need| standing(reviews.of(run, record), need));
            if let Some(Standing::Waiting { .. }) = standing {
                counts.erased += 1;
            }
        }
        Ok(counts)
    }

    async fn need(
        &self,
        store: &dyn Store,
        run: &str,
        record: &RecordId,
    ) -> Result<Option<u32>, StoreError> {
        let key = (run.to_owned(), record.clone());
        if let Some(known) = lock(&self.needs).get(&key) {
            return Ok(*known);
        }
        let stored = store.transcript(run, record).await?;
        let opened = stored.and_then(|stored| stored.row.sealed.open().ok());
        let held = opened.and_then(|transcript| transcript.held);
        let need = held.map(|held| held.reviewers);
        // One that is not held may be done again, and be held then.
        if need.is_some() {
            lock(&self.needs).insert(key, need);
        }
        Ok(need)
    }

    /// The position of what a person was given last in a run.
    pub(super) fn place(&self, visitor: &Visitor, run: &str) -> Option<i64> {
        let key = (visitor.name().to_owned(), run.to_owned());
        lock(&self.people).places.get(&key).copied()
    }

    /// Remembers what a person was given last in a run.
    pub(super) fn set_place(&self, visitor: &Visitor, run: &str, position: i64) {
        let key = (visitor.name().to_owned(), run.to_owned());
        lock(&self.people).places.insert(key, position);
    }

    /// The verdicts that somebody gave before they saw the findings, which may be none; nothing while
    /// they have not seen them.
    pub(super) fn seen(&self, look: &Look) -> Option<Vec<PersonVerdict>> {
        lock(&self.people).seen.get(look).cloned()
    }

    /// Remembers that somebody sees the findings from now on, and their verdicts before that; whether it
    /// is the first time.
    pub(super) fn see(&self, look: Look, verdicts: Vec<PersonVerdict>) -> bool {
        let mut people = lock(&self.people);
        if people.seen.contains_key(&look) {
            return false;
        }
        if people.seen.len() >= SEEN {
            people.seen.shift_remove_index(0);
        }
        people.seen.insert(look, verdicts);
        true
    }

    /// Forgets a look, because its record was decided.
    pub(super) fn forget(&self, look: &Look) {
        lock(&self.people).seen.shift_remove(look);
    }

    /// Leaves a word for the next page about reviews that somebody loads.
    pub(super) fn say(&self, visitor: &Visitor, word: &str) {
        let mut people = lock(&self.people);
        let said = people.notices.entry(visitor.name().to_owned()).or_default();
        // Whoever loads no page needs no long story.
        if said.len() > LONGEST_NOTICE {
            said.clear();
        }
        if !said.is_empty() {
            said.push(' ');
        }
        said.push_str(word);
    }

    /// The word that was left for somebody.
    pub(super) fn said(&self, visitor: &Visitor) -> Option<String> {
        lock(&self.people).notices.remove(visitor.name())
    }
}

fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(record: usize) -> Look {
        Look {
            visitor: "ann".to_owned(),
            run: "r".to_owned(),
            record: RecordId::new(record.to_string()),
            transcript: Digest::of(b"x"),
        }
    }

    #[test]
    fn what_was_seen_stays_seen_and_is_bounded() {
        let desk = Desk::default();
        assert_eq!(desk.seen(&look(0)), None);
        assert!(desk.see(look(0), Vec::new()));
        let late = PersonVerdict {
            text: crate::review::JudgedText::Draft,
            principle: "p".to_owned(),
            violates: true,
        };
        assert!(!desk.see(look(0), vec![late]), "it was seen");
        assert_eq!(desk.seen(&look(0)), Some(Vec::new()));
        for record in 1..=SEEN {
            assert!(desk.see(look(record), Vec::new()));
        }
        assert_eq!(desk.seen(&look(0)), None, "the oldest went");
        assert_eq!(lock(&desk.people).seen.len(), SEEN);
    }
}
