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
    /// Reads the outline of a sealed transcript's bytes.
    ///
    /// # Errors
    ///
    /// When the bytes are not a transcript.
    pub fn read(body: &'t [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(body)
    }
}
