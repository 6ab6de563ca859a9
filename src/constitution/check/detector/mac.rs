//! MAC addresses: six pairs of hexadecimal digits with colons or dashes, or Cisco's three fours.

use std::ops::Range;

use super::scan::{before, is, joins, two_after, two_before};

pub(super) fn find(text: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut from = 0;
    for place in memchr::memchr3_iter(b':', b'-', b'.', bytes) {
        let separator = bytes[place];
        let width = if separator == b'.' { 4 } else { 2 };
        // Most of these are punctuation: a second one at the right distance is rare.
        if bytes.get(place + width + 1) != Some(&separator) || place < from + width {
            continue;
        }
        let start = place - width;
        if let Some(range) = address_at(text, start, separator, width) {
            from = range.end;
            found.push(range);
        }
    }
}

fn address_at(text: &str, start: usize, separator: u8, width: usize) -> Option<Range<usize>> {
    let groups = 12 / width;
    let end = start + 12 + groups - 1;
    let address = text.as_bytes().get(start..end)?;
    let shaped = address.iter().enumerate().all(|(place, byte)| {
        if place % (width + 1) == width {
            *byte == separator
        } else {
            byte.is_ascii_hexdigit()
        }
    });
    if !shaped || !stands_alone(text, start, end, char::from(separator)) {
        return None;
    }
    let decimal = address
        .iter()
        .all(|byte| byte.is_ascii_digit() || *byte == separator);
    let plausible = match separator {
        b':' => true,
        b'-' => !decimal || !is_date_or_list(&text[start..end]),
        _ => !decimal || text[start..].starts_with("00"),
    };
    plausible.then_some(start..end)
}

fn stands_alone(text: &str, start: usize, end: usize, separator: char) -> bool {
    let free_before = match two_before(text, start) {
        // `MAC:00:1a:…` is labelled, `2b:00:1a:…` is longer.
        (Some(near), Some(far)) if near == separator => {
            far != separator && {
                let word = text[..start - 1]
                    .rsplit(|character| !joins(character))
                    .next();
                word.is_none_or(|word| {
                    word.is_empty() || word.contains(|letter: char| !letter.is_ascii_hexdigit())
                })
            }
        }
        _ => !is(before(text, start), joins),
    };
    let free_after = match two_after(text, end) {
        (Some(near), far) if near == separator => !is(far, joins),
        (near, _) => !is(near, joins),
    };
    free_before && free_after
}

/// Whether six decimal numbers are a moment, as in file names, or drawn numbers in order.
fn is_date_or_list(text: &str) -> bool {
    let numbers: Vec<u8> = text
        .split('-')
        .filter_map(|number| number.parse().ok())
        .collect();
    let [first, month, third, hour, minute, second] = numbers[..] else {
        return false;
    };
    let time = hour < 24 && minute < 60 && second < 60;
    let date = (1..=12).contains(&month) && (1..=31).contains(&first.min(third));
    let rising = numbers.is_sorted_by(|one, other| one < other);
    (time && date) || (rising && first > 0)
}
