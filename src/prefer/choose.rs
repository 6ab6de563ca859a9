//! Which principles a pair is compared by, and other things that are left to a seeded draw.

use serde::{Deserialize, Serialize};

use super::{Comparison, Side};
use crate::constitution::{Constitution, Principle};
use crate::digest::Digest;
use crate::pipeline::draw_by;

/// Which principles a pair is compared by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PrincipleChoice {
    /// One that is drawn by weight, as in Bai et al. 2022.
    #[default]
    Drawn,
    /// Every one, each with a label of its own.
    Each,
    /// Every one, averaged by weight into one label.
    Ensemble,
}

#[derive(Serialize)]
struct Draw<'a> {
    seed: u64,
    record: Digest,
    id: &'a str,
    of: &'static str,
}

fn lot(comparison: &Comparison, seed: u64, of: &'static str) -> Digest {
    Digest::of_json(&Draw {
        seed,
        record: comparison.content_digest(),
        id: comparison.id.as_str(),
        of,
    })
}

/// The principles for a pair, in their order: those that apply, or one of them.
pub(super) fn principles_for<'c>(
    constitution: &'c Constitution,
    comparison: &Comparison,
    choice: PrincipleChoice,
    seed: u64,
) -> Vec<&'c Principle> {
    let principles = constitution.principles().iter();
    let mut applicable: Vec<&Principle> = principles
        .filter(|principle| principle.applies_to(&comparison.tags))
        .collect();
    match choice {
        PrincipleChoice::Drawn => {
            let lot = lot(comparison, seed, "preference principle");
            draw_by(&applicable, lot).into_iter().collect()
        }
        PrincipleChoice::Each => applicable,
        PrincipleChoice::Ensemble => {
            applicable.retain(|principle| principle.weight > 0.0);
            applicable
        }
    }
}

/// One side of a pair, by a toss. Where a label that was given always names the first column, κ
/// needs another way to tell the two answers apart.
pub(super) fn tossed(comparison: &Comparison, seed: u64) -> Side {
    let toss = lot(comparison, seed, "side");
    if toss.as_bytes()[0].is_multiple_of(2) {
        Side::A
    } else {
        Side::B
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Pair;
    use crate::message::Conversation;
    use crate::record::RecordId;

    fn comparison(id: &str) -> Comparison {
        Comparison {
            id: RecordId::new(id),
            tags: Vec::new(),
            pair: Pair {
                conversation: Conversation::from_prompt("q"),
                a: "x".to_owned(),
                b: "y".to_owned(),
                columns: ["a".to_owned(), "b".to_owned()],
            },
            place: 0,
        }
    }

    fn constitution() -> Constitution {
        let text = "constitution: c\nprinciples:\n\
                    \x20 - { id: one, text: One., weight: 3 }\n\
                    \x20 - { id: two, text: Two. }\n\
                    \x20 - { id: tagged, text: Three., applies_to: { tags: [t] } }\n\
                    \x20 - { id: never, text: Four., weight: 0 }\n";
        Constitution::from_yaml("c", text).expect("a constitution")
    }

    fn ids(choice: PrincipleChoice, seed: u64, id: &str) -> Vec<String> {
        let constitution = constitution();
        let chosen = principles_for(&constitution, &comparison(id), choice, seed);
        chosen
            .iter()
            .map(|principle| principle.id.clone())
            .collect()
    }

    #[test]
    fn all_that_apply_or_all_that_have_weight() {
        assert_eq!(ids(PrincipleChoice::Each, 0, "r"), ["one", "two", "never"]);
        assert_eq!(ids(PrincipleChoice::Ensemble, 0, "r"), ["one", "two"]);
    }

    #[test]
    fn a_draw_is_the_same_for_the_same_seed_and_follows_the_weights() {
        let mut ones = 0;
        let mut moved = false;
        for number in 0..400 {
            let id = format!("r{number}");
            let drawn = ids(PrincipleChoice::Drawn, 7, &id);
            assert_eq!(drawn, ids(PrincipleChoice::Drawn, 7, &id));
            moved |= drawn != ids(PrincipleChoice::Drawn, 8, &id);
            assert!(drawn == ["one"] || drawn == ["two"], "{drawn:?}");
            ones += usize::from(drawn == ["one"]);
        }
        assert!(moved, "another seed draws otherwise");
        // Three in four, within more than four standard deviations.
        assert!((260..340).contains(&ones), "{ones} of 400");
    }

    #[test]
    fn a_toss_is_fair_and_the_same_again() {
        let sides = (0..400).map(|number| tossed(&comparison(&number.to_string()), 0));
        let first = sides.filter(|side| *side == Side::A).count();
        assert!((160..240).contains(&first), "{first} of 400");
        assert_eq!(tossed(&comparison("r"), 3), tossed(&comparison("r"), 3));
    }
}
