//! Private keys in PEM blocks: the whole block, to the end of the text when it is cut off.
//!
//! A block counts only when something like key material follows its first line, so that prose about
//! such blocks is left alone.

use std::ops::Range;

use memchr::memmem;

const BEGIN: &str = "-----BEGIN ";

/// The longest name of a block.
const LONGEST_NAME: usize = 64;

/// The shortest run of base64 that is key material.
const SHORTEST_MATERIAL: usize = 16;

pub(super) fn find(text: &str, found: &mut Vec<Range<usize>>) {
    let mut free_from = 0;
    for start in memmem::find_iter(text.as_bytes(), BEGIN) {
        if start < free_from {
            continue;
        }
        if let Some(length) = block(&text[start..]) {
            free_from = start + length;
            found.push(start..free_from);
        }
    }
}

/// The length of the block that this text begins with.
fn block(text: &str) -> Option<usize> {
    let rest = &text[BEGIN.len()..];
    let length = rest
        .bytes()
        .take(LONGEST_NAME)
        .position(|byte| byte == b'-')?;
    let (name, rest) = rest.split_at(length);
    let body = rest.strip_prefix("-----")?;
    let named = name
        .bytes()
        .all(|byte| byte.is_ascii_uppercase() || matches!(byte, b' ' | b'0'..=b'9'));
    if !named || !(name.ends_with("PRIVATE KEY") || name.ends_with("PRIVATE KEY BLOCK")) {
        return None;
    }
    let body_at = text.len() - body.len();
    // Looking no further than the next block keeps this linear.
    let next = memmem::find(body.as_bytes(), BEGIN.as_bytes());
    let own = &body[..next.unwrap_or(body.len())];
    let end = format!("-----END {name}-----");
    let (material, total) = match own.find(&end) {
        Some(at) => (&own[..at], body_at + at + end.len()),
        None if next.is_some() => (own, body_at + own.trim_end().len()),
        None => (own, text.len()),
    };
    has_material(material).then_some(total)
}

/// Whether key material follows, maybe after headers such as `Proc-Type`.
fn has_material(body: &str) -> bool {
    // Line ends may be escaped, as in JSON.
    body.split(['\n', '\\', ' ', '\r', '\t'])
        .map(|part| part.strip_prefix(['n', 'r']).unwrap_or(part))
        .filter(|part| !part.is_empty())
        .take(24)
        .any(is_material)
}

fn is_material(part: &str) -> bool {
    let encoded = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    let length = part.bytes().take_while(|byte| encoded(*byte)).count();
    let has = |sort: fn(&u8) -> bool| part.as_bytes()[..length].iter().any(sort);
    length >= SHORTEST_MATERIAL
        && has(u8::is_ascii_uppercase)
        && (has(u8::is_ascii_lowercase) || has(u8::is_ascii_digit))
}
