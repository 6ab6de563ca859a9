//! What each template is filled with; a template that asks for more does not render.

use serde::Serialize;

use super::Nonce;

/// A typed context that belongs to one template.
pub trait Prompt: Serialize {
    /// The template's file name in `prompts/`.
    const TEMPLATE: &'static str;
}

/// The critic's instructions: constant over a run, so that a prefix cache serves it.
#[derive(Debug, Serialize)]
pub struct CritiqueSystem<'a> {
    /// The principles that the critic may be asked about.
    pub principles: Vec<PrincipleText<'a>>,
    /// Few-shot examples.
    pub examples: Vec<CritiqueExample>,
}

/// One principle as the critic reads it.
#[derive(Debug, Serialize)]
pub struct PrincipleText<'a> {
    /// The principle's id.
    pub id: &'a str,
    /// Its title, or its id again.
    pub title: &'a str,
    /// Its text.
    pub text: &'a str,
    /// The severity of a violation, where the critic sees no reason for another.
    pub severity: &'a str,
    /// Its own critique request.
    pub critique: Option<&'a str>,
}

/// One few-shot example for the critic.
#[derive(Debug, Serialize)]
pub struct CritiqueExample {
    /// The principle's id.
    pub principle: String,
    /// Conversation and answer as one line of JSON.
    pub material: String,
    /// The reply as one line of JSON.
    pub reply: String,
}

/// What the critic is asked about one answer.
#[derive(Debug, Serialize)]
pub struct CritiqueUser<'a> {
    /// The marker of the data block.
    pub nonce: Nonce,
    /// Conversation and answer as one line of JSON.
    pub material: &'a str,
    /// The ids of the principles to assess.
    pub principles: Vec<&'a str>,
    /// What was wrong with the last reply, when the critic is asked again.
    pub faults: &'a [String],
}

/// The reviser's instructions.
#[derive(Debug, Serialize)]
pub struct ReviseSystem {}

/// What the reviser is asked about one answer.
#[derive(Debug, Serialize)]
pub struct ReviseUser<'a> {
    /// The marker of the data block.
    pub nonce: Nonce,
    /// Conversation, answer and findings as one line of JSON.
    pub material: &'a str,
}

/// The turn that asks for a critique in free text, as in Bai et al. 2022, section 3.1.
#[derive(Debug, Serialize)]
pub struct CaiCritique<'a> {
    /// The principle's critique request.
    pub request: &'a str,
}

/// The turn that asks for a revision, as in Bai et al. 2022, section 3.1.
#[derive(Debug, Serialize)]
pub struct CaiRevision<'a> {
    /// The principle's revision request.
    pub request: &'a str,
}

/// The critique request of a principle that has none of its own.
#[derive(Debug, Serialize)]
pub struct CritiqueRequest<'a> {
    /// The principle's text.
    pub text: &'a str,
}

/// The revision request of a principle that has none of its own.
#[derive(Debug, Serialize)]
pub struct RevisionRequest<'a> {
    /// The principle's text.
    pub text: &'a str,
}

/// The question of a principle that has no `preference` of its own.
#[derive(Debug, Serialize)]
pub struct PreferenceQuestion<'a> {
    /// The principle's text.
    pub text: &'a str,
}

/// The instructions of whoever compares two answers: constant for a principle.
#[derive(Debug, Serialize)]
pub struct PreferenceSystem<'a> {
    /// The principle's question.
    pub question: &'a str,
    /// Whether the comparison is put into words before the choice.
    pub thinks: bool,
}

/// Two answers to compare.
#[derive(Debug, Serialize)]
pub struct PreferenceUser<'a> {
    /// The marker of the data block.
    pub nonce: Nonce,
    /// Conversation and answers as one line of JSON.
    pub material: &'a str,
    /// Whether the comparison is put into words before the choice.
    pub thinks: bool,
}

/// The turn that asks for the choice once the comparison is in words.
#[derive(Debug, Serialize)]
pub struct PreferenceVerdict {}

impl Prompt for CritiqueSystem<'_> {
    const TEMPLATE: &'static str = "critique-system.txt";
}
impl Prompt for CritiqueUser<'_> {
    const TEMPLATE: &'static str = "critique-user.txt";
}
impl Prompt for ReviseSystem {
    const TEMPLATE: &'static str = "revise-system.txt";
}
impl Prompt for ReviseUser<'_> {
    const TEMPLATE: &'static str = "revise-user.txt";
}
impl Prompt for CaiCritique<'_> {
    const TEMPLATE: &'static str = "cai-critique.txt";
}
impl Prompt for CaiRevision<'_> {
    const TEMPLATE: &'static str = "cai-revision.txt";
}
impl Prompt for CritiqueRequest<'_> {
    const TEMPLATE: &'static str = "critique-request.txt";
}
impl Prompt for RevisionRequest<'_> {
    const TEMPLATE: &'static str = "revision-request.txt";
}
impl Prompt for PreferenceQuestion<'_> {
    const TEMPLATE: &'static str = "preference-question.txt";
}
impl Prompt for PreferenceSystem<'_> {
    const TEMPLATE: &'static str = "preference-system.txt";
}
impl Prompt for PreferenceUser<'_> {
    const TEMPLATE: &'static str = "preference-user.txt";
}
impl Prompt for PreferenceVerdict {
    const TEMPLATE: &'static str = "preference-verdict.txt";
}
