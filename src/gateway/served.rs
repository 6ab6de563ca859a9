//! A model as the gateway offers it: where it is, and what becomes of its answers.

use serde::{Deserialize, Serialize};

use crate::model::openai::Relay;
use crate::pipeline::Pipeline;

/// What becomes of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// It leaves only when it keeps the constitution.
    #[default]
    Enforce,
    /// It leaves at once, and is criticised afterwards.
    Observe,
    /// It leaves at once.
    Off,
}

impl Mode {
    /// The mode's lower-case name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Observe => "observe",
            Self::Off => "off",
        }
    }
}

/// What a client is given when something stays violated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnUnresolved {
    /// A refusal.
    #[default]
    Refuse,
    /// The configured message, as if the model had said it.
    Replace,
    /// The best text there is, with a note of what it violates.
    Annotate,
}

/// What a client is given when critic or reviser fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnCriticError {
    /// An error.
    #[default]
    Closed,
    /// The text, as far as the checks let it through, with a note.
    OpenAnnotated,
}

/// What a client reads when an answer is refused, unless the operator has written something else.
pub const DEFAULT_MESSAGE: &str =
    "This answer was withheld, because it does not keep the rules that answers here must keep.";

/// Who judges the texts of an answer.
#[derive(Debug)]
pub struct Panel {
    /// Judges texts for people, and revises them.
    pub texts: Pipeline,
    /// Judges texts for programs, which only checks may mend.
    pub data: Pipeline,
}

/// A model as the gateway offers it.
#[derive(Debug)]
pub struct Served {
    /// The name that clients call it by.
    pub name: String,
    /// Where it is.
    pub relay: Relay,
    /// What becomes of its answers.
    pub mode: Mode,
    /// What is given when something stays violated.
    pub on_unresolved: OnUnresolved,
    /// What is given when critic or reviser fails.
    pub on_critic_error: OnCriticError,
    /// What is said in place of an answer.
    pub message: String,
    /// Tags of every request, which choose principles.
    pub tags: Vec<String>,
    /// Who judges; absent where nobody does.
    pub panel: Option<Panel>,
    /// Who judges when a client asks for so many revisions at most: the first for none.
    pub panels_by_rounds: Vec<Panel>,
}

impl Served {
    /// The run that its transcripts belong to.
    #[must_use]
    pub fn run(&self) -> String {
        run_name(&self.name)
    }
}

/// The run that the transcripts of a model of that public name belong to.
#[must_use]
pub fn run_name(model: &str) -> String {
    format!("gateway:{model}")
}
