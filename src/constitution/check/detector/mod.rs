//! Detectors: named finders for personal data and secrets, exact enough for ordinary text.
//!
//! A detector gives the byte ranges of what it finds, sorted and apart. Every one is linear in the
//! text, and begins with something that ordinary prose has little of: a digit, an `@`, a prefix.
//!
//! # Layout
//!
//! - `scan`, `context`: digits in groups, neighbouring characters, the words before a place
//! - one file per detector; `assignment` is the part of `api-key` that needs no known prefix

mod api_key;
mod assignment;
mod card;
mod context;
mod email;
mod iban;
mod ipv4;
mod ipv6;
mod jwt;
mod mac;
mod phone;
mod prefixed;
mod private_key;
mod scan;
mod ssn;
mod url;

use std::ops::Range;

/// How unlike a known name a wrong one may be and still be taken for it.
const LIKENESS: f64 = 0.75;

/// Pushes what it finds in the text, sorted and apart.
type Find = fn(&str, &mut Vec<Range<usize>>);

#[derive(Debug)]
pub(super) struct Detector {
    what: &'static str,
    find: Find,
}

const NAMES: [&str; 12] = [
    "api-key",
    "credit-card",
    "email",
    "iban",
    "ipv4",
    "ipv6",
    "jwt",
    "mac-address",
    "phone",
    "private-key",
    "url",
    "us-ssn",
];

/// In the order of the names.
static DETECTORS: [Detector; NAMES.len()] = [
    Detector::new("an API key", api_key::find),
    Detector::new("a payment card number", card::find),
    Detector::new("an e-mail address", email::find),
    Detector::new("an IBAN", iban::find),
    Detector::new("an IPv4 address", ipv4::find),
    Detector::new("an IPv6 address", ipv6::find),
    Detector::new("a JSON web token", jwt::find),
    Detector::new("a MAC address", mac::find),
    Detector::new("a phone number", phone::find),
    Detector::new("a private key", private_key::find),
    Detector::new("a URL", url::find),
    Detector::new("a US social security number", ssn::find),
];

/// The names of all detectors, sorted.
#[must_use]
pub fn names() -> &'static [&'static str] {
    &NAMES
}

pub(super) fn named(name: &str) -> Option<&'static Detector> {
    let place = NAMES.binary_search(&name).ok()?;
    DETECTORS.get(place)
}

/// The name that is most like a wrong one, if any is much like it.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let wanted = name.to_ascii_lowercase().replace(['_', ' '], "-");
    let part = |known: &&&str| wanted.len() > 2 && known.split('-').any(|word| word == wanted);
    if let Some(known) = NAMES.iter().find(part) {
        return Some(known);
    }
    NAMES
        .iter()
        .map(|known| (strsim::jaro_winkler(&wanted, known), *known))
        .filter(|(likeness, _)| *likeness >= LIKENESS)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, known)| known)
}

impl Detector {
    const fn new(what: &'static str, find: Find) -> Self {
        Self { what, find }
    }

    /// Everything it finds, sorted and apart.
    pub(super) fn find(&self, text: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        (self.find)(text, &mut found);
        join_overlapping(&mut found);
        found
    }

    /// What it finds, with its article.
    pub(super) fn what(&self) -> &'static str {
        self.what
    }
}

/// Makes one of what reaches into each other, such as a number in whose extension the next one begins.
fn join_overlapping(found: &mut Vec<Range<usize>>) {
    found.dedup_by(|next, last| {
        let overlaps = next.start < last.end;
        if overlaps {
            last.end = last.end.max(next.end);
        }
        overlaps
    });
}

#[cfg(test)]
mod tests;
