//! The shapes that files of principles have.

use std::fmt;
use std::str::FromStr;

use super::haul::{Haul, Misfit};
use super::source::Source;
use super::{
    critique_revision, few_shot_comparisons, few_shot_pairs, few_shot_transcripts, langchain,
    llm_swarm, nemo_samples, open_character, preference_questions, salmon, sentences, table,
};

/// The shape of a file of principles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Anthropic's requests for critiques and revisions: an object of `prompt` and `edit_request`.
    CritiqueRevision,
    /// Anthropic's questions for comparing answers: a list of texts that end in `Options:`.
    PreferenceQuestions,
    /// Whole transcripts with critique and revision, as texts.
    FewShotTranscripts,
    /// Prompts with `corrects` and `incorrects`.
    FewShotPairs,
    /// Two answers, thoughts about them, and which is better, in one text.
    FewShotComparisons,
    /// llm-swarm's `constitutions` with `system_chat`.
    LlmSwarm,
    /// LangChain's list of `critique_request` and `revision_request`.
    LangChain,
    /// SALMON's list of `dimension` and `definition`.
    Salmon,
    /// `NeMo`'s few-shot chats under `samples`.
    NemoSamples,
    /// `OpenCharacter`'s list of `trait` and `questions`.
    OpenCharacter,
    /// A table with one principle a row.
    Csv,
    /// A list of sentences: Markdown, plain text, or a JSON list of texts.
    Sentences,
}

/// What every reader is: whether a source has its shape, and what the source holds.
type Reader = (fn(&Source) -> bool, fn(&Source) -> Result<Haul, Misfit>);

impl Shape {
    /// Every shape, the narrower ones before those that would fit them, too.
    pub const ALL: [Self; 12] = [
        Self::CritiqueRevision,
        Self::PreferenceQuestions,
        Self::FewShotTranscripts,
        Self::FewShotPairs,
        Self::FewShotComparisons,
        Self::LlmSwarm,
        Self::LangChain,
        Self::Salmon,
        Self::NemoSamples,
        Self::OpenCharacter,
        Self::Csv,
        Self::Sentences,
    ];

    /// The shape's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CritiqueRevision => "critique-revision",
            Self::PreferenceQuestions => "preference-questions",
            Self::FewShotTranscripts => "few-shot-transcripts",
            Self::FewShotPairs => "few-shot-pairs",
            Self::FewShotComparisons => "few-shot-comparisons",
            Self::LlmSwarm => "llm-swarm",
            Self::LangChain => "langchain",
            Self::Salmon => "salmon",
            Self::NemoSamples => "nemo-samples",
            Self::OpenCharacter => "open-character",
            Self::Csv => "csv",
            Self::Sentences => "sentences",
        }
    }

    fn reader(self) -> Reader {
        match self {
            Self::CritiqueRevision => (critique_revision::fits, critique_revision::read),
            Self::PreferenceQuestions => (preference_questions::fits, preference_questions::read),
            Self::FewShotTranscripts => (few_shot_transcripts::fits, few_shot_transcripts::read),
            Self::FewShotPairs => (few_shot_pairs::fits, few_shot_pairs::read),
            Self::FewShotComparisons => (few_shot_comparisons::fits, few_shot_comparisons::read),
            Self::LlmSwarm => (llm_swarm::fits, llm_swarm::read),
            Self::LangChain => (langchain::fits, langchain::read),
            Self::Salmon => (salmon::fits, salmon::read),
            Self::NemoSamples => (nemo_samples::fits, nemo_samples::read),
            Self::OpenCharacter => (open_character::fits, open_character::read),
            Self::Csv => (table::fits, table::read),
            Self::Sentences => (sentences::fits, sentences::read),
        }
    }

    /// The shape of a source, if it has one.
    pub(super) fn of(source: &Source) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|shape| (shape.reader().0)(source))
    }

    /// What a source of this shape holds.
    pub(super) fn read(self, source: &Source) -> Result<Haul, Misfit> {
        (self.reader().1)(source)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// There is no shape of that name.
#[derive(Debug, thiserror::Error)]
#[error("there is no shape {name:?}; there are {}", Shape::ALL.map(Shape::as_str).join(", "))]
pub struct UnknownShape {
    name: String,
}

impl FromStr for Shape {
    type Err = UnknownShape;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|shape| shape.as_str() == name)
            .ok_or_else(|| UnknownShape {
                name: name.to_owned(),
            })
    }
}
