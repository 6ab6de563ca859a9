//! Content digests: the one way in which redraft names bytes by what they hold.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The BLAKE3 digest of some bytes, cut to 128 bits and written as 32 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 16]);

impl Digest {
    /// Sixteen bytes of zero, the digest of nothing known: it stands where a digest was taken away.
    pub const NOTHING: Self = Self([0; 16]);

    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_hash(blake3::hash(bytes))
    }

    /// The digest of the compact JSON of `value`.
    ///
    /// # Panics
    ///
    /// Never for the types of this crate, whose maps have string keys and keep their order.
    pub fn of_json(value: &impl Serialize) -> Self {
        let json = serde_json::to_vec(value).expect("a plain data type serialises");
        Self::of(&json)
    }

    /// The digest under which a running hash stands now.
    #[must_use]
    pub fn from_hash(hash: blake3::Hash) -> Self {
        let mut short = [0; 16];
        short.copy_from_slice(&hash.as_bytes()[..16]);
        Self(short)
    }

    /// A digest read back from its 16 bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The first 8 bytes as a number, to spread things by.
    #[must_use]
    pub fn number(&self) -> u64 {
        let mut first = [0; 8];
        first.copy_from_slice(&self.0[..8]);
        u64::from_be_bytes(first)
    }

    /// The first eight hex digits, enough to tell a handful of things apart.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string()[..8].to_owned()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Digest({self})")
    }
}

/// The text is not 32 hex digits.
#[derive(Debug, thiserror::Error)]
#[error("a digest is 32 hex digits")]
pub struct ParseDigestError;

impl FromStr for Digest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != 32 || !text.is_ascii() {
            return Err(ParseDigestError);
        }
        let mut bytes = [0; 16];
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[place * 2..place * 2 + 2], 16)
                .map_err(|_| ParseDigestError)?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_survives_its_text_form() {
        let digest = Digest::of(b"redraft");
        assert_eq!(digest.to_string().parse::<Digest>().ok(), Some(digest));
        assert!("xyz".parse::<Digest>().is_err());
        assert!("é".repeat(16).parse::<Digest>().is_err());
    }

    #[test]
    fn a_json_digest_is_the_digest_of_its_text() {
        assert_eq!(Digest::of_json(&["a", "b"]), Digest::of(br#"["a","b"]"#));
    }
}
