//! Why a prompt template could not be used.

use std::path::PathBuf;

/// A prompt template could not be read or rendered.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// The folder of templates, or a file of it, cannot be read.
    #[error("cannot read the prompt templates in {}", path.display())]
    Unreadable {
        /// The folder or file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A file in the folder is not a template that redraft uses.
    #[error("{} is not a prompt template of redraft; the templates are: {}", path.display(), known.join(", "))]
    Unknown {
        /// The file.
        path: PathBuf,
        /// The names that are known.
        known: Vec<&'static str>,
    },
    /// A template is wrong, or asks for something that its context does not have.
    #[error("the prompt template {template} is wrong")]
    Template {
        /// The template's file name.
        template: String,
        /// Line and reason.
        #[source]
        source: minijinja::Error,
    },
}
