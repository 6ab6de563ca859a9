//! IPv4 addresses in dotted notation, told from version and section numbers by what stands around.
//!
//! Every address counts, loopback and net masks too. A port or prefix length is not part of it.

use std::ops::Range;

use super::context::{is_one_of, words_before};
use super::scan::{is, is_digit, joins, two_after, two_before};

/// What four numbers with dots are when they are no address.
const OTHERWISE: [&str; 45] = [
    "notes",
    "since",
    "version",
    "versions",
    "ver",
    "v",
    "release",
    "releases",
    "released",
    "build",
    "builds",
    "firmware",
    "revision",
    "rev",
    "update",
    "updates",
    "updated",
    "upgrade",
    "upgraded",
    "upgrading",
    "patch",
    "driver",
    "drivers",
    "software",
    "sdk",
    "library",
    "app",
    "section",
    "sections",
    "sec",
    "chapter",
    "clause",
    "clauses",
    "figure",
    "fig",
    "table",
    "appendix",
    "annex",
    "article",
    "paragraph",
    "requirement",
    "oid",
    "android",
    "chrome",
    "windows",
];

/// Programs that have versions of four numbers; `OpenSSL` is read as two words.
const PROGRAMS: [&str; 27] = [
    "ssl",
    "os",
    "sql",
    "kernel",
    "linux",
    "macos",
    "ios",
    "ubuntu",
    "debian",
    "nginx",
    "apache",
    "openssl",
    "curl",
    "python",
    "java",
    "jdk",
    "node",
    "ruby",
    "php",
    "mysql",
    "postgresql",
    "git",
    "docker",
    "safari",
    "firefox",
    "edge",
    "opera",
];

/// Words that may stand between those and the numbers.
const BETWEEN: [&str; 14] = [
    "to",
    "from",
    "is",
    "was",
    "of",
    "number",
    "the",
    "no",
    "nr",
    "id",
    "currently",
    "latest",
    "now",
    "at",
];

/// What is done to a program, as in `bump V8 to 10.2.154.13`.
const CHANGING: [&str; 24] = [
    "update",
    "updates",
    "updated",
    "updating",
    "upgrade",
    "upgrades",
    "upgraded",
    "upgrading",
    "patch",
    "patched",
    "bump",
    "bumps",
    "bumped",
    "downgrade",
    "downgraded",
    "merged",
    "fixed",
    "fixes",
    "introduced",
    "broken",
    "added",
    "deprecated",
    "removed",
    "prior",
];

/// Words between those and the numbers.
const CHANGED_TO: [&str; 4] = ["to", "from", "in", "since"];

/// Words that make it an address after all, as in `update the DNS record to 203.0.113.7`.
const NETWORK: [&str; 18] = [
    "ip",
    "ips",
    "ipv4",
    "dns",
    "address",
    "addresses",
    "record",
    "records",
    "host",
    "server",
    "gateway",
    "router",
    "subnet",
    "network",
    "route",
    "mask",
    "netmask",
    "resolver",
];

/// How many words back a change is looked for.
const CHANGE_REACH: usize = 4;

/// What the numbers are when one of these follows.
const FOLLOWING: [&str; 8] = [
    "release", "firmware", "build", "version", "update", "patch", "beta", "rc",
];

/// The longest text between two addresses that share what is said of the first.
const SHARED_REACH: usize = 12;

pub(super) fn find(text: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut from = 0;
    // The end of the last four numbers that are no address.
    let mut other_until = None;
    for dot in memchr::memchr_iter(b'.', bytes) {
        if dot < from || dot == 0 || !bytes[dot - 1].is_ascii_digit() {
            continue;
        }
        let digits = bytes[from..dot]
            .iter()
            .rev()
            .take_while(|byte| byte.is_ascii_digit());
        let start = dot - digits.count();
        let numeric = |byte: &&u8| byte.is_ascii_digit() || **byte == b'.';
        from = start + bytes[start..].iter().take_while(numeric).count();
        let end = start + text[start..from].trim_end_matches('.').len();
        if !is_quad(&text[start..end]) || !stands_alone(text, start, end) {
            continue;
        }
        let shared = other_until.is_some_and(|until| is_connector(&text[until..start]));
        if shared || is_otherwise(text, start, end) {
            other_until = Some(end);
        } else {
            found.push(start..end);
        }
    }
}

fn is_quad(text: &str) -> bool {
    let octets = text.split('.').filter(|octet| is_octet(octet)).count();
    octets == 4 && text.split('.').count() == 4
}

fn is_octet(text: &str) -> bool {
    text.parse::<u8>().is_ok() && (text.len() == 1 || !text.starts_with('0'))
}

fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let (near, far) = two_before(text, start);
    let free_before = match near {
        Some('-') => !is(far, char::is_alphabetic),
        // `Chrome/120.0.0.0` is a product, `localhost/127.0.0.1` is not.
        Some('/') => !is_product(text, start - 1),
        Some('.' | '§' | '$' | '€' | '£') => false,
        _ => !is(near, joins),
    };
    let free_after = match two_after(text, end) {
        (Some('.'), far) => !is(far, joins),
        (Some('-' | '+'), far) => !is(far, char::is_alphabetic),
        (near, _) => !is(near, joins),
    };
    free_before && free_after
}

fn is_product(text: &str, slash: usize) -> bool {
    let name = text[..slash].rsplit(|character| !joins(character)).next();
    name.is_some_and(|name| name.starts_with(char::is_uppercase) || is_one_of(name, &PROGRAMS))
}

fn is_connector(text: &str) -> bool {
    text.len() <= SHARED_REACH
        && text
            .split(|character: char| !character.is_alphabetic())
            .all(|word| word.is_empty() || is_one_of(word, &["to", "and", "or", "through", "till"]))
        && !text.contains(is_digit)
        && !text.contains('\n')
}

fn is_otherwise(text: &str, start: usize, end: usize) -> bool {
    let words = words_before(text, start);
    let noun = words.iter().find(|word| !is_one_of(word, &BETWEEN));
    let seen = words.first().is_some_and(|word| is_one_of(word, &["see"]));
    noun.is_some_and(|noun| is_one_of(noun, &OTHERWISE) || is_one_of(noun, &PROGRAMS))
        || (seen && is_small(&text[start..end]))
        || is_changed(&words)
        || is_followed_otherwise(text, start, end)
        || text[..start].trim_end().ends_with('§')
        || is_heading(text, start, end)
}

fn is_changed(words: &[&str]) -> bool {
    let Some((nearest, others)) = words.split_first() else {
        return false;
    };
    let others = &others[..others.len().min(CHANGE_REACH)];
    let any = |list: &[&str]| others.iter().any(|word| is_one_of(word, list));
    is_one_of(nearest, &CHANGED_TO) && any(&CHANGING) && !any(&NETWORK)
}

fn is_followed_otherwise(text: &str, start: usize, end: usize) -> bool {
    let rest = text[end..].strip_prefix(' ').unwrap_or_default();
    let word = rest
        .split(|character: char| !character.is_alphanumeric())
        .next();
    let inner = ["192.168.", "127.", "10.0.0."]
        .iter()
        .any(|net| text[start..].starts_with(net));
    !inner && word.is_some_and(|word| is_one_of(word, &FOLLOWING))
}

/// Whether this is `1.2.3.4 Title` at the beginning of a line: small numbers, none of them zero.
fn is_heading(text: &str, start: usize, end: usize) -> bool {
    let before = text[..start].trim_end_matches([' ', '#', '*', '\t']);
    let begins = before.is_empty() || before.ends_with('\n');
    let title = text[end..].trim_start_matches(['.', ' ', '\t']);
    let titled = title.len() < text.len() - end && title.starts_with(char::is_uppercase);
    begins && titled && is_small(&text[start..end])
}

/// Whether the numbers are such as sections have.
fn is_small(quad: &str) -> bool {
    let mut octets = quad.split('.').map(|octet| octet.parse().unwrap_or(0_u8));
    octets.all(|octet| (1..=30).contains(&octet))
}
