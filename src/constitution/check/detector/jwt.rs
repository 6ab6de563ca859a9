//! JSON web tokens: three or five dotted base64url parts, the first a JSON object with `alg`.

use std::ops::Range;

use memchr::memmem;
use serde_json::{Map, Value};

use super::scan::{before, is, joins};

/// How `{"` begins in base64.
const BEGINNING: &str = "eyJ";

/// The longest header that is decoded, in bytes of base64.
const LONGEST_HEADER: usize = 4096;

/// The shortest part that is a payload or signature.
const SHORTEST_PART: usize = 8;

pub(super) fn find(text: &str, found: &mut Vec<Range<usize>>) {
    let mut free_from = 0;
    for start in memmem::find_iter(text.as_bytes(), BEGINNING) {
        let glued = is(before(text, start), |near| joins(near) || near == '-');
        if start < free_from || glued {
            continue;
        }
        let rest = &text[start..];
        let length = rest
            .find(|character| !is_token(character))
            .unwrap_or(rest.len());
        free_from = start + length;
        if let Some(length) = token(&rest[..length]) {
            found.push(start..start + length);
        }
    }
}

fn is_token(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.')
}

/// The length of the token that this text begins with.
fn token(text: &str) -> Option<usize> {
    let parts: Vec<&str> = text.split('.').take(6).collect();
    let algorithm = algorithm(parts[0])?;
    let is_long = |place: usize| {
        parts
            .get(place)
            .is_some_and(|part| part.len() >= SHORTEST_PART)
    };
    let taken = match parts.len() {
        // Of an encrypted token, the key in the middle may be missing.
        5.. if is_long(2) && is_long(3) && is_long(4) => 5,
        3.. if is_long(1) && is_long(2) => 3,
        // An unsigned token ends with its second dot.
        3.. if is_long(1) && algorithm.eq_ignore_ascii_case("none") => {
            return Some(parts[0].len() + parts[1].len() + 2);
        }
        _ => return None,
    };
    Some(parts[..taken].iter().map(|part| part.len()).sum::<usize>() + taken - 1)
}

/// What the header says the token is signed or encrypted with.
fn algorithm(header: &str) -> Option<String> {
    if header.len() > LONGEST_HEADER {
        return None;
    }
    let header: Map<String, Value> = serde_json::from_slice(&decode(header)?).ok()?;
    header.get("alg")?.as_str().map(str::to_owned)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut held) = (0_u32, 0);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            decoded.push(u8::try_from(bits >> held & 0xff).ok()?);
        }
    }
    Some(decoded)
}
