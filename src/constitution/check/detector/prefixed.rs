//! Keys of issuers that nobody listed: a short name, a word that says what it is, and a long random
//! tail, as in `acme_pat_…`, `acme_live_…` or `acme-sk-prod-…`.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::assignment::is_random;
use super::scan::{after, before, is, joins};

/// Begins with the mark and not with the name, so that ordinary text is passed over quickly.
static MARK: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)
        [_-] (?: pat | sk | secret | live | token | key ) [_-]
        (?: (?: prod | live ) [_-] )?
        ([A-Za-z0-9]{20,})",
    )
    .expect("the pattern is constant")
});

/// How long the issuer's name is, in characters.
const NAME: Range<usize> = 2..13;
/// Keys that are made to be public begin like this.
const PUBLIC: [&str; 2] = ["pk", "pub"];

pub(super) fn find(text: &str, found: &mut Vec<Range<usize>>) {
    for mark in MARK.captures_iter(text) {
        let (Some(whole), Some(tail)) = (mark.get(0), mark.get(1)) else {
            continue;
        };
        let name = text[..whole.start()]
            .bytes()
            .rev()
            .take_while(u8::is_ascii_alphanumeric)
            .count();
        let start = whole.start() - name;
        let glued = is(before(text, start), |near| joins(near) || near == '-')
            || is(after(text, whole.end()), joins);
        let public = PUBLIC.contains(&&text[start..whole.start()]);
        if NAME.contains(&name) && !glued && !public && is_random(tail.as_str()) {
            found.push(start..whole.end());
        }
    }
}
