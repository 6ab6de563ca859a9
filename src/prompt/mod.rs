//! Prompts: the templates of `prompts/`, the typed contexts that fill them, and the fence around
//! text that is not to be trusted.
//!
//! A template renders only from its own context, a type that implements [`Prompt`]; a name that the
//! context does not have is an error. docs/prompts.md lists both.

mod context;
mod error;
mod fence;
mod set;

pub use context::{
    CaiCritique, CaiRevision, CritiqueExample, CritiqueRequest, CritiqueSystem, CritiqueUser,
    PreferenceQuestion, PreferenceSystem, PreferenceUser, PreferenceVerdict, PrincipleText, Prompt,
    ReviseSystem, ReviseUser, RevisionRequest,
};
pub use error::PromptError;
pub use fence::{Nonce, data};
pub use set::PromptSet;
