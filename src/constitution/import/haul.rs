//! What a reader brings in: entries on their way to becoming principles, and what it could not map.

use crate::constitution::{Example, Severity};

/// A source is not of the shape that it is read as: what was found instead.
#[derive(Debug)]
pub(super) struct Misfit(pub(super) String);

impl Misfit {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

/// What a source holds.
#[derive(Debug, Default)]
pub(super) struct Haul {
    /// What may become principles, in the source's order.
    pub(super) entries: Vec<Entry>,
    /// What has no place in a constitution.
    pub(super) unmapped: Vec<Unmapped>,
}

/// What a source says of one principle.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry {
    /// Where it stands, for people.
    pub(super) place: String,
    /// What the source calls it.
    pub(super) name: Option<String>,
    pub(super) title: Option<String>,
    pub(super) text: Option<String>,
    pub(super) critique: Option<String>,
    pub(super) revision: Option<String>,
    pub(super) preference: Option<String>,
    pub(super) severity: Option<Severity>,
    pub(super) weight: Option<f64>,
    pub(super) tags: Vec<String>,
    pub(super) examples: Vec<Example>,
}

/// Something that the source has and a constitution has no place for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmapped {
    /// The field, or the part of the file.
    pub what: String,
    /// Why it has no place.
    pub why: String,
    /// How often it occurs.
    pub count: usize,
    /// Where it occurs first.
    pub first: String,
}

impl Haul {
    /// Notes something that has no place; what has the same name and reason is counted.
    pub(super) fn leave_out(
        &mut self,
        what: impl Into<String>,
        why: impl Into<String>,
        place: &str,
    ) {
        let (what, why) = (what.into(), why.into());
        let known = self
            .unmapped
            .iter_mut()
            .find(|known| known.what == what && known.why == why);
        match known {
            Some(known) => known.count += 1,
            None => self.unmapped.push(Unmapped {
                what,
                why,
                count: 1,
                first: place.to_owned(),
            }),
        }
    }
}

/// Text that says something, without the white space around it.
pub(super) fn spoken(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
