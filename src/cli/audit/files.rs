//! Keys, checkpoints and proofs as files.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;

use crate::audit::proof::{PublicKey, SignedNote, SigningKey};
use crate::cli::error::UsageError;

/// Reads the private key in a file.
pub(super) fn signing_key(path: &Path) -> anyhow::Result<SigningKey> {
    let text = read(path)?;
    text.parse()
        .with_context(|| format!("{} holds no key", path.display()))
}

/// A public key: itself, or the file that holds it.
pub(super) fn public_key(given: &str) -> anyhow::Result<PublicKey> {
    let text = if Path::new(given).is_file() {
        read(Path::new(given))?
    } else {
        given.to_owned()
    };
    let key = text.parse();
    key.map_err(|error| UsageError(format!("--public-key {given}: {error}")).into())
}

/// Reads a checkpoint from a file.
pub(super) fn checkpoint(path: &Path) -> anyhow::Result<SignedNote> {
    let text = read(path)?;
    text.parse()
        .with_context(|| format!("{} holds no checkpoint", path.display()))
}

pub(super) fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Writes a file that may be there already.
pub(super) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Writes a file that nobody else may read, and that is not there yet.
pub(super) fn write_secret(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| {
            format!(
                "cannot write {}; no key is ever written over",
                path.display()
            )
        })
}
