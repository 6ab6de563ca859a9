//! Ed25519 keys in the text form of signed notes (C2SP).

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, Verifier as _};
use sha2::{Digest as _, Sha256};

use super::note::NoteSignature;

/// The byte that stands before an Ed25519 key.
const ED25519: u8 = 1;
/// What a private key begins with.
const PRIVATE: &str = "PRIVATE+KEY+";

/// The text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It has another form.
    #[error("a public key is NAME+HASH+BASE64, as `redraft audit keygen` prints it")]
    NoPublicKey,
    /// It has another form.
    #[error("a private key is PRIVATE+KEY+NAME+HASH+BASE64, as `redraft audit keygen` writes it")]
    NoPrivateKey,
    /// Another kind of key.
    #[error("it is no Ed25519 key")]
    NotEd25519,
    /// The hash in it is that of another key or name.
    #[error("its hash does not fit: a letter of it was changed")]
    WrongHash,
    /// The name cannot be part of a key.
    #[error("the name of a key is one word without `+`")]
    Name,
    /// The system has no randomness to give.
    #[error("the system has no randomness to give")]
    NoRandomness,
}

/// A private key and its name.
#[derive(Clone)]
pub struct SigningKey {
    name: String,
    key: ed25519_dalek::SigningKey,
}

/// A public key and its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    name: String,
    key: ed25519_dalek::VerifyingKey,
}

impl SigningKey {
    /// A new key.
    ///
    /// # Errors
    ///
    /// When the name cannot be part of one, or the system has no randomness.
    pub fn generate(name: &str) -> Result<Self, KeyError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|_| KeyError::NoRandomness)?;
        Self::from_seed(name, seed)
    }

    /// The key of a seed.
    ///
    /// # Errors
    ///
    /// When the name cannot be part of a key.
    pub fn from_seed(name: &str, seed: [u8; 32]) -> Result<Self, KeyError> {
        check_name(name)?;
        Ok(Self {
            name: name.to_owned(),
            key: ed25519_dalek::SigningKey::from_bytes(&seed),
        })
    }

    /// The key that others check its signatures by.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey {
            name: self.name.clone(),
            key: self.key.verifying_key(),
        }
    }

    /// The secret as the text of a key file.
    #[must_use]
    pub fn to_secret_text(&self) -> String {
        let encoded = encoded(self.key.as_bytes());
        let id = id_text(self.public().id());
        format!("{PRIVATE}{}+{id}+{encoded}", self.name)
    }

    /// Signs the text of a note.
    #[must_use]
    pub fn sign(&self, text: &str) -> NoteSignature {
        NoteSignature {
            name: self.name.clone(),
            key_id: self.public().id(),
            signature: self.key.sign(text.as_bytes()).to_bytes().to_vec(),
        }
    }
}

/// The secret is not shown.
impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKey({})", self.public())
    }
}

impl FromStr for SigningKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text.trim().strip_prefix(PRIVATE);
        let (name, id, bytes) = rest.and_then(parts).ok_or(KeyError::NoPrivateKey)?;
        let key = Self::from_seed(name, ed25519(&bytes)?)?;
        if id_text(key.public().id()) != id {
            return Err(KeyError::WrongHash);
        }
        Ok(key)
    }
}

impl PublicKey {
    /// The key's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number that its signatures name it by.
    #[must_use]
    pub fn id(&self) -> u32 {
        let hasher = Sha256::new_with_prefix(self.name.as_bytes());
        let hasher = hasher.chain_update([b'\n', ED25519]);
        let hash = hasher.chain_update(self.key.as_bytes()).finalize();
        u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
    }

    /// Whether a signature is of this key, by what it says of itself.
    #[must_use]
    pub fn is_named_by(&self, signature: &NoteSignature) -> bool {
        signature.name == self.name && signature.key_id == self.id()
    }

    /// Whether this key made the signature under that text.
    #[must_use]
    pub fn made(&self, signature: &NoteSignature, text: &str) -> bool {
        let signature = ed25519_dalek::Signature::from_slice(&signature.signature);
        signature.is_ok_and(|signature| self.key.verify(text.as_bytes(), &signature).is_ok())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, key) = (id_text(self.id()), encoded(self.key.as_bytes()));
        write!(formatter, "{}+{id}+{key}", self.name)
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, id, bytes) = parts(text.trim()).ok_or(KeyError::NoPublicKey)?;
        check_name(name)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(&ed25519(&bytes)?)
            .map_err(|_| KeyError::NotEd25519)?;
        let key = Self {
            name: name.to_owned(),
            key,
        };
        if id_text(key.id()) != id {
            return Err(KeyError::WrongHash);
        }
        Ok(key)
    }
}

fn check_name(name: &str) -> Result<(), KeyError> {
    let is_word = !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+');
    if is_word { Ok(()) } else { Err(KeyError::Name) }
}

/// Name, hash and bytes of a key.
fn parts(text: &str) -> Option<(&str, &str, Vec<u8>)> {
    let (name, rest) = text.split_once('+')?;
    let (id, key) = rest.split_once('+')?;
    Some((name, id, STANDARD.decode(key).ok()?))
}

fn ed25519(bytes: &[u8]) -> Result<[u8; 32], KeyError> {
    match bytes.split_first() {
        Some((&ED25519, key)) => key.try_into().map_err(|_| KeyError::NotEd25519),
        _ => Err(KeyError::NotEd25519),
    }
}

fn encoded(key: &[u8; 32]) -> String {
    STANDARD.encode([&[ED25519], &key[..]].concat())
}

fn id_text(id: u32) -> String {
    format!("{id:08x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_their_text_forms() {
        let key = SigningKey::generate("example.com/log").unwrap();
        let again: SigningKey = key.to_secret_text().parse().unwrap();
        assert_eq!(again.public(), key.public());
        let public: PublicKey = key.public().to_string().parse().unwrap();
        assert_eq!(public, key.public());
        assert!(!format!("{key:?}").contains("PRIVATE"));
    }

    #[test]
    fn the_key_of_the_notes_specification_has_its_hash() {
        // The example key of the package that the form comes from.
        let text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let key: PublicKey = text.parse().unwrap();
        assert_eq!((key.name(), key.id()), ("PeterNeumann", 0xc74f_20a3));
        assert_eq!(key.to_string(), text);
        let signed = "If you think cryptography is the answer to your problem,\n\
                      then you don't know what your problem is.\n";
        let bytes = STANDARD
            .decode("x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=")
            .unwrap();
        let signature = NoteSignature {
            name: "PeterNeumann".to_owned(),
            key_id: 0xc74f_20a3,
            signature: bytes[4..].to_vec(),
        };
        assert!(key.is_named_by(&signature) && key.made(&signature, signed));
        assert!(!key.made(&signature, "Something else.\n"));
    }

    #[test]
    fn what_is_no_key_is_told() {
        let key = SigningKey::generate("a").unwrap();
        let public = key.public().to_string();
        let told = |text: &str| text.parse::<PublicKey>().unwrap_err();
        assert_eq!(told("a+b"), KeyError::NoPublicKey);
        assert_eq!(told(&public.replacen('a', "b", 1)), KeyError::WrongHash);
        assert_eq!(told("a+00000000+AAAA"), KeyError::NotEd25519);
        assert_eq!(
            public.parse::<SigningKey>().unwrap_err(),
            KeyError::NoPrivateKey
        );
        for name in ["", "a b", "a+b"] {
            assert_eq!(SigningKey::generate(name).unwrap_err(), KeyError::Name);
        }
    }
}
