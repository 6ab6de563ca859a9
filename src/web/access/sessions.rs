//! Sessions of people who have signed in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::gateway::access::{KeyDigest, Secret};

/// How long a session lasts: a day's work.
pub(super) const LIFE: Duration = Duration::from_secs(12 * 60 * 60);
/// The most sessions of one key at once; its oldest ends when another one begins, and nobody else's.
const MOST: usize = 16;

/// Who is signed in. Nothing of it outlives the process.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    sessions: Mutex<HashMap<KeyDigest, Session>>,
}

/// One session.
#[derive(Clone, Debug)]
pub(super) struct Session {
    /// The key that it was begun with; it ends when that is revoked.
    pub(super) key: KeyDigest,
    /// What the forms of this session carry.
    pub(super) form_token: Arc<Secret>,
    ends: Instant,
}

impl Sessions {
    /// Begins a session for a key; nothing where the system gives no randomness. What is given names
    /// the session, and is kept nowhere here.
    pub(super) fn begin(&self, key: KeyDigest) -> Option<Secret> {
        let (name, form_token) = (Secret::new()?, Arc::new(Secret::new()?));
        let now = Instant::now();
        let mut sessions = self.lock();
        sessions.retain(|_, session| session.ends > now);
        let of_key = sessions.iter().filter(|(_, session)| session.key == key);
        if of_key.clone().count() >= MOST {
            let oldest = of_key.min_by_key(|(_, session)| session.ends);
            if let Some(oldest) = oldest.map(|(name, _)| *name) {
                sessions.remove(&oldest);
            }
        }
        let ends = now + LIFE;
        sessions.insert(
            name.digest(),
            Session {
                key,
                form_token,
                ends,
            },
        );
        Some(name)
    }

    /// The session of that name, unless it has ended.
    pub(super) fn find(&self, name: &str) -> Option<Session> {
        let sessions = self.lock();
        let session = sessions.get(&KeyDigest::of(name))?;
        (session.ends > Instant::now()).then(|| session.clone())
    }

    pub(super) fn end(&self, name: &str) {
        self.lock().remove(&KeyDigest::of(name));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<KeyDigest, Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_session_ends_when_it_is_told_to_or_its_day_is_over() {
        let sessions = Sessions::default();
        let key = KeyDigest::of("a key");
        let (one, other) = (sessions.begin(key).unwrap(), sessions.begin(key).unwrap());
        assert!(sessions.find("another name").is_none());
        assert_eq!(sessions.find(one.reveal()).unwrap().key, key);
        sessions.end(one.reveal());
        assert!(sessions.find(one.reveal()).is_none());
        let minute = Duration::from_secs(60);
        tokio::time::advance(LIFE.saturating_sub(minute)).await;
        assert!(sessions.find(other.reveal()).is_some());
        tokio::time::advance(minute).await;
        assert!(sessions.find(other.reveal()).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_has_so_many_sessions_and_ends_nobody_elses() {
        let sessions = Sessions::default();
        let other = sessions.begin(KeyDigest::of("other")).unwrap();
        let first = sessions.begin(KeyDigest::of("first")).unwrap();
        tokio::time::advance(Duration::from_secs(1)).await;
        for _ in 0..MOST {
            sessions.begin(KeyDigest::of("first")).unwrap();
        }
        assert!(sessions.find(first.reveal()).is_none());
        assert!(sessions.find(other.reveal()).is_some());
        assert_eq!(sessions.lock().len(), MOST + 1);
    }
}
