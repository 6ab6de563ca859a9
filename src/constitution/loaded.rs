//! A constitution that was examined and can be used.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::gather::{Gathered, gather, gather_text};
use super::lint::lint;
use super::{LoadError, Principle};
use crate::digest::Digest;
use crate::yaml::{Problems, SourceFile};

/// A named, versioned set of principles, ready to judge.
///
/// # Examples
///
/// ```
/// use redraft::constitution::Constitution;
///
/// let privacy = Constitution::load("privacy")?;
/// assert!(!privacy.needs_model());
/// # Ok::<(), redraft::constitution::LoadError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Constitution {
    name: String,
    version: String,
    description: String,
    principles: Vec<Principle>,
    digest: Digest,
    files: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Content<'a> {
    name: &'a str,
    version: &'a str,
    principles: &'a [Principle],
}

/// The same, read again.
#[derive(Default, Deserialize)]
struct Stood {
    name: String,
    version: String,
    principles: serde_json::Value,
}

impl Constitution {
    /// Loads a constitution by path, or by the name of a shipped one.
    ///
    /// # Errors
    ///
    /// When there is none, or when it or an include is wrong; warnings do not stand in the way.
    pub fn load(reference: &str) -> Result<Self, LoadError> {
        Self::build(gather(reference)?)
    }

    /// Loads a constitution from YAML text; `name` is what problems call it.
    ///
    /// # Errors
    ///
    /// When the text or an include is wrong.
    pub fn from_yaml(name: &str, text: &str) -> Result<Self, LoadError> {
        Self::build(gather_text(SourceFile::new(name, text))?)
    }

    /// Loads a constitution from the text that [`content`](Self::content) gave.
    ///
    /// # Errors
    ///
    /// When it is no such text.
    pub fn from_content(text: &str) -> Result<Self, LoadError> {
        let stood: Stood = serde_json::from_str(text).unwrap_or_default();
        let written = serde_json::json!({
            "constitution": stood.name,
            "version": stood.version,
            "principles": stood.principles,
        });
        Self::from_yaml("the constitution as it stood", &written.to_string())
    }

    fn build(gathered: Gathered) -> Result<Self, LoadError> {
        let (constitution, problems) = examine_gathered(gathered);
        constitution.ok_or(LoadError::Invalid(problems))
    }

    /// The constitution's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The constitution's version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What the constitution is for.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Every principle, those of included constitutions first.
    #[must_use]
    pub fn principles(&self) -> &[Principle] {
        &self.principles
    }

    /// The principle of that id.
    #[must_use]
    pub fn principle(&self, id: &str) -> Option<&Principle> {
        self.principles.iter().find(|principle| principle.id == id)
    }

    /// The principles that are about a record with these tags.
    pub fn applicable<'s>(&'s self, tags: &'s [String]) -> impl Iterator<Item = &'s Principle> {
        self.principles
            .iter()
            .filter(|principle| principle.applies_to(tags))
    }

    /// Whether a principle needs a model to judge it.
    #[must_use]
    pub fn needs_model(&self) -> bool {
        self.principles
            .iter()
            .any(|principle| !principle.is_settled_by_checks())
    }

    /// The files that it was read from, included ones too; shipped ones are none.
    #[must_use]
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The text that the digest is of: name, version and every principle, as JSON.
    ///
    /// # Panics
    ///
    /// Never: it is plain data.
    #[must_use]
    pub fn content(&self) -> String {
        let content = Content {
            name: &self.name,
            version: &self.version,
            principles: &self.principles,
        };
        serde_json::to_string(&content).expect("a constitution is plain data")
    }

    /// The digest of name, version and every principle.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

/// Examines a constitution as [`Constitution::load`] does, and gives its warnings, too; the
/// constitution itself is there when nothing stands in the way.
///
/// # Errors
///
/// When there is no such constitution, or a file of it does not parse.
pub fn examine(reference: &str) -> Result<(Option<Constitution>, Problems), LoadError> {
    Ok(examine_gathered(gather(reference)?))
}

/// Examines a constitution's YAML text in the same way; `name` is what problems call it.
///
/// # Errors
///
/// When the text or an include of it does not parse.
pub fn examine_text(name: &str, text: &str) -> Result<(Option<Constitution>, Problems), LoadError> {
    Ok(examine_gathered(gather_text(SourceFile::new(name, text))?))
}

fn examine_gathered(mut gathered: Gathered) -> (Option<Constitution>, Problems) {
    let problems = lint(&mut gathered);
    if problems.has_errors() {
        return (None, problems);
    }
    let Gathered {
        root,
        principles,
        files,
        ..
    } = gathered;
    let principles: Vec<Principle> = principles
        .into_iter()
        .map(|placed| placed.principle)
        .collect();
    let digest = Digest::of_json(&Content {
        name: &root.constitution,
        version: &root.version,
        principles: &principles,
    });
    let constitution = Constitution {
        name: root.constitution,
        version: root.version,
        description: root.description,
        principles,
        digest,
        files,
    };
    (Some(constitution), problems)
}
