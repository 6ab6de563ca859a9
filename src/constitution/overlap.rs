//! How much two principles say the same.

use std::collections::BTreeSet;

/// The share of words, from 0 to 1, that two texts have in common (Jaccard index of their word
/// sets, case and punctuation aside).
pub(super) fn overlap(a: &str, b: &str) -> f64 {
    let (a, b) = (words(a), words(b));
    let shared = a.intersection(&b).count();
    let all = a.union(&b).count();
    if all == 0 {
        return 0.0;
    }
    #[expect(clippy::cast_precision_loss, reason = "a text has few words")]
    let share = shared as f64 / all as f64;
    share
}

fn words(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_words_overlap_whatever_their_case_and_order() {
        assert!((overlap("Be kind, and honest.", "be honest and KIND") - 1.0).abs() < 1e-9);
        assert!(overlap("Be kind.", "Cite every source.") < 0.1);
        assert!(overlap("", "").abs() < 1e-9);
    }
}
