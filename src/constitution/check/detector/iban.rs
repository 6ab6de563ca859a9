//! International bank account numbers: a country's length and the mod-97 check.

use std::ops::Range;

use super::scan::{after, before, is, is_blank, is_dash, joins, next_digit};

/// The countries that use IBANs, and how long theirs are.
const LENGTHS: [(&[u8; 2], usize); 89] = [
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

pub(super) fn find(text: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(digit) = next_digit(bytes, from) {
        from = digit + 1;
        if let Some(range) = account_around(text, digit) {
            from = range.end;
            found.push(range);
        }
    }
}

/// The account number whose check digits begin here.
fn account_around(text: &str, digit: usize) -> Option<Range<usize>> {
    let start = digit.checked_sub(2)?;
    let country = text.as_bytes()[start..digit]
        .first_chunk::<2>()?
        .map(|b| b.to_ascii_uppercase());
    let (_, length) = LENGTHS.iter().find(|(code, _)| **code == country)?;
    if is(before(text, start), joins) {
        return None;
    }
    let (account, end) = collect(text, start, *length)?;
    let check_digits = account[2..4].iter().all(u8::is_ascii_digit);
    let free = !is(after(text, end), joins);
    (check_digits && free && passes_mod_97(&account)).then_some(start..end)
}

/// That many letters and digits, with single blanks or dashes between them, and where they end.
fn collect(text: &str, start: usize, length: usize) -> Option<(Vec<u8>, usize)> {
    let mut account = Vec::with_capacity(length);
    let mut separated = true;
    for (place, character) in text[start..].char_indices() {
        match u8::try_from(character) {
            Ok(byte) if byte.is_ascii_alphanumeric() => {
                account.push(byte.to_ascii_uppercase());
                separated = false;
                if account.len() == length {
                    return Some((account, start + place + 1));
                }
            }
            _ if !separated && (is_blank(character) || is_dash(character)) => separated = true,
            _ => return None,
        }
    }
    None
}

fn passes_mod_97(account: &[u8]) -> bool {
    let (head, tail) = account.split_at(4);
    let rest = tail
        .iter()
        .chain(head)
        .fold(0_u32, |rest, byte| match byte {
            b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
            _ => (rest * 100 + u32::from(byte - b'A') + 10) % 97,
        });
    rest == 1
}
