//! What several reviews of one record come to.

use super::{Decision, Review};

/// How a record stands by its reviews.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Not enough people have decided.
    Waiting {
        /// How many have.
        have: u32,
        /// How many must.
        need: u32,
    },
    /// Enough have, and they differ: somebody must adjudicate.
    Disputed,
    /// It is decided.
    Decided(Decision),
}

/// How a record stands that so many people must agree on. A person's later review takes the place of
/// that person's earlier one; the last adjudication decides.
#[must_use]
pub fn standing<'r>(reviews: impl IntoIterator<Item = &'r Review>, need: u32) -> Standing {
    let mut current: Vec<&Review> = Vec::new();
    let mut adjudicated = None;
    for review in reviews {
        if review.adjudicates {
            adjudicated = Some(review);
            continue;
        }
        current.retain(|earlier| earlier.author != review.author);
        current.push(review);
    }
    if let Some(review) = adjudicated {
        return Standing::Decided(review.decision.clone());
    }
    let have = u32::try_from(current.len()).unwrap_or(u32::MAX);
    let need = need.max(1);
    match current.split_first() {
        Some((first, others)) if have >= need => {
            if others.iter().all(|other| other.decision == first.decision) {
                Standing::Decided(first.decision.clone())
            } else {
                Standing::Disputed
            }
        }
        _ => Standing::Waiting { have, need },
    }
}

impl Standing {
    /// The standing in one word.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Waiting { .. } => "waiting",
            Self::Disputed => "disputed",
            Self::Decided(Decision::Approve | Decision::Choose { .. }) => "approved",
            Self::Decided(Decision::Edit { .. }) => "edited",
            Self::Decided(Decision::Reject) => "rejected",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::decision::tests::review;

    fn stands(reviews: &[Review], need: u32) -> Standing {
        standing(reviews, need)
    }

    #[test]
    fn one_person_decides_where_one_is_enough() {
        let reviews = [review("ann", Decision::Approve)];
        assert_eq!(stands(&[], 1), Standing::Waiting { have: 0, need: 1 });
        assert_eq!(stands(&reviews, 1), Standing::Decided(Decision::Approve));
        assert_eq!(stands(&reviews, 2), Standing::Waiting { have: 1, need: 2 });
    }

    #[test]
    fn whoever_changes_their_mind_is_still_one_person() {
        let reviews = [
            review("ann", Decision::Approve),
            review("ann", Decision::Reject),
        ];
        assert_eq!(stands(&reviews, 2), Standing::Waiting { have: 1, need: 2 });
        assert_eq!(stands(&reviews, 1), Standing::Decided(Decision::Reject));
    }

    #[test]
    fn people_who_differ_need_somebody_to_adjudicate() {
        let mut reviews = vec![
            review("ann", Decision::Approve),
            review("bob", Decision::Choose { round: 0 }),
        ];
        assert_eq!(stands(&reviews, 2), Standing::Disputed);
        let mut last = review("cleo", Decision::Reject);
        last.adjudicates = true;
        reviews.push(last);
        reviews.push(review("dan", Decision::Approve));
        assert_eq!(stands(&reviews, 2), Standing::Decided(Decision::Reject));
    }
}
