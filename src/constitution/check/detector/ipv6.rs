//! IPv6 addresses, with their zone if they have one; a port or prefix length is not part of it.
//!
//! Left alone on purpose: `::` alone, and short forms such as `a::b` or `1::2` that begin with no
//! prefix in use, because programs are full of them.

use std::net::Ipv6Addr;
use std::ops::Range;

use super::scan::{after, before, is, joins, two_before};

/// The longest text form, with an IPv4 address at its end.
const LONGEST: usize = 45;

pub(super) fn find(text: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut from = 0;
    for colon in memchr::memchr_iter(b':', bytes) {
        if colon < from {
            continue;
        }
        let head = bytes[from..colon]
            .iter()
            .rev()
            .take_while(|byte| byte.is_ascii_hexdigit());
        let start = colon - head.count();
        let rest = bytes[start..].iter();
        from = start + rest.take_while(|byte| is_part(**byte)).count();
        // The cheap questions first: most colons stand alone.
        if from - colon >= 2 && bytes[colon + 1..from].contains(&b':') {
            found.extend(address_in(text, start, from));
        }
    }
}

fn is_part(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')
}

fn address_in(text: &str, mut start: usize, mut end: usize) -> Option<Range<usize>> {
    end = start + text[start..end].trim_end_matches('.').len();
    if text[start..end].ends_with(':') && !text[start..end].ends_with("::") {
        end -= 1;
    }
    // In `inet6:fe80::1` and `IP:fe80::1` the address begins after the first colon.
    let glued = is(before(text, start), joins);
    let labelled = text[start..end].starts_with(':') && !text[start..end].starts_with("::");
    if glued || labelled {
        start += text[start..end].find(':')? + 1;
    }
    let address = &text[start..end];
    if address.len() > LONGEST || !is_free_after(text, end) || is_slice(text, start) {
        return None;
    }
    let parsed: Ipv6Addr = address.parse().ok()?;
    is_meant(address, parsed).then(|| start..end + zone(&text[end..]))
}

fn is_free_after(text: &str, end: usize) -> bool {
    !is(after(text, end), joins)
}

/// Whether the brackets around are those of `list[::1]`.
fn is_slice(text: &str, start: usize) -> bool {
    matches!(two_before(text, start), (Some('['), Some(far)) if joins(far) || matches!(far, ']' | ')'))
}

fn is_meant(address: &str, parsed: Ipv6Addr) -> bool {
    if !address.contains(|character: char| character.is_ascii_digit()) {
        return false;
    }
    if !address.contains("::") {
        // Eight groups of two are a hardware identifier.
        return address.split(':').any(|group| group.len() != 2);
    }
    let groups = address.split(':').filter(|group| !group.is_empty()).count();
    let first = parsed.segments()[0];
    let in_use = matches!(first, 0x2000..=0x3fff | 0xfc00..=0xfdff | 0xfe80..=0xfebf | 0xff00..=0xff0f)
        || first == 0x64 && address.starts_with("64:ff9b::");
    address == "::1" || (in_use && groups >= 1) || parsed.to_ipv4_mapped().is_some() && groups >= 2
}

/// The length of `%eth0`.
fn zone(text: &str) -> usize {
    let Some(name) = text.strip_prefix('%') else {
        return 0;
    };
    let length = name
        .find(|character: char| {
            !character.is_ascii_alphanumeric() && !matches!(character, '_' | '-')
        })
        .unwrap_or(name.len());
    if length == 0 { 0 } else { length + 1 }
}
