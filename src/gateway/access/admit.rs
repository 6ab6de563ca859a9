//! Admitting requests by their keys.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use super::meter::Meter;
use super::{KeyDigest, KeyFile, KeyFileError, KeyRole, NamedKey};

/// Why a request is not admitted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It has no key, and needs one.
    #[error("the request has no key")]
    NoKey,
    /// Its key is none of those there are, was revoked, or is a person's.
    #[error("the request's key is not known")]
    WrongKey,
    /// Its key has made its requests of this minute.
    #[error("the key's requests a minute are used up")]
    Requests {
        /// When to come back.
        wait: Duration,
    },
    /// Its key has had its tokens of this minute.
    #[error("the key's tokens a minute are used up")]
    Tokens {
        /// When to come back.
        wait: Duration,
    },
    /// Its key has as many requests under way as it may.
    #[error("the key has as many requests under way as it may")]
    Concurrency {
        /// When to come back.
        wait: Duration,
    },
}

/// Who is admitted: everybody while there never was a key, and else who has one that holds.
#[derive(Debug, Default)]
pub struct Access {
    keys: RwLock<Arc<KeyFile>>,
    /// What each key has used, by its name; names are given again only when their key is revoked.
    meters: Mutex<HashMap<String, Arc<Meter>>>,
}

/// A request that was admitted. While it is held, it is one of its key's requests under way.
pub struct Admitted {
    name: Option<String>,
    meter: Arc<Meter>,
    has_left: AtomicBool,
}

impl Access {
    /// Admits by these keys.
    #[must_use]
    pub fn new(keys: KeyFile) -> Self {
        Self {
            keys: RwLock::new(Arc::new(keys)),
            meters: Mutex::default(),
        }
    }

    /// Admits by these keys from now on; what each has used stays used.
    ///
    /// # Errors
    ///
    /// When there is none any more: a file that is lost for a moment must open nothing.
    pub fn replace(&self, keys: KeyFile) -> Result<(), KeyFileError> {
        if keys.keys.is_empty() && !self.is_open() {
            return Err(KeyFileError::Gone);
        }
        let mut meters = self.meters.lock().unwrap_or_else(PoisonError::into_inner);
        meters.retain(|name, _| keys.keys.iter().any(|key| key.name == *name));
        drop(meters);
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        Ok(())
    }

    /// Whether everybody is admitted, because there never was a key. When all are revoked, nobody is.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.keys().keys.is_empty()
    }

    /// Admits a request by the value of its header `authorization`.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] says whether the key is wrong, or has no room left and when it will have.
    pub fn admit(&self, authorization: Option<&[u8]>) -> Result<Admitted, Refusal> {
        let keys = self.keys();
        if keys.keys.is_empty() {
            return Ok(Admitted {
                name: None,
                meter: Arc::default(),
                has_left: AtomicBool::new(false),
            });
        }
        let given = authorization.and_then(bearer).ok_or(Refusal::NoKey)?;
        let key = find(&keys, KeyDigest::of(given)).filter(|key| key.role == KeyRole::Caller);
        let key = key.ok_or(Refusal::WrongKey)?;
        let meter = self.meter(&key.name);
        meter.enter(&key.limits)?;
        Ok(Admitted {
            name: Some(key.name.clone()),
            meter,
            has_left: AtomicBool::new(false),
        })
    }

    /// The key that has this digest and holds, whatever it is for.
    #[must_use]
    pub fn key(&self, digest: KeyDigest) -> Option<NamedKey> {
        find(&self.keys(), digest).cloned()
    }

    fn keys(&self) -> Arc<KeyFile> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn meter(&self, name: &str) -> Arc<Meter> {
        let mut meters = self.meters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(meter) = meters.get(name) {
            return Arc::clone(meter);
        }
        Arc::clone(meters.entry(name.to_owned()).or_default())
    }
}

/// The key that has this digest and holds. Every key is looked at, so that the time taken tells
/// nothing of where the right one is.
fn find(keys: &KeyFile, digest: KeyDigest) -> Option<&NamedKey> {
    let mut found = None;
    for key in &keys.keys {
        if key.digest == digest {
            found = Some(key);
        }
    }
    found.filter(|key| key.revoked.is_none())
}

/// The token of a bearer's authorization.
fn bearer(value: &[u8]) -> Option<&str> {
    let (scheme, token) = std::str::from_utf8(value).ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

impl Admitted {
    /// The name of the key; absent where none was needed.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Tells how many tokens the request used, of prompts and replies together.
    pub fn spend(&self, tokens: u64) {
        self.meter.spend(tokens);
    }

    /// The client has its answer: the request is under way no longer, even while this is held.
    pub fn leave(&self) {
        if self.name.is_some() && !self.has_left.swap(true, Ordering::Relaxed) {
            self.meter.leave();
        }
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.leave();
    }
}

impl fmt::Debug for Admitted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Admitted")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{KeyLimits, Secret};
    use super::*;

    fn with(limits: KeyLimits) -> (Access, String, KeyFile) {
        let mut keys = KeyFile::default();
        let secret = keys
            .create("ann", KeyRole::Caller, limits, "now")
            .expect("a key");
        let header = format!("Bearer {}", secret.reveal());
        (Access::new(keys.clone()), header, keys)
    }

    fn admit(access: &Access, header: &str) -> Result<Admitted, Refusal> {
        access.admit(Some(header.as_bytes()))
    }

    #[test]
    fn who_has_a_key_that_holds_is_admitted_and_nobody_else() {
        assert!(Access::default().admit(None).is_ok());
        let (access, header, mut keys) = with(KeyLimits::default());
        assert_eq!(
            admit(&access, &header).expect("admitted").name(),
            Some("ann")
        );
        let lower = header.replace("Bearer", "bearer");
        assert!(admit(&access, &lower).is_ok());
        for (wrong, refusal) in [
            (None, Refusal::NoKey),
            (Some("Basic abc"), Refusal::NoKey),
            (Some("Bearer "), Refusal::NoKey),
            (Some(&header[..header.len() - 1]), Refusal::WrongKey),
        ] {
            assert_eq!(
                access.admit(wrong.map(str::as_bytes)).expect_err("refused"),
                refusal
            );
        }
        let other = Secret::new().expect("a key");
        let other = format!("Bearer {}", other.reveal());
        assert_eq!(
            admit(&access, &other).expect_err("refused"),
            Refusal::WrongKey
        );

        assert!(keys.revoke("ann", "later"));
        access.replace(keys).expect("keys");
        assert_eq!(
            admit(&access, &header).expect_err("refused"),
            Refusal::WrongKey
        );
        let gone = access.replace(KeyFile::default());
        assert!(matches!(gone, Err(KeyFileError::Gone)), "{gone:?}");
        assert!(
            !access.is_open(),
            "the last key that is revoked opens nothing"
        );
        assert_eq!(access.admit(None).expect_err("refused"), Refusal::NoKey);
    }

    #[test]
    fn a_persons_key_opens_no_model() {
        let mut keys = KeyFile::default();
        let limits = KeyLimits::default();
        let secret = keys
            .create("ann", KeyRole::Admin, limits, "now")
            .expect("a key");
        let access = Access::new(keys);
        let header = format!("Bearer {}", secret.reveal());
        assert_eq!(
            admit(&access, &header).expect_err("refused"),
            Refusal::WrongKey
        );
        let key = access.key(secret.digest()).expect("it holds");
        assert_eq!((key.name.as_str(), key.role), ("ann", KeyRole::Admin));
    }

    #[tokio::test(start_paused = true)]
    async fn requests_and_tokens_come_back_evenly() {
        let limits = KeyLimits {
            requests_per_minute: Some(2),
            tokens_per_minute: Some(600),
            ..KeyLimits::default()
        };
        let (access, header, _) = with(limits);
        admit(&access, &header).expect("admitted").spend(630);
        let wait = Duration::from_secs_f64(3.1);
        assert_eq!(
            admit(&access, &header).expect_err("refused"),
            Refusal::Tokens { wait }
        );
        tokio::time::advance(wait).await;
        admit(&access, &header).expect("admitted");
        let Err(Refusal::Requests { wait }) = admit(&access, &header) else {
            panic!("requests are used up");
        };
        tokio::time::advance(wait + Duration::from_millis(1)).await;
        admit(&access, &header).expect("admitted");
    }

    #[test]
    fn a_request_under_way_takes_a_place_until_it_has_its_answer() {
        let limits = KeyLimits {
            concurrency: Some(1),
            ..KeyLimits::default()
        };
        let (access, header, keys) = with(limits);
        let first = admit(&access, &header).expect("admitted");
        let refused = admit(&access, &header).expect_err("refused");
        assert!(matches!(refused, Refusal::Concurrency { .. }));
        // Keys that are read again do not forget who is under way.
        access.replace(keys).expect("keys");
        assert!(admit(&access, &header).is_err());
        first.leave();
        let second = admit(&access, &header).expect("admitted");
        drop(first);
        assert!(admit(&access, &header).is_err(), "nobody leaves twice");
        drop(second);
        assert!(admit(&access, &header).is_ok());
    }
}
