//! The nearest known name to one that is not known.

/// The candidate that `word` was most likely meant to be, if one is near enough.
///
/// # Examples
///
/// ```
/// assert_eq!(redraft::yaml::nearest("severty", ["text", "severity"]), Some("severity"));
/// assert_eq!(redraft::yaml::nearest("banana", ["text", "severity"]), None);
/// ```
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
