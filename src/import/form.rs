//! The forms that can be imported, and how they are told apart.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};

use crate::export::FormatName;

/// A form in which other tools keep critiques and revisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The samples beside the paper.
    Slmadison,
    /// Rows of cai-conversation-harmless.
    Cai,
    /// What `LangChain`'s constitutional chain gives back with its intermediate steps.
    LangChain,
}

/// There is no form of that name.
#[derive(Debug, thiserror::Error)]
#[error("there is no form {name:?}; there are {}", Form::ALL.map(Form::as_str).join(", "))]
pub struct UnknownForm {
    name: String,
}

impl Form {
    /// Every form.
    pub const ALL: [Self; 3] = [Self::Slmadison, Self::Cai, Self::LangChain];

    /// The name on the command line and in transcripts.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Slmadison => "slmadison",
            Self::Cai => "cai-conversation-harmless",
            Self::LangChain => "langchain",
        }
    }

    /// The format of exports that gives rows of this form.
    #[must_use]
    pub fn format(self) -> FormatName {
        match self {
            Self::Slmadison => FormatName::Slmadison,
            Self::Cai => FormatName::Cai,
            Self::LangChain => FormatName::LangChain,
        }
    }

    /// The form of a row, by the columns that no other form has.
    #[must_use]
    pub fn of(row: &Map<String, Value>) -> Option<Self> {
        let has = |name: &str| row.contains_key(name);
        if has("rl_prompt") && has("cst") {
            return Some(Self::Slmadison);
        }
        if has("init_prompt") && has("revision_response") {
            return Some(Self::Cai);
        }
        let steps = super::langchain::STEPS.iter().any(|name| has(name));
        let first = super::langchain::FIRST.iter().any(|name| has(name));
        (steps && first).then_some(Self::LangChain)
    }
}

impl fmt::Display for Form {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Form {
    type Err = UnknownForm;

    fn from_str(name: &str) -> Result<Self, UnknownForm> {
        let found = Self::ALL.into_iter().find(|known| known.as_str() == name);
        found.ok_or_else(|| UnknownForm {
            name: name.to_owned(),
        })
    }
}
