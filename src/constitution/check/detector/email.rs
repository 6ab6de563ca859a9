//! E-mail addresses, as people write them: no quoted local parts, no bare host names.
//!
//! Left alone on purpose: `user@localhost` and other hosts without a dot, the user part of a URL
//! or of an SSH remote such as `git@host:path`, handles such as `@ada@social.example`, and file
//! names such as `logo@2x.png`. Letters of scripts that are written without spaces end an address,
//! since there they are the words around it.

use std::ops::Range;

use super::super::script::is_spaceless;
use super::scan::{after, before};

const LONGEST_LOCAL: usize = 64;
const LONGEST_DOMAIN: usize = 253;
const LONGEST_LABEL: usize = 63;

/// How far back a URL's `://` is looked for, in bytes.
const URL_REACH: usize = 200;

/// Endings of file names and inner hosts that are no top-level domains.
const NOT_DOMAINS: [&str; 57] = [
    "png",
    "jpg",
    "jpeg",
    "gif",
    "svg",
    "webp",
    "bmp",
    "ico",
    "tif",
    "tiff",
    "css",
    "scss",
    "less",
    "js",
    "mjs",
    "cjs",
    "ts",
    "tsx",
    "jsx",
    "vue",
    "json",
    "html",
    "htm",
    "xml",
    "yaml",
    "yml",
    "toml",
    "txt",
    "pdf",
    "doc",
    "docx",
    "xls",
    "xlsx",
    "csv",
    "exe",
    "dll",
    "tar",
    "gz",
    "tgz",
    "jar",
    "war",
    "log",
    "lock",
    "bak",
    "tmp",
    "conf",
    "cfg",
    "ini",
    "sql",
    "service",
    "socket",
    "timer",
    "mount",
    "rb",
    "go",
    "java",
    "localhost",
];

pub(super) fn find(text: &str, found: &mut Vec<Range<usize>>) {
    let mut free_from = 0;
    for at in memchr::memchr_iter(b'@', text.as_bytes()) {
        if at < free_from {
            continue;
        }
        if let Some(range) = address_around(text, free_from, at) {
            free_from = range.end;
            found.push(range);
        }
    }
}

fn address_around(text: &str, from: usize, at: usize) -> Option<Range<usize>> {
    let end = at + 1 + domain(&text[at + 1..])?;
    let start = at - local(&text[from..at])?;
    let emphasised = text[start..].starts_with('_') && text[end..].starts_with('_');
    let start = start + usize::from(emphasised);
    let local = &text[start..at];
    let handle = before(text, start) == Some('@');
    let remote = local == "git" && matches!(after(text, end), Some(':' | '/'));
    let other = local.is_empty() || handle || remote || is_url_user(text, start, at);
    (!other).then_some(start..end)
}

/// The length of the local part at the end of `text`.
fn local(text: &str) -> Option<usize> {
    let mut start = text.len();
    for (place, character) in text.char_indices().rev() {
        if !is_local(character) || text.len() - place > LONGEST_LOCAL {
            break;
        }
        start = place;
    }
    let local = text[start..].trim_start_matches(['.', '\'', '-', '%', '+', '&', '’']);
    let broken = local.ends_with(['.', '\'']) || local.contains("..");
    let lettered = local.contains(char::is_alphanumeric);
    (lettered && !broken).then_some(local.len())
}

fn is_local(character: char) -> bool {
    match character {
        '.' | '_' | '%' | '+' | '-' | '\'' => true,
        _ => is_label(character) && character != '-',
    }
}

fn is_label(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_alphanumeric() || character == '-';
    }
    character.is_alphanumeric() && !is_spaceless(character)
}

/// The length of the domain at the start of `text`.
fn domain(text: &str) -> Option<usize> {
    let mut end = 0;
    let mut labels: Vec<&str> = Vec::new();
    loop {
        let rest = &text[end..];
        let length = rest
            .find(|character| !is_label(character))
            .unwrap_or(rest.len());
        let label = &rest[..length];
        if label.is_empty() || length > LONGEST_LABEL {
            break;
        }
        labels.push(label);
        end += length;
        if !text[end..].starts_with('.') || end > LONGEST_DOMAIN {
            break;
        }
        end += 1;
    }
    // The full stop of a sentence is not part of the domain.
    let mut end = text[..end].trim_end_matches('.').len();
    if labels.len() > 2 && is_next_sentence(labels[labels.len() - 2], labels[labels.len() - 1]) {
        end -= labels.pop().map_or(0, str::len) + 1;
    }
    let (last, others) = labels.split_last()?;
    let top = top_level(last)?;
    (end <= LONGEST_DOMAIN && is_domain(others, top)).then_some(end - (last.len() - top.len()))
}

/// `example.com.Please` lacks a space.
fn is_next_sentence(label: &str, next: &str) -> bool {
    let capital = next.starts_with(char::is_uppercase) && next.contains(char::is_lowercase);
    capital && !label.contains(char::is_uppercase)
}

/// The last label, without what a hyphen glues to it.
fn top_level(label: &str) -> Option<&str> {
    if label.starts_with("xn--") {
        return Some(label);
    }
    let (top, tail) = label.split_once('-').unwrap_or((label, ""));
    // `sd_IN@devanagari.UTF-8` is a locale.
    if tail.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let letters = top.chars().count();
    let known = !NOT_DOMAINS
        .iter()
        .any(|ending| ending.eq_ignore_ascii_case(top));
    ((2..=24).contains(&letters) && top.chars().all(char::is_alphabetic) && known).then_some(top)
}

fn is_domain(labels: &[&str], top: &str) -> bool {
    let Some((first, _)) = labels.split_first() else {
        return false;
    };
    let hyphened = labels
        .iter()
        .any(|label| label.starts_with('-') || label.ends_with('-'));
    // `package@1.2.3-beta.rc`, `icon@2x.ai`.
    let version = first.bytes().all(|byte| byte.is_ascii_digit()) && labels.len() > 1;
    let scale = matches!(first.as_bytes(), [b'1'..=b'9', b'x' | b'X']);
    !hyphened && !version && !scale && !top.is_empty()
}

/// Whether this is the user part of `scheme://user:password@host`.
fn is_url_user(text: &str, start: usize, at: usize) -> bool {
    let mut from = start.saturating_sub(URL_REACH);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let word = text[from..at].rsplit(char::is_whitespace).next();
    let authority = word.and_then(|word| word.rsplit_once("://"));
    authority.is_some_and(|(_, user)| !user.contains(['/', '?', '#']))
}
