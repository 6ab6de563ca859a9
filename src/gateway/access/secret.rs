//! Keys: how they are made, and what is kept of them.
//!
//! A key is 256 bits from the system's source of randomness, so nobody finds it by trying, and no two
//! are the same: what a password needs against guessing, a salt and a slow hash, would add nothing but
//! time to every request. What is kept is its BLAKE3 digest under a context of its own, which serves
//! for nothing else. Digests are compared in constant time.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What keys begin with, so that people and scanners know one when they see it.
const PREFIX: &str = "redraft-";
/// The context of the digest, as BLAKE3 wants one: it never changes.
const CONTEXT: &str = "redraft 2026-11 gateway keys";

/// A key as its holder has it. Nothing shows it but [`reveal`](Self::reveal).
pub struct Secret(String);

impl Secret {
    /// A new key; nothing where the system gives no randomness.
    #[must_use]
    pub fn new() -> Option<Self> {
        let mut bytes = [0; 32];
        let provider = rustls::crypto::ring::default_provider();
        provider.secure_random.fill(&mut bytes).ok()?;
        Some(Self(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// The key itself, to be shown to its holder once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    #[must_use]
    pub fn digest(&self) -> KeyDigest {
        KeyDigest::of(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(hidden)")
    }
}

/// What is kept of a key. Equality takes the same time for all digests.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyDigest(blake3::Hash);

impl KeyDigest {
    /// The digest of a key as it came.
    #[must_use]
    pub fn of(key: &str) -> Self {
        Self(blake3::derive_key(CONTEXT, key.as_bytes()).into())
    }
}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KeyDigest(hidden)")
    }
}

impl Serialize for KeyDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.to_hex().as_str())
    }
}

impl<'de> Deserialize<'de> for KeyDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digest = blake3::Hash::from_str(&text)
            .map_err(|_| serde::de::Error::custom("a digest has 64 hexadecimal digits"))?;
        Ok(Self(digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_and_show_themselves_to_nobody() {
        let (one, other) = (Secret::new().expect("a key"), Secret::new().expect("a key"));
        assert_ne!(one.reveal(), other.reveal());
        assert_eq!(one.reveal().len(), PREFIX.len() + 43);
        assert_eq!(one.digest(), KeyDigest::of(one.reveal()));
        assert_ne!(one.digest(), other.digest());
        let shown = format!("{one:?} {:?}", one.digest());
        assert!(!shown.contains(&one.reveal()[PREFIX.len()..]), "{shown}");
        let kept = serde_json::to_string(&one.digest()).expect("JSON");
        assert!(!kept.contains(&one.reveal()[PREFIX.len()..]));
        assert_eq!(
            serde_json::from_str::<KeyDigest>(&kept).expect("a digest"),
            one.digest()
        );
    }
}
