//! A journal in memory: for tests, for examples, and for work without a store.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use super::journal::{Journal, JournalError, JournalledCall};
use crate::digest::Digest;

/// A [`Journal`] that lasts as long as the process.
#[derive(Debug, Default)]
pub struct MemoryJournal {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    calls: Vec<JournalledCall>,
    places: HashMap<Digest, usize>,
    notes: HashMap<(String, String), String>,
}

impl MemoryJournal {
    /// A journal without entries.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The calls kept so far, oldest first.
    pub fn calls(&self) -> Vec<JournalledCall> {
        self.kept().calls.clone()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn reply(&self, key: Digest) -> Result<Option<Bytes>, JournalError> {
        let kept = self.kept();
        let call = kept.places.get(&key).map(|place| &kept.calls[*place]);
        Ok(call.map(|call| call.reply.clone()))
    }

    async fn call(&self, key: Digest) -> Result<Option<JournalledCall>, JournalError> {
        let kept = self.kept();
        Ok(kept
            .places
            .get(&key)
            .map(|place| kept.calls[*place].clone()))
    }

    async fn keep(&self, call: JournalledCall) -> Result<bool, JournalError> {
        let Kept { calls, places, .. } = &mut *self.kept();
        // Two calls in flight may ask the same: what was kept first has been built on.
        if let Entry::Vacant(place) = places.entry(call.key) {
            place.insert(calls.len());
            calls.push(call);
            return Ok(true);
        }
        Ok(false)
    }

    async fn note(&self, model: &str, name: &str) -> Result<Option<String>, JournalError> {
        let place = (model.to_owned(), name.to_owned());
        Ok(self.kept().notes.get(&place).cloned())
    }

    async fn set_note(&self, model: &str, name: &str, value: &str) -> Result<(), JournalError> {
        let place = (model.to_owned(), name.to_owned());
        self.kept().notes.insert(place, value.to_owned());
        Ok(())
    }

    async fn notes(
        &self,
        model: &str,
        prefix: &str,
    ) -> Result<Vec<(String, String)>, JournalError> {
        let kept = self.kept();
        let mut found: Vec<(String, String)> = (kept.notes.iter())
            .filter(|((of, name), _)| of == model && name.starts_with(prefix))
            .map(|((_, name), value)| (name.clone(), value.clone()))
            .collect();
        found.sort_unstable();
        Ok(found)
    }

    async fn forget_note(&self, model: &str, name: &str) -> Result<(), JournalError> {
        let place = (model.to_owned(), name.to_owned());
        self.kept().notes.remove(&place);
        Ok(())
    }
}
