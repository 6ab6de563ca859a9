//! What a format is, and which ones there are.

use std::fmt::{self, Debug};
use std::str::FromStr;

use super::annotated_pairs::AnnotatedPairs;
use super::cai::Cai;
use super::dpo::Dpo;
use super::dpo_chat::DpoChat;
use super::kto::Kto;
use super::langchain::LangChain;
use super::nemo::Nemo;
use super::prompt_completion::PromptCompletion;
use super::reward::Reward;
use super::sft::Sft;
use super::sharegpt::ShareGpt;
use super::slmadison::Slmadison;
use super::transcripts::Transcripts;
use super::{About, Item, LeftOut, Texts};

/// A form in which other tools read rows.
pub trait Format: Debug + Send {
    /// The rows of a transcript, each compact JSON.
    ///
    /// # Errors
    ///
    /// Why it has none.
    fn rows(&mut self, item: &Item<'_>) -> Result<Vec<Vec<u8>>, LeftOut>;

    /// What stands around the rows; absent where each row stands alone. The head is the same
    /// whenever it is asked for, the tail is right once every row is made.
    fn frame(&self, about: &About) -> Option<Frame> {
        let _ = about;
        None
    }
}

/// What stands before and after the rows of one JSON document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What opens the list of rows.
    pub head: String,
    /// What closes it.
    pub tail: String,
}

/// How the rows of a format stand in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One JSON object a line.
    Lines,
    /// One JSON document.
    Document,
}

/// The name of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormatName {
    /// Whole chats, to fine-tune on.
    Sft,
    /// Prompt and answer apart.
    PromptCompletion,
    /// Preference pairs; the prompt stands apart.
    Dpo,
    /// Preference pairs of whole chats.
    DpoChat,
    /// Single answers, good or bad.
    Kto,
    /// Preference pairs with a margin.
    Reward,
    /// The columns of cai-conversation-harmless.
    Cai,
    /// The samples beside the paper.
    Slmadison,
    /// Critiques and revisions as `LangChain` gives them back.
    LangChain,
    /// NeMo-Aligner's chats.
    Nemo,
    /// `ShareGPT` conversations.
    ShareGpt,
    /// Annotated pairs of Inverse Constitutional AI, version 2.0.
    AnnotatedPairs,
    /// Transcripts as sealed.
    Transcripts,
}

/// There is no format of that name.
#[derive(Debug, thiserror::Error)]
#[error("there is no format {name:?}; there are {}", FormatName::ALL.map(FormatName::as_str).join(", "))]
pub struct UnknownFormat {
    name: String,
}

impl FormatName {
    /// Every format, as the documentation lists them.
    pub const ALL: [Self; 13] = [
        Self::Sft,
        Self::PromptCompletion,
        Self::Dpo,
        Self::DpoChat,
        Self::Kto,
        Self::Reward,
        Self::Cai,
        Self::Slmadison,
        Self::LangChain,
        Self::Nemo,
        Self::ShareGpt,
        Self::AnnotatedPairs,
        Self::Transcripts,
    ];

    /// The name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sft => "sft",
            Self::PromptCompletion => "prompt-completion",
            Self::Dpo => "dpo",
            Self::DpoChat => "dpo-chat",
            Self::Kto => "kto",
            Self::Reward => "reward",
            Self::Cai => "cai",
            Self::Slmadison => "slmadison",
            Self::LangChain => "langchain",
            Self::Nemo => "nemo",
            Self::ShareGpt => "sharegpt",
            Self::AnnotatedPairs => "annotated-pairs",
            Self::Transcripts => "transcripts",
        }
    }

    /// Whether the format can hold the final texts alone, or every one.
    #[must_use]
    pub fn takes_texts(self) -> bool {
        !matches!(self, Self::Slmadison | Self::LangChain | Self::Transcripts)
    }

    /// Whether rows say what the models were asked.
    #[must_use]
    pub fn wants_requests(self) -> bool {
        matches!(self, Self::Cai | Self::Slmadison | Self::LangChain)
    }

    /// Whether rows are preferences.
    #[must_use]
    pub fn is_preference(self) -> bool {
        matches!(
            self,
            Self::Dpo | Self::DpoChat | Self::Kto | Self::Reward | Self::Cai | Self::AnnotatedPairs
        )
    }

    /// How rows stand in a file.
    #[must_use]
    pub fn shape(self) -> Shape {
        match self {
            Self::AnnotatedPairs => Shape::Document,
            _ => Shape::Lines,
        }
    }

    /// The format itself, which takes these texts of a transcript.
    #[must_use]
    pub fn make(self, texts: Texts) -> Box<dyn Format> {
        match self {
            Self::Sft => Box::new(Sft(texts)),
            Self::PromptCompletion => Box::new(PromptCompletion(texts)),
            Self::Dpo => Box::new(Dpo(texts)),
            Self::DpoChat => Box::new(DpoChat(texts)),
            Self::Kto => Box::new(Kto(texts)),
            Self::Reward => Box::new(Reward(texts)),
            Self::Cai => Box::new(Cai(texts)),
            Self::Slmadison => Box::new(Slmadison),
            Self::LangChain => Box::new(LangChain),
            Self::Nemo => Box::new(Nemo(texts)),
            Self::ShareGpt => Box::new(ShareGpt(texts)),
            Self::AnnotatedPairs => Box::new(AnnotatedPairs::new(texts)),
            Self::Transcripts => Box::new(Transcripts),
        }
    }
}

impl fmt::Display for FormatName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for FormatName {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        let found = Self::ALL.into_iter().find(|known| known.as_str() == name);
        found.ok_or_else(|| UnknownFormat {
            name: name.to_owned(),
        })
    }
}
