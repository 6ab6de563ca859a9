//! Secrets without a known prefix: a long random value right after a name such as `api_key =`.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::scan::{after, next_digit};

static NAME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?xi)
        (?: api[\ _-]?(?:secret[\ _-]?)?key | (?:access|secret|auth|signing|encryption)[\ _-]?(?:access[\ _-]?)?key
          | token | secret | credentials? | private[\ _-]?key )
        (?: [\ _-]?(?:id|value) )?
        ["'`\]*]* \s* (?: : | :?=>? | \bis\b:? ) \** \s* (?:bearer\s+)? ["'`*]* $
        | \b(?:bearer|authorization:\s*token)\s+ ["'`]? $
        | --?[a-z-]*(?:token|api-key|secret) [\ =] ["']? $"#,
    )
    .expect("the pattern is constant")
});

/// How much of the text before a value its name is looked for in, in bytes.
const REACH: usize = 64;

const SHORTEST: usize = 20;
const LONGEST: usize = 512;

pub(super) fn find(text: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut from = 0;
    // A random value has digits, and prose has few.
    while let Some(digit) = next_digit(bytes, from) {
        let head = bytes[from..digit]
            .iter()
            .rev()
            .take_while(|byte| is_value(**byte));
        let start = digit - head.count();
        let tail = bytes[digit..].iter().take_while(|byte| is_value(**byte));
        let end = digit + tail.count();
        from = end;
        let value = &text[start..end];
        let padding = bytes[end..]
            .iter()
            .take(2)
            .take_while(|byte| **byte == b'=')
            .count();
        if is_secret(value) && !is_call(text, end) && is_named(text, start) {
            let end = start + value.trim_end_matches(['.', '-', '/']).len();
            found.push(start..if end == from { end + padding } else { end });
        }
    }
}

fn is_value(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'/' | b'.' | b'~')
}

fn is_secret(value: &str) -> bool {
    let address = value.starts_with("0x") || value.starts_with("0X");
    // Of `module.Ed25519PrivateKey` no part is random enough.
    let random = is_random(value) && value.split('.').any(is_random);
    (SHORTEST..=LONGEST).contains(&value.len()) && !address && random
}

fn is_call(text: &str, end: usize) -> bool {
    matches!(after(text, end), Some('(' | '['))
}

fn is_named(text: &str, start: usize) -> bool {
    let mut from = start.saturating_sub(REACH);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    NAME.is_match(&text[from..start])
}

/// Whether the value looks drawn by lot: long, many different characters, and many changes between
/// digits, capitals and small letters. Words have few, whatever joins them.
pub(super) fn is_random(value: &str) -> bool {
    let sorts = value.bytes().filter_map(sort);
    let (mut count, mut digits, mut changes) = (0_usize, 0_usize, 0_usize);
    let mut seen = [false; 128];
    let mut last = None;
    for (byte, sort) in value.bytes().filter(u8::is_ascii_alphanumeric).zip(sorts) {
        count += 1;
        digits += usize::from(sort == Sort::Digit);
        changes += usize::from(last.is_some_and(|last| last != sort));
        seen[usize::from(byte & 0x7f)] = true;
        last = Some(sort);
    }
    // Where capitals and small letters mix, drawing by lot changes between them all the time.
    let seen_any = |range: Range<usize>| seen[range].contains(&true);
    let mixed = seen_any(0x41..0x5b) && seen_any(0x61..0x7b);
    let fewest = count * if mixed { 35 } else { 20 } / 100;
    let different = seen.iter().filter(|seen| **seen).count();
    count >= 16 && digits >= 2 && digits < count && different >= 8 && changes > fewest
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Digit,
    Capital,
    Small,
}

fn sort(byte: u8) -> Option<Sort> {
    match byte {
        b'0'..=b'9' => Some(Sort::Digit),
        b'A'..=b'Z' => Some(Sort::Capital),
        b'a'..=b'z' => Some(Sort::Small),
        _ => None,
    }
}
