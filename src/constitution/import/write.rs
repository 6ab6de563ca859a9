//! An imported constitution as YAML: defaults left out, and a note above it on what its source does
//! not have.

use serde::Serialize;

use super::derived_text::TextOrigin;
use crate::constitution::{AppliesTo, Example, Principle, Severity};

/// A constitution file about to be written.
#[derive(Debug, Serialize)]
pub(super) struct Written<'a> {
    pub(super) constitution: &'a str,
    pub(super) description: String,
    pub(super) principles: Vec<WrittenPrinciple<'a>>,
}

/// A principle without the fields that say what would be so anyway.
#[derive(Debug, Serialize)]
pub(super) struct WrittenPrinciple<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<Severity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    applies_to: Option<&'a AppliesTo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    critique: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preference: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Example]>::is_empty")]
    examples: &'a [Example],
}

impl<'a> From<&'a Principle> for WrittenPrinciple<'a> {
    fn from(principle: &'a Principle) -> Self {
        let has_weight = principle.weight.to_bits() != 1.0_f64.to_bits();
        Self {
            id: &principle.id,
            title: principle.title.as_deref(),
            text: &principle.text,
            severity: Some(principle.severity).filter(|severity| *severity != Severity::default()),
            weight: has_weight.then_some(principle.weight),
            applies_to: principle.applies_to.as_ref(),
            critique: principle.critique.as_deref(),
            revision: principle.revision.as_deref(),
            preference: principle.preference.as_deref(),
            examples: &principle.examples,
        }
    }
}

/// The file's text: the notes as comments, then the constitution.
pub(super) fn yaml(written: &Written<'_>, notes: &[&str]) -> Result<String, serde_yaml::Error> {
    let mut text = String::new();
    for note in notes {
        text.push_str("# ");
        text.push_str(note);
        text.push('\n');
    }
    Ok(text + &serde_yaml::to_string(written)?)
}

/// What a reader of the file must know about texts that the source does not have.
pub(super) fn note_on_texts(origins: &[TextOrigin]) -> Option<&'static str> {
    let quotes = [
        TextOrigin::Revision,
        TextOrigin::Critique,
        TextOrigin::Preference,
    ];
    if origins.contains(&TextOrigin::Examples) {
        Some("The source says no principle; the text is redraft's: say what the examples show.")
    } else if origins.iter().any(|origin| quotes.contains(origin)) {
        Some(
            "The source has no `text`: the words in quotes are the source's, the words before them redraft's.",
        )
    } else {
        None
    }
}
