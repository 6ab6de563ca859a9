//! Why a file could not be imported.

use std::path::PathBuf;

use super::Shape;
use super::source::MOST_BYTES;
use crate::constitution::LoadError;
use crate::yaml::MAX_BYTES;

/// A file could not be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The file holds nothing.
    #[error("{file} is empty")]
    Empty {
        /// The file's name.
        file: String,
    },
    /// The file is larger than any file of principles.
    #[error("{file} has more than {MOST_BYTES} bytes, which is the most that is read")]
    TooLarge {
        /// The file's name.
        file: String,
    },
    /// The file is no text in UTF-8.
    #[error("{file} is not UTF-8 text: {what}")]
    NotText {
        /// The file's name.
        file: String,
        /// What it is instead, or where it stops being text.
        what: String,
    },
    /// The file begins like JSON and is not.
    #[error("{file} is not JSON")]
    NotJson {
        /// The file's name.
        file: String,
        /// What is wrong, and where.
        #[source]
        source: serde_json::Error,
    },
    /// The file has none of the known shapes.
    #[error("{file} has none of the shapes that can be imported: {what}")]
    UnknownShape {
        /// The file's name.
        file: String,
        /// What was found instead.
        what: String,
    },
    /// The file does not have the shape that was asked for.
    #[error("{file} cannot be read as {shape}: {what}")]
    OtherShape {
        /// The file's name.
        file: String,
        /// The shape.
        shape: Shape,
        /// What was found instead.
        what: String,
    },
    /// The file is a constitution of ours.
    #[error("{file} is a constitution already: there is nothing to import")]
    Constitution {
        /// The file's name.
        file: String,
    },
    /// Nothing in the file can become a principle.
    #[error("{file} has the shape {shape}, and nothing in it can become a principle")]
    NothingFound {
        /// The file's name.
        file: String,
        /// The shape.
        shape: Shape,
        /// What was left out, and why.
        left_out: Vec<String>,
    },
    /// There are more principles than anybody can mean.
    #[error("{file} holds {found} principles, and at most {most} are imported")]
    TooMany {
        /// The file's name.
        file: String,
        /// How many there are.
        found: usize,
        /// The most.
        most: usize,
    },
    /// The constitution's name is not one.
    #[error("the constitution's name {name:?} is not kebab-case")]
    Name {
        /// The name.
        name: String,
    },
    /// The result is larger than a constitution may be.
    #[error("the constitution would have {bytes} bytes, and at most {MAX_BYTES} are read")]
    ResultTooLarge {
        /// How many it would have.
        bytes: usize,
    },
    /// The result does not hold up.
    #[error("what was imported is no constitution")]
    Invalid(#[source] LoadError),
}

impl ImportError {
    /// What can be done about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::UnknownShape { .. } | Self::OtherShape { .. } => {
                let shapes: Vec<&str> = Shape::ALL.iter().map(|shape| shape.as_str()).collect();
                let shapes = shapes.join(", ");
                Some(format!(
                    "name its shape with --from; there are {shapes} (docs/constitutions.md shows each)"
                ))
            }
            Self::NotText { .. } => {
                Some("save it as UTF-8, with or without a byte order mark".to_owned())
            }
            Self::NotJson { .. } => {
                Some("a page may begin with a bracket where its name ends in .md".to_owned())
            }
            Self::Constitution { .. } => {
                Some("use it with -c, or include it from another one".to_owned())
            }
            Self::NothingFound { left_out, .. } if !left_out.is_empty() => {
                Some(left_out.join("; "))
            }
            Self::Name { .. } => {
                Some("use lower-case letters, digits and hyphens, such as `our-rules`".to_owned())
            }
            Self::TooMany { .. } | Self::ResultTooLarge { .. } => {
                Some("cut the file into several, and import each".to_owned())
            }
            _ => None,
        }
    }
}
