//! The critic against people, by the constitution that judged, each review counted once.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::record::RecordId;
use crate::review::{Measured, Review, Reviews};
use crate::store::{Store, StoreError};

/// What critic and people said, by the digest of the constitution.
#[derive(Debug, Default)]
pub(super) struct Measures {
    /// How many reviews of each record are counted, and which transcript they are about.
    counted: BTreeMap<(String, RecordId), (usize, Option<Digest>)>,
    constitutions: BTreeMap<Digest, Measured>,
}

impl Measures {
    /// Counts what was reviewed since.
    pub(super) async fn catch_up(
        &mut self,
        store: &dyn Store,
        reviews: &Reviews,
    ) -> Result<(), StoreError> {
        if self.are_outdated(reviews) {
            *self = Self::default();
        }
        for (run, record, given) in reviews.all() {
            let key = (run.to_owned(), record.clone());
            let (counted, _) = self.counted.get(&key).copied().unwrap_or_default();
            let new = given.get(counted..).unwrap_or_default();
            if new.iter().any(|review| !review.verdicts.is_empty())
                && let Some(stored) = store.transcript(run, record).await?
                && let Ok(transcript) = stored.row.sealed.open()
                && let Some(mark) = &transcript.provenance.constitution
            {
                let measured = self.constitutions.entry(mark.digest).or_default();
                for review in new {
                    measured.add(&transcript, review);
                }
            }
            self.counted.insert(key, (given.len(), about(given)));
        }
        Ok(())
    }

    /// Whether something is counted of a transcript that was taken back, as when a record is done again.
    fn are_outdated(&self, reviews: &Reviews) -> bool {
        self.counted
            .iter()
            .any(|((run, record), (counted, known))| {
                let given = reviews.of(run, record);
                given.len() < *counted || about(given) != *known
            })
    }

    /// What critic and people said under a constitution.
    pub(super) fn of(&self, constitution: Digest) -> Measured {
        let found = self.constitutions.get(&constitution);
        found.cloned().unwrap_or_default()
    }
}

/// The transcript that the reviews of a record are about.
fn about(given: &[Review]) -> Option<Digest> {
    given.first().map(|review| review.transcript)
}
