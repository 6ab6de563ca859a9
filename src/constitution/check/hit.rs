//! What a check found in a text.

use std::ops::Range;

/// The most matches that one check lists.
const LISTED: usize = 100;

/// One reason why a text fails a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Where it stands, in bytes of the judged text; `None` for an omission.
    pub range: Option<Range<usize>>,
    /// What was found, or what is wrong: a lowercase fragment such as `an e-mail address`.
    pub what: String,
}

impl Hit {
    pub(super) fn omission(what: impl Into<String>) -> Self {
        Self {
            range: None,
            what: what.into(),
        }
    }
}

/// Lists the first omissions, and says how many more there are.
pub(super) fn list_omissions<M>(missing: &[M], describe: impl Fn(&M) -> String) -> Vec<Hit> {
    let shown = missing.iter().take(LISTED).map(describe);
    let mut hits: Vec<Hit> = shown.map(Hit::omission).collect();
    hits.extend(rest(missing.len()));
    hits
}

/// Lists the first matches, and says how many more there are.
pub(super) fn list<M>(matches: &[M], describe: impl Fn(&M) -> (Range<usize>, String)) -> Vec<Hit> {
    let mut hits: Vec<Hit> = matches
        .iter()
        .take(LISTED)
        .map(|found| {
            let (range, what) = describe(found);
            Hit {
                range: Some(range),
                what,
            }
        })
        .collect();
    hits.extend(rest(matches.len()));
    hits
}

fn rest(count: usize) -> Option<Hit> {
    let more = count.checked_sub(LISTED).filter(|&more| more > 0)?;
    Some(Hit::omission(format!("{more} more like these")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_matches_are_listed() {
        let matches: Vec<usize> = (0..LISTED + 7).collect();
        let hits = list(&matches, |&at| (at..at + 1, "a byte".into()));
        assert_eq!(hits.len(), LISTED + 1);
        assert_eq!(hits[LISTED], Hit::omission("7 more like these"));
    }
}
