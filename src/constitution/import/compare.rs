//! Which principles say the same as others, under whatever names.

use super::content::Content;
use crate::constitution::Constitution;
use crate::constitution::overlap::overlap;

/// Texts that share more of their words than this say nearly the same.
const NEARLY: f64 = 0.75;

/// How much two principles have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Every part that both have is the same.
    Same,
    /// These parts are the same, others are not.
    Partly(Vec<&'static str>),
    /// No part is the same, and one has nearly the same words.
    Nearly(&'static str),
}

/// A principle that says what another one says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The imported principle.
    pub id: String,
    /// The principle that it is like.
    pub other: String,
    /// The constitution that the other one stands in.
    pub constitution: String,
    /// How much they have in common.
    pub relation: Relation,
}

/// What two contents have in common.
pub(super) fn relate(ours: &Content, theirs: &Content) -> Option<Relation> {
    let both: Vec<(&'static str, &str, &str)> = ours
        .parts()
        .filter_map(|(name, part)| Some((name, part, theirs.part(name)?)))
        .collect();
    let equal = both
        .iter()
        .filter(|(_, a, b)| a == b)
        .map(|(name, ..)| *name);
    let equal: Vec<&'static str> = equal.collect();
    if !equal.is_empty() {
        return Some(if equal.len() == both.len() {
            Relation::Same
        } else {
            Relation::Partly(equal)
        });
    }
    let elsewhere = ours
        .parts()
        .find(|(_, part)| theirs.parts().any(|(_, other)| other == *part));
    if let Some((name, _)) = elsewhere {
        return Some(Relation::Partly(vec![name]));
    }
    both.iter()
        .find(|(_, a, b)| overlap(a, b) >= NEARLY)
        .map(|(name, ..)| Relation::Nearly(name))
}

/// The closest principle of each other constitution to one of ours.
pub(super) fn matches(id: &str, content: &Content, others: &[Constitution]) -> Vec<Match> {
    let closest = |constitution: &Constitution| {
        constitution
            .principles()
            .iter()
            .filter_map(|other| {
                let relation = relate(content, &Content::of_principle(other))?;
                Some((rank(&relation), other, relation))
            })
            .min_by_key(|(rank, ..)| *rank)
            .map(|(_, other, relation)| Match {
                id: id.to_owned(),
                other: other.id.clone(),
                constitution: constitution.name().to_owned(),
                relation,
            })
    };
    others.iter().filter_map(closest).collect()
}

fn rank(relation: &Relation) -> u8 {
    match relation {
        Relation::Same => 0,
        Relation::Partly(_) => 1,
        Relation::Nearly(_) => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::super::haul::Entry;
    use super::*;

    fn content(critique: &str, revision: Option<&str>) -> Content {
        Content::of_entry(&Entry {
            critique: Some(critique.to_owned()),
            revision: revision.map(str::to_owned),
            ..Entry::default()
        })
    }

    #[test]
    fn all_parts_some_parts_or_the_words() {
        let ours = content(
            "Is it kind to everyone who reads it?",
            Some("Make it kind."),
        );
        let relation = |critique, revision| relate(&ours, &content(critique, revision));
        let kind = "is it kind to everyone who reads it";
        assert_eq!(relation(kind, Some("Make it kind")), Some(Relation::Same));
        assert_eq!(relation(kind, None), Some(Relation::Same));
        assert_eq!(
            relation(kind, Some("Be brief.")),
            Some(Relation::Partly(vec!["critique"]))
        );
        assert_eq!(
            relation("Is it really kind to everyone who reads it?", None),
            Some(Relation::Nearly("critique"))
        );
        assert_eq!(relation("Is it short?", Some("Shorten it.")), None);
    }

    #[test]
    fn a_question_that_is_a_text_elsewhere_is_found() {
        let ours = Content::of_entry(&Entry {
            preference: Some("Choose the kinder one.".to_owned()),
            ..Entry::default()
        });
        let theirs = Content::of_entry(&Entry {
            text: Some("Choose the kinder one.".to_owned()),
            ..Entry::default()
        });
        assert_eq!(
            relate(&ours, &theirs),
            Some(Relation::Partly(vec!["preference"]))
        );
    }
}
