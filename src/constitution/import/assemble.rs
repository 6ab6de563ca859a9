//! Entries become principles: each content once, each with an id and a text.

use super::compare::{Match, Relation, matches, relate};
use super::content::Content;
use super::derived_text::{TextOrigin, text_of};
use super::haul::{Entry, Haul};
use super::ids::{Ids, wanted};
use crate::constitution::{AppliesTo, Constitution, Principle, Severity};

/// A principle that could not keep its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renamed {
    /// Where it stands in the source.
    pub place: String,
    /// The id that its name makes.
    pub wanted: String,
    /// The id that it got.
    pub id: String,
    /// Who has its name: a constitution that it was compared with, or else the source itself.
    pub constitution: Option<String>,
}

/// An entry that says what an earlier one says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeated {
    /// Where it stands in the source.
    pub place: String,
    /// The principle that says it.
    pub id: String,
}

/// What entries became.
#[derive(Debug, Default)]
pub(super) struct Assembled {
    pub(super) principles: Vec<Principle>,
    pub(super) origins: Vec<TextOrigin>,
    pub(super) renamed: Vec<Renamed>,
    pub(super) repeated: Vec<Repeated>,
    pub(super) matches: Vec<Match>,
}

/// Makes principles of what was brought in; an entry that says nothing is told as left out.
pub(super) fn assemble(
    haul: &mut Haul,
    default_text: Option<&str>,
    others: &[Constitution],
) -> Assembled {
    let mut assembled = Assembled::default();
    let mut ids = Ids::default();
    let mut known: Vec<Content> = Vec::new();
    for entry in std::mem::take(&mut haul.entries) {
        let Some((text, origin)) = text_of(&entry, default_text) else {
            haul.leave_out("entries", "nothing in it says anything", &entry.place);
            continue;
        };
        let content = Content::of_entry(&entry);
        if let Some(first) = known.iter().position(|known| *known == content) {
            let principle = &mut assembled.principles[first];
            assembled.repeated.push(Repeated {
                place: entry.place.clone(),
                id: principle.id.clone(),
            });
            principle.examples.extend(entry.examples);
            continue;
        }
        let id = give_id(&entry, &content, others, &mut ids, &mut assembled.renamed);
        assembled.matches.extend(matches(&id, &content, others));
        assembled.principles.push(principle(id, text, entry));
        assembled.origins.push(origin);
        known.push(content);
    }
    assembled
}

/// The entry's id: that of its name, unless the name belongs to another principle.
fn give_id(
    entry: &Entry,
    content: &Content,
    others: &[Constitution],
    ids: &mut Ids,
    renamed: &mut Vec<Renamed>,
) -> String {
    let wanted = wanted(entry);
    let owner = |id: &str| {
        others.iter().find(|other| {
            let principle = other.principle(id);
            principle.is_some_and(|principle| {
                let theirs = Content::of_principle(principle);
                relate(content, &theirs) != Some(Relation::Same)
            })
        })
    };
    let id = ids.give(&wanted, |id| owner(id).is_some());
    if id != wanted && (entry.name.is_some() || owner(&wanted).is_some()) {
        renamed.push(Renamed {
            place: entry.place.clone(),
            constitution: owner(&wanted).map(|other| other.name().to_owned()),
            wanted,
            id: id.clone(),
        });
    }
    id
}

fn principle(id: String, text: String, entry: Entry) -> Principle {
    Principle {
        id,
        title: entry.title,
        text,
        severity: entry.severity.unwrap_or(Severity::Medium),
        weight: entry.weight.unwrap_or(1.0),
        applies_to: (!entry.tags.is_empty()).then_some(AppliesTo { tags: entry.tags }),
        critique: entry.critique,
        revision: entry.revision,
        preference: entry.preference,
        checks: Vec::new(),
        settled_by_checks: None,
        examples: entry.examples,
        compiled: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn haul(entries: &[(&str, &str)]) -> Haul {
        let entries = entries.iter().map(|(name, critique)| Entry {
            place: (*name).to_owned(),
            name: Some((*name).to_owned()),
            critique: Some((*critique).to_owned()),
            ..Entry::default()
        });
        Haul {
            entries: entries.collect(),
            ..Haul::default()
        }
    }

    fn ids(assembled: &Assembled) -> Vec<&str> {
        let principles = assembled.principles.iter();
        principles.map(|principle| principle.id.as_str()).collect()
    }

    #[test]
    fn one_name_for_two_contents_becomes_two_ids() {
        let mut haul = haul(&[("kind", "Is it kind?"), ("Kind", "Is it gentle?")]);
        let assembled = assemble(&mut haul, None, &[]);
        assert_eq!(ids(&assembled), ["kind", "kind-2"]);
        assert_eq!(assembled.renamed[0].wanted, "kind");
        assert_eq!(assembled.renamed[0].constitution, None);
    }

    #[test]
    fn two_names_for_one_content_become_one_principle() {
        let mut haul = haul(&[("kind", "Is it kind?"), ("gentle", "is it  kind")]);
        let assembled = assemble(&mut haul, None, &[]);
        assert_eq!(ids(&assembled), ["kind"]);
        assert_eq!(assembled.repeated[0].place, "gentle");
    }

    #[test]
    fn a_name_that_means_another_rule_elsewhere_is_given_up_and_the_same_rule_is_found() {
        let text = "constitution: theirs\nprinciples:\n  - { id: kind, text: T, critique: Is it brief? }\n  \
                    - { id: gentle, text: U, critique: Is it kind? }\n";
        let others = [Constitution::from_yaml("theirs", text).unwrap()];
        let mut haul = haul(&[("kind", "Is it kind?")]);
        let assembled = assemble(&mut haul, None, &others);
        assert_eq!(ids(&assembled), ["kind-2"]);
        assert_eq!(assembled.renamed[0].constitution.as_deref(), Some("theirs"));
        assert_eq!(assembled.matches[0].other, "gentle");
        assert_eq!(assembled.matches[0].relation, Relation::Same);
    }
}
