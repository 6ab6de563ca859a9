//! Addresses of pages. What they are about stands in the query, where a name may hold anything, dots
//! and slashes too.

use std::fmt::Write as _;

use crate::digest::Digest;

/// The address of a page with these parts of a query; those that are empty are left out.
pub(super) fn link(path: &str, query: &[(&str, &str)]) -> String {
    let mut address = path.to_owned();
    let mut mark = '?';
    for (name, value) in query.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = write!(address, "{mark}{name}={}", encoded(value));
        mark = '&';
    }
    address
}

pub(super) fn run(run: &str) -> String {
    link("/run", &[("run", run)])
}

pub(super) fn transcript(run: &str, record: &str) -> String {
    link("/transcript", &[("run", run), ("record", record)])
}

pub(super) fn review(run: &str) -> String {
    link("/review", &[("run", run)])
}

pub(super) fn review_item(run: &str, record: &str) -> String {
    link("/review/item", &[("run", run), ("record", record)])
}

pub(super) fn constitution(digest: Digest) -> String {
    link("/constitution", &[("digest", &digest.to_string())])
}

/// Where on the page of its constitution a principle stands.
pub(super) fn anchor(principle: &str) -> String {
    format!("principle-{}", encoded(principle))
}

fn encoded(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_place() {
        assert_eq!(
            transcript("../a b", "x&y=\"z\"#é"),
            "/transcript?run=..%2Fa%20b&record=x%26y%3D%22z%22%23%C3%A9"
        );
        assert_eq!(
            link("/transcripts", &[("run", ""), ("q", "")]),
            "/transcripts"
        );
    }
}
