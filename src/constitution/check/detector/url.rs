//! URLs with a scheme that leads somewhere, or with `www.`; bare host names are left alone.

use std::net::Ipv6Addr;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::scan::{after, before, is, joins};

static ANCHOR: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"://|(?i:www)\.").expect("the pattern is constant"));

const SCHEMES: [&str; 10] = [
    "http", "https", "ftp", "ftps", "sftp", "ws", "wss", "git", "ssh", "s3",
];

/// The most of a URL that is searched for the end of its host, in bytes.
const LONGEST_AUTHORITY: usize = 512;

pub(super) fn find(text: &str, found: &mut Vec<Range<usize>>) {
    let mut free_from = 0;
    for anchor in ANCHOR.find_iter(text) {
        if anchor.start() < free_from {
            continue;
        }
        let range = match anchor.as_str() {
            "://" => with_scheme(text, free_from, anchor.start()),
            _ => with_www(text, anchor.start()),
        };
        if let Some(range) = range {
            free_from = range.end;
            found.push(range);
        }
    }
}

fn with_scheme(text: &str, from: usize, colon: usize) -> Option<Range<usize>> {
    let head = text.as_bytes()[from..colon].iter().rev();
    let start = colon - head.take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let scheme = &text[start..colon];
    let known = SCHEMES
        .iter()
        .any(|known| known.eq_ignore_ascii_case(scheme));
    if !known || is(before(text, start), glues) {
        return None;
    }
    let authority = colon + 3;
    has_host(authority_at(text, authority)).then(|| start..end_of_url(text, start, authority))
}

fn with_www(text: &str, start: usize) -> Option<Range<usize>> {
    let glued = is(before(text, start), |near| {
        glues(near) || matches!(near, '.' | '-' | '@')
    });
    let host = host_and_port(authority_at(text, start)).0;
    let labels: Vec<&str> = host.split('.').collect();
    let top = labels.last()?;
    let named = labels.len() >= 3 && top.len() >= 2 && top.chars().all(char::is_alphabetic);
    (!glued && named && labels.iter().all(|label| is_label(label)))
        .then(|| start..end_of_url(text, start, start))
}

/// Underscores before a URL are emphasis.
fn glues(character: char) -> bool {
    joins(character) && character != '_'
}

/// Where the URL ends: at what no URL contains, and before punctuation that belongs to the text.
fn end_of_url(text: &str, start: usize, from: usize) -> usize {
    let quote = before(text, start).filter(|quote| *quote == '\'');
    let rest = &text[from..];
    let length = rest
        .find(|character| ends_url(character) || Some(character) == quote)
        .unwrap_or(rest.len());
    from + without_punctuation(&rest[..length]).len()
}

fn ends_url(character: char) -> bool {
    if character.is_ascii() {
        return character <= ' '
            || matches!(
                character,
                '<' | '>' | '"' | '`' | '|' | '\\' | '^' | '{' | '}' | '\u{7f}'
            );
    }
    !character.is_alphanumeric()
}

/// Cuts trailing punctuation, and brackets that the URL does not open.
fn without_punctuation(text: &str) -> &str {
    let mut open = [0_usize; 2];
    let mut end = text.len();
    for (place, character) in text.char_indices() {
        match character {
            '(' => open[0] += 1,
            '[' => open[1] += 1,
            ')' | ']' => {
                let depth = &mut open[usize::from(character == ']')];
                let Some(less) = depth.checked_sub(1) else {
                    end = place;
                    break;
                };
                *depth = less;
            }
            _ => {}
        }
    }
    text[..end].trim_end_matches([
        '.', ',', ';', ':', '!', '?', '\'', '*', '_', '~', '(', '[', '&', '$',
    ])
}

/// The host, with the user before it and the port after it, that begins here.
fn authority_at(text: &str, at: usize) -> &str {
    let rest = &text[at..];
    let ends = |character| ends_url(character) || matches!(character, '/' | '?' | '#');
    let mut characters = rest.char_indices();
    let end = characters.find(|&(place, character)| ends(character) || place > LONGEST_AUTHORITY);
    without_punctuation(&rest[..end.map_or(rest.len(), |(end, _)| end)])
}

fn has_host(authority: &str) -> bool {
    let place = authority
        .rsplit_once('@')
        .map_or(authority, |(_, place)| place);
    if let Some(address) = place.strip_prefix('[') {
        let address = address.split_once(']').map(|(address, _)| address);
        return address.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
    }
    let (host, port) = host_and_port(place);
    let labels: Vec<&str> = host.trim_end_matches('.').split('.').collect();
    port.bytes().all(|byte| byte.is_ascii_digit())
        && labels.iter().all(|label| is_label(label))
        && labels
            .last()
            .is_some_and(|top| labels.len() > 1 || top.len() > 1)
}

fn host_and_port(place: &str) -> (&str, &str) {
    place.split_once(':').unwrap_or((place, ""))
}

fn is_label(label: &str) -> bool {
    let fits = |character: char| character.is_alphanumeric() || matches!(character, '-' | '_');
    let edge = |character: Option<char>| is(character, |edge| edge != '-');
    label.len() <= 63
        && label.chars().all(fits)
        && edge(after(label, 0))
        && edge(before(label, label.len()))
}
