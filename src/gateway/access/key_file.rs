//! The file of keys: names, digests and limits, never a key.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{KeyDigest, Secret};

/// The version of the format.
const FORMAT: &str = "redraft-keys/1";
/// The longest name of a key.
const LONGEST_NAME: usize = 64;

/// The keys that there are. One that is revoked stays, so that revoking the last one opens nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyFile {
    /// The keys, oldest first.
    pub keys: Vec<NamedKey>,
}

/// What a key is for. Of those for people, each may what those before it may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyRole {
    /// An application: it may use the models, and sees no page.
    #[default]
    Caller,
    /// A person who reads the pages.
    Viewer,
    /// A person who also decides about held records.
    Reviewer,
    /// A person who also settles what reviewers disagree on.
    Admin,
}

impl KeyRole {
    /// The role in a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Viewer => "viewer",
            Self::Reviewer => "reviewer",
            Self::Admin => "admin",
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
    fn is_caller(&self) -> bool {
        *self == Self::Caller
    }
}

/// What is kept of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedKey {
    /// Its name.
    pub name: String,
    /// What is kept of the key itself.
    pub digest: KeyDigest,
    /// When it was made, RFC 3339 in UTC.
    pub created: String,
    /// When it was revoked; it holds no more then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "KeyRole::is_caller")]
    pub role: KeyRole,
    /// How much it may use.
    #[serde(default)]
    pub limits: KeyLimits,
}

/// How much a key may use; what is absent has no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeyLimits {
    /// Requests a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u64>,
    /// Tokens a minute, of prompts and replies together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<u64>,
    /// Requests under way at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: String,
    keys: Vec<NamedKey>,
}

/// The file of keys cannot be used, or a key cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file cannot be read or written.
    #[error("cannot use the keys in {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{} does not hold keys of the form {FORMAT}: {why}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The name is taken.
    #[error("there is a key {name} already; revoke it first, or take another name")]
    Taken {
        /// The name.
        name: String,
    },
    /// The name cannot be one.
    #[error("a key's name has 1 to {LONGEST_NAME} letters, digits, dots, hyphens and underscores")]
    Name,
    /// Keys that held are gone.
    #[error("the keys are gone; to open what they closed, start again without them")]
    Gone,
    /// The system gives no randomness.
    #[error("the system gives no randomness to make a key of")]
    NoRandomness,
}

impl KeyFile {
    /// The file of keys that belongs to a store.
    #[must_use]
    pub fn beside(store: &Path) -> PathBuf {
        let mut name = store.as_os_str().to_owned();
        name.push(".keys.json");
        name.into()
    }

    /// The keys in a file; none where there is no file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or holds something else.
    pub fn read(path: &Path) -> Result<Self, KeyFileError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(failed(path, source)),
        };
        let form = |why: String| KeyFileError::Form {
            path: path.to_owned(),
            why,
        };
        let written: Written =
            serde_json::from_str(&text).map_err(|error| form(error.to_string()))?;
        if written.format != FORMAT {
            return Err(form(format!("its form is {:?}", written.format)));
        }
        Ok(Self { keys: written.keys })
    }

    /// Changes the keys in a file: reads it, and puts the changed keys in its place all at once, while
    /// no other process does the same.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or written, or the change fails; the file is as before then.
    pub fn change<T>(
        path: &Path,
        change: impl FnOnce(&mut Self) -> Result<T, KeyFileError>,
    ) -> Result<T, KeyFileError> {
        let beside = |ending: &str| {
            let mut name = path.as_os_str().to_owned();
            name.push(ending);
            PathBuf::from(name)
        };
        let lock = File::create(beside(".lock")).map_err(|source| failed(path, source))?;
        lock.lock().map_err(|source| failed(path, source))?;
        let mut keys = Self::read(path)?;
        let changed = change(&mut keys)?;
        let new = beside(".new");
        keys.write(&new)
            .and_then(|()| fs::rename(&new, path))
            .map_err(|source| failed(path, source))?;
        Ok(changed)
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        let written = Written {
            format: FORMAT.to_owned(),
            keys: self.keys.clone(),
        };
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        serde_json::to_writer_pretty(&mut file, &written)?;
        file.write_all(b"\n")?;
        file.sync_all()
    }

    /// Makes a key of that name and for that, at that time. A revoked one of the name gives it up.
    ///
    /// # Errors
    ///
    /// When the name is taken or cannot be one, or the system gives no randomness.
    pub fn create(
        &mut self,
        name: &str,
        role: KeyRole,
        limits: KeyLimits,
        now: &str,
    ) -> Result<Secret, KeyFileError> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
        if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(is_plain) {
            return Err(KeyFileError::Name);
        }
        let of_name = |key: &NamedKey| key.name == name;
        if (self.keys.iter()).any(|key| of_name(key) && key.revoked.is_none()) {
            let name = name.to_owned();
            return Err(KeyFileError::Taken { name });
        }
        let secret = Secret::new().ok_or(KeyFileError::NoRandomness)?;
        self.keys.retain(|key| !of_name(key));
        self.keys.push(NamedKey {
            name: name.to_owned(),
            digest: secret.digest(),
            created: now.to_owned(),
            revoked: None,
            role,
            limits,
        });
        Ok(secret)
    }

    /// Revokes the key of that name, at that time; says whether there was one that held.
    pub fn revoke(&mut self, name: &str, now: &str) -> bool {
        let mut keys = self.keys.iter_mut();
        match keys.find(|key| key.name == name && key.revoked.is_none()) {
            Some(key) => {
                key.revoked = Some(now.to_owned());
                true
            }
            None => false,
        }
    }
}

fn failed(path: &Path, source: io::Error) -> KeyFileError {
    KeyFileError::File {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_kept_without_the_keys() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = KeyFile::beside(&folder.path().join("redraft.db"));
        assert!(path.ends_with("redraft.db.keys.json"));
        assert_eq!(KeyFile::read(&path).expect("none"), KeyFile::default());
        let limits = KeyLimits {
            requests_per_minute: Some(60),
            ..KeyLimits::default()
        };
        let secret = KeyFile::change(&path, |keys| {
            keys.create("ann", KeyRole::Caller, limits, "t")
        })
        .expect("a key");
        let text = fs::read_to_string(&path).expect("a file");
        assert!(!text.contains(secret.reveal()), "{text}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&path).expect("a file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let keys = KeyFile::read(&path).expect("keys");
        assert_eq!(keys.keys[0].digest, secret.digest());
        assert_eq!(keys.keys[0].limits, limits);
    }

    #[test]
    fn a_name_has_one_key_that_holds() {
        let mut keys = KeyFile::default();
        let limits = KeyLimits::default();
        keys.create("ann", KeyRole::Caller, limits, "1")
            .expect("a key");
        let taken = keys
            .create("ann", KeyRole::Caller, limits, "2")
            .expect_err("the name is taken");
        assert!(matches!(taken, KeyFileError::Taken { .. }), "{taken}");
        assert!(keys.revoke("ann", "3"));
        assert!(!keys.revoke("ann", "4"));
        keys.create("ann", KeyRole::Caller, limits, "5")
            .expect("a key");
        assert_eq!(keys.keys.len(), 1);
        for wrong in ["", "a b", "ü", &"x".repeat(65)] {
            assert!(
                keys.create(wrong, KeyRole::Caller, limits, "6").is_err(),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn what_is_no_file_of_keys_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.json");
        for text in ["{", "{\"format\":\"other\",\"keys\":[]}", "[]"] {
            fs::write(&path, text).expect("a file");
            let error = KeyFile::change(&path, |keys| {
                keys.create("ann", KeyRole::Caller, KeyLimits::default(), "t")
            });
            let error = error.expect_err("no keys").to_string();
            assert!(error.contains("redraft-keys/1"), "{error}");
            assert_eq!(fs::read_to_string(&path).expect("a file"), text);
        }
    }
}
