//! How a queue stands, in numbers.

use std::collections::{BTreeMap, BTreeSet};

use crate::review::{Decision, Review, Standing};

/// How the reviewed records of a queue stand, and who reviewed them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) disputed: u64,
    pub(super) approved: u64,
    pub(super) edited: u64,
    pub(super) rejected: u64,
    /// How many were erased before anybody could decide.
    pub(super) erased: u64,
    /// How many records each person has reviewed.
    pub(super) people: BTreeMap<String, u64>,
}

impl Counts {
    /// Counts a record that stands so, with its reviews.
    pub(super) fn add(&mut self, standing: &Standing, reviews: &[Review]) {
        match standing {
            Standing::Waiting { .. } => {}
            Standing::Disputed => self.disputed += 1,
            Standing::Decided(Decision::Approve | Decision::Choose { .. }) => self.approved += 1,
            Standing::Decided(Decision::Edit { .. }) => self.edited += 1,
            Standing::Decided(Decision::Reject) => self.rejected += 1,
        }
        let authors: BTreeSet<&str> = reviews.iter().map(|one| one.author.as_str()).collect();
        for author in authors {
            *self.people.entry(author.to_owned()).or_default() += 1;
        }
    }

    /// How many of so many held records still wait for somebody.
    pub(super) fn waiting(&self, held: u64) -> u64 {
        let decided = self.approved + self.edited + self.rejected;
        held.saturating_sub(self.disputed + decided + self.erased)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::record::RecordId;

    fn review(author: &str) -> Review {
        Review {
            run: "r".to_owned(),
            record: RecordId::new("a"),
            transcript: Digest::of(b"x"),
            author: author.to_owned(),
            at: String::new(),
            decision: Decision::Reject,
            verdicts: Vec::new(),
            blind: false,
            note: String::new(),
            adjudicates: false,
        }
    }

    #[test]
    fn whoever_reviews_a_record_twice_has_reviewed_one() {
        let mut counts = Counts::default();
        let reviews = [review("ann"), review("ann"), review("bob")];
        counts.add(&Standing::Disputed, &reviews);
        counts.add(&Standing::Decided(Decision::Reject), &reviews[..1]);
        counts.add(&Standing::Waiting { have: 1, need: 2 }, &reviews[2..]);
        assert_eq!(counts.waiting(5), 3);
        let people: Vec<(&str, u64)> = counts
            .people
            .iter()
            .map(|(name, count)| (name.as_str(), *count))
            .collect();
        assert_eq!(people, [("ann", 2), ("bob", 2)]);
    }
}
