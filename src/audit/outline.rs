//! As much of a transcript as statistics need, read without its texts.

use std::borrow::Cow;

use serde::Deserialize;

use crate::transcript::{Outcome, UsageByRole, Verdict};

/// A transcript without its texts.
#[derive(Debug, Deserialize)]
pub struct Outline<'t> {
    pub(super) outcome: Outcome,
    #[serde(borrow, default)]
    pub(super) rounds: Vec<RoundOutline<'t>>,
    #[serde(default, rename = "final")]
    pub(super) final_answer: Option<FinalOutline>,
    pub(super) usage: UsageByRole,
    #[serde(borrow, default)]
    provenance: Option<ProvenanceOutline<'t>>,
}

#[derive(Debug, Deserialize)]
struct ProvenanceOutline<'t> {
    #[serde(borrow, default)]
    recipe: RecipeOutline<'t>,
}

/// The knobs that say when a record ends; absent in transcripts made by hand.
#[derive(Debug, Default, Deserialize)]
struct RecipeOutline<'t> {
    #[serde(borrow, default)]
    principles: Cow<'t, str>,
    #[serde(borrow, default)]
    revise: Cow<'t, str>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RoundOutline<'t> {
    pub(super) n: u32,
    #[serde(borrow, default)]
    pub(super) findings: Vec<FindingOutline<'t>>,
    #[serde(default)]
    pub(super) revision: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
pub(super) struct FindingOutline<'t> {
    #[serde(borrow)]
    pub(super) principle: Cow<'t, str>,
    pub(super) verdict: Verdict,
}

#[derive(Debug, Deserialize)]
pub(super) struct FinalOutline {
    pub(super) round: u32,
}

impl<'t> Outline<'t> {
    /// Whether the record ended as soon as nothing was violated.
    pub(super) fn stops_when_clean(&self) -> bool {
        let recipe = self.provenance.as_ref().map(|known| &known.recipe);
        recipe.is_some_and(|recipe| recipe.principles == "all" && recipe.revise == "violated")
    }

    /// Reads the outline of a sealed transcript's bytes.
    ///
    /// # Errors
    ///
    /// When the bytes are not a transcript.
    pub fn read(body: &'t [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(body)
    }
}
