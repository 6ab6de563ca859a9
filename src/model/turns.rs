//! Equal calls take turns: while one is under way, those that ask the same wait for its reply.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

use crate::digest::Digest;

type Place = Arc<tokio::sync::Mutex<()>>;

/// Who is under way, by key.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<HashMap<Digest, Place>>);

/// A turn; the next one begins when it is dropped.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    key: Digest,
    // Taken before the map is looked at again, so that the place is seen to be free.
    guard: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Waits until nobody else has a turn under this key.
    pub(super) async fn take(&self, key: Digest) -> Turn<'_> {
        let place = Arc::clone(self.places().entry(key).or_default());
        Turn {
            turns: self,
            key,
            guard: Some(place.lock_owned().await),
        }
    }

    fn places(&self) -> std::sync::MutexGuard<'_, HashMap<Digest, Place>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.guard = None;
        // The map holds one place itself; whoever waits holds another.
        if let Entry::Occupied(place) = self.turns.places().entry(self.key)
            && Arc::strong_count(place.get()) == 1
        {
            place.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn equal_keys_wait_and_others_do_not() {
        let turns = Turns::default();
        let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
        let first = turns.take(a).await;
        let _other = turns.take(b).await;
        let mut second = Box::pin(turns.take(a));
        assert!(futures::poll!(&mut second).is_pending());
        drop(first);
        drop(second.await);
        assert_eq!(turns.places().len(), 1, "only the other key is still there");
    }

    #[tokio::test]
    async fn one_that_gives_up_waiting_leaves_nothing_behind() {
        let turns = Turns::default();
        let key = Digest::of(b"a");
        let first = turns.take(key).await;
        let mut second = Box::pin(turns.take(key));
        assert!(futures::poll!(&mut second).is_pending());
        drop(second);
        drop(first);
        assert!(turns.places().is_empty());
    }
}
