//! Why a constitution could not be loaded.

use std::path::PathBuf;

use crate::yaml::Problems;

/// A constitution could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Neither a file nor a shipped constitution is called this.
    #[error("there is no constitution {reference:?}: neither a file nor a shipped one")]
    Unknown {
        /// What was asked for.
        reference: String,
        /// What was probably meant, or what there is.
        help: String,
    },
    /// The file cannot be read.
    #[error("cannot read the constitution {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The file, or one that it includes, is wrong.
    #[error(transparent)]
    Invalid(#[from] Problems),
}
