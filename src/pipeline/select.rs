//! Drawing a principle: weighted, with replacement, the same for the same seed, record and round.

use serde::Serialize;

use crate::constitution::Principle;
use crate::digest::Digest;
use crate::record::Record;

#[derive(Serialize)]
struct Draw<'a> {
    seed: u64,
    record: Digest,
    id: &'a str,
    round: u32,
}

/// One of the principles, by weight; none when no principle has a weight.
pub(super) fn draw<'p>(
    principles: &[&'p Principle],
    seed: u64,
    record: &Record,
    round: u32,
) -> Option<&'p Principle> {
    let lot = Digest::of_json(&Draw {
        seed,
        record: record.content_digest(),
        id: record.id().as_str(),
        round,
    });
    draw_by(principles, lot)
}

/// The principle on which a lot falls, by weight; none when no principle has a weight.
#[must_use]
pub fn draw_by<'p>(principles: &[&'p Principle], lot: Digest) -> Option<&'p Principle> {
    let total: f64 = principles.iter().map(|principle| principle.weight).sum();
    if total <= 0.0 {
        return None;
    }
    let mut left = unit(lot) * total;
    let weighted = principles
        .iter()
        .copied()
        .filter(|principle| principle.weight > 0.0);
    let mut last = None;
    for principle in weighted {
        last = Some(principle);
        left -= principle.weight;
        if left < 0.0 {
            break;
        }
    }
    last
}

/// A number in 0..1 from the first 53 bits of a digest.
pub(super) fn unit(digest: Digest) -> f64 {
    let mut first = [0; 8];
    first.copy_from_slice(&digest.as_bytes()[..8]);
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact in an f64")]
    let bits = (u64::from_be_bytes(first) >> 11) as f64;
    bits / 9_007_199_254_740_992.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constitution::Constitution;
    use crate::message::Conversation;

    const TEXT: &str = "
constitution: draws
principles:
  - { id: rare, text: 'Be brief.', weight: 1 }
  - { id: never, text: 'Cite sources for every number.', weight: 0 }
  - { id: common, text: 'Stay calm and kind to everybody.', weight: 3 }
";

    #[test]
    fn draws_follow_the_weights_and_repeat() {
        let constitution = Constitution::from_yaml("draws", TEXT).unwrap();
        let principles: Vec<_> = constitution.principles().iter().collect();
        let draws = |seed| -> Vec<String> {
            (0..4000)
                .map(|n| {
                    let record = Record::new(Conversation::from_prompt(format!("prompt {n}")));
                    draw(&principles, seed, &record, 1).unwrap().id.clone()
                })
                .collect()
        };
        let first = draws(7);
        assert_eq!(first, draws(7));
        assert_ne!(first, draws(8));
        let common = first.iter().filter(|id| *id == "common").count();
        assert!((2800..3200).contains(&common), "{common} of 4000");
        assert!(!first.iter().any(|id| id == "never"));
    }

    #[test]
    fn rounds_draw_apart() {
        let constitution = Constitution::from_yaml("draws", TEXT).unwrap();
        let principles: Vec<_> = constitution.principles().iter().collect();
        let record = Record::new(Conversation::from_prompt("hello"));
        let ids: std::collections::BTreeSet<_> = (1..40)
            .map(|round| draw(&principles, 1, &record, round).unwrap().id.as_str())
            .collect();
        assert_eq!(ids.len(), 2);
    }
}
