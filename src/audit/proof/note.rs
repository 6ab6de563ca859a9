//! Signed notes (C2SP): a text, an empty line, and signatures.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::key::PublicKey;

/// The text is no signed note.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no signed note: {0}")]
pub struct NoteError(&'static str);

/// A text with its signatures; none where nobody has signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedNote {
    /// The text, which ends with a line feed.
    pub text: String,
    /// Who signed it.
    pub signatures: Vec<NoteSignature>,
}

/// One signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    /// The name of the key.
    pub name: String,
    /// The number of the key.
    pub key_id: u32,
    /// The signature itself.
    pub signature: Vec<u8>,
}

impl SignedNote {
    /// Whether this key signed the note; absent where no signature names it.
    #[must_use]
    pub fn is_signed_by(&self, key: &PublicKey) -> Option<bool> {
        let signatures = self.signatures.iter();
        let signature = signatures.clone().find(|other| key.is_named_by(other))?;
        Some(key.made(signature, &self.text))
    }
}

impl fmt::Display for SignedNote {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)?;
        if !self.signatures.is_empty() {
            formatter.write_str("\n")?;
        }
        for signature in &self.signatures {
            let id = signature.key_id.to_be_bytes();
            let bytes = [&id[..], &signature.signature].concat();
            writeln!(
                formatter,
                "\u{2014} {} {}",
                signature.name,
                STANDARD.encode(bytes)
            )?;
        }
        Ok(())
    }
}

impl FromStr for SignedNote {
    type Err = NoteError;

    fn from_str(note: &str) -> Result<Self, Self::Err> {
        if !note.ends_with('\n') {
            return Err(NoteError("its last line does not end"));
        }
        let Some((text, lines)) = note.rsplit_once("\n\n") else {
            return Ok(Self {
                text: note.to_owned(),
                signatures: Vec::new(),
            });
        };
        Ok(Self {
            text: format!("{text}\n"),
            signatures: lines.lines().map(signature).collect::<Result<_, _>>()?,
        })
    }
}

fn signature(line: &str) -> Result<NoteSignature, NoteError> {
    let parsed = || {
        let (name, encoded) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
        let bytes = STANDARD.decode(encoded).ok()?;
        let (id, signature) = bytes.split_first_chunk::<4>()?;
        Some(NoteSignature {
            name: name.to_owned(),
            key_id: u32::from_be_bytes(*id),
            signature: signature.to_vec(),
        })
    };
    parsed().ok_or(NoteError("a line behind the empty one is no signature"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::proof::SigningKey;

    #[test]
    fn a_note_survives_its_text_form_and_its_signature_is_checked() {
        let key = SigningKey::generate("a").unwrap();
        let other = SigningKey::generate("b").unwrap();
        let text = "origin\n1\nroot\n".to_owned();
        let signatures = vec![key.sign(&text)];
        let note = SignedNote { text, signatures };
        let read: SignedNote = note.to_string().parse().unwrap();
        assert_eq!(read, note);
        assert_eq!(read.is_signed_by(&key.public()), Some(true));
        assert_eq!(read.is_signed_by(&other.public()), None);
        let changed: SignedNote = note.to_string().replacen('1', "2", 1).parse().unwrap();
        assert_eq!(changed.is_signed_by(&key.public()), Some(false));
    }

    #[test]
    fn a_note_without_signatures_is_its_text_alone() {
        let note: SignedNote = "origin\n0\nroot\n".parse().unwrap();
        assert!(note.signatures.is_empty());
        assert_eq!(note.to_string(), "origin\n0\nroot\n");
        assert!("no end".parse::<SignedNote>().is_err());
        assert!("text\n\nno signature\n".parse::<SignedNote>().is_err());
    }
}
