//! Payment card numbers: an issuer's prefix and length, a plausible grouping, and the Luhn check.
//!
//! Left alone on purpose: the 13 digits of very old Visa cards unless they are grouped, since every
//! tenth article number would pass, and ungrouped numbers that are labelled as something else.

use std::ops::Range;

use super::context::{label, words_before};
use super::iban;
use super::scan::{Glyph, Run, each_run, is, is_digit, joins, two_after, two_before};

/// The ways in which card numbers are printed, the longest first.
const GROUPINGS: [&[usize]; 12] = [
    &[4, 4, 4, 4, 3],
    &[4, 4, 4, 4],
    &[4, 6, 5],
    &[4, 6, 4],
    &[4, 4, 4, 3],
    &[4, 3, 3, 3],
    &[19],
    &[18],
    &[17],
    &[16],
    &[15],
    &[14],
];

/// What long numbers without groups are called when they are no cards.
const OTHERWISE: [&str; 22] = [
    "tracking",
    "imei",
    "iccid",
    "isbn",
    "ean",
    "gtin",
    "upc",
    "order",
    "invoice",
    "ticket",
    "shipment",
    "parcel",
    "waybill",
    "serial",
    "barcode",
    "transaction",
    "timestamp",
    "commit",
    "epoch",
    "case",
    "snowflake",
    "tweet",
];

pub(super) fn find(text: &str, found: &mut Vec<Range<usize>>) {
    let first = found.len();
    each_run(text, |run| {
        if run.count() < 13 {
            return;
        }
        let mut group = 0;
        while group < run.groups.len() {
            let after_card = group > 0
                && found
                    .last()
                    .is_some_and(|card| card.end == run.groups[group - 1].end);
            if let Some(next) = card_at(run, group, after_card) {
                found.push(run.groups[group].start..run.groups[next - 1].end);
                group = next;
            } else {
                group += 1;
            }
        }
    });
    if found.len() > first {
        drop_parts_of_ibans(text, found);
    }
}

fn drop_parts_of_ibans(text: &str, found: &mut Vec<Range<usize>>) {
    let mut ibans = Vec::new();
    iban::find(text, &mut ibans);
    found.retain(|card| {
        let next = ibans.partition_point(|iban| iban.end <= card.start);
        ibans.get(next).is_none_or(|iban| iban.start >= card.end)
    });
}

/// The group after the card number that begins with this group.
fn card_at(run: &Run<'_>, first: usize, after_card: bool) -> Option<usize> {
    GROUPINGS.iter().find_map(|lengths| {
        let next = first + lengths.len();
        let fits = run.has_shape(first, lengths, &[Glyph::Space, Glyph::Dash])
            && stands_alone(run, first..next, after_card)
            && is_card(run.digits(first..next))
            && (lengths.len() > 1 || !is_labelled_otherwise(run, first));
        fits.then_some(next)
    })
}

/// Whether the groups are not a part of a longer number.
fn stands_alone(run: &Run<'_>, groups: Range<usize>, after_card: bool) -> bool {
    let (first, next) = (groups.start, groups.end);
    let grouped = groups.len() > 1;
    let free_before = match first.checked_sub(1) {
        None => is_free_before(run.text, run.groups[0].start),
        Some(previous) if run.gaps[previous].opens => true,
        Some(previous) => {
            let same_grid = grouped && run.groups[previous].len() == 4;
            run.gaps[previous].is_only(Glyph::Space) && (after_card || !same_grid)
        }
    };
    let free_after = match run.gaps.get(next - 1) {
        None => is_free_after(run.text, run.groups[next - 1].end),
        Some(gap) if gap.closes || gap.is_only(Glyph::Slash) => true,
        Some(gap) => {
            let same_grid = grouped && run.groups[next].len() == 4;
            gap.is_only(Glyph::Space) && (!same_grid || begins_card(run, next))
        }
    };
    free_before && free_after
}

fn begins_card(run: &Run<'_>, first: usize) -> bool {
    let glyphs = [Glyph::Space, Glyph::Dash];
    GROUPINGS.iter().any(|lengths| {
        run.has_shape(first, lengths, &glyphs) && is_card(run.digits(first..first + lengths.len()))
    })
}

fn is_free_before(text: &str, at: usize) -> bool {
    match two_before(text, at) {
        (None, _) => true,
        (Some(near), far) => match near {
            _ if joins(near) => false,
            '.' => !is(far, is_digit),
            '-' | '/' => !is(far, |far| joins(far) || far == '/'),
            '+' | '$' | '€' | '£' | '%' => false,
            _ => true,
        },
    }
}

fn is_free_after(text: &str, at: usize) -> bool {
    match two_after(text, at) {
        (None, _) => true,
        (Some(near), far) => match near {
            _ if joins(near) => false,
            '.' => !is(far, is_digit),
            '-' | '*' => !is(far, joins),
            '%' | '€' => false,
            _ => true,
        },
    }
}

fn is_labelled_otherwise(run: &Run<'_>, group: usize) -> bool {
    let words = words_before(run.text, run.groups[group].start);
    label(&words).is_one_of(&OTHERWISE)
}

fn is_card(digits: &str) -> bool {
    is_issued(digits) && passes_luhn(digits)
}

/// Whether an issuer has cards that begin like this and are this long.
fn is_issued(digits: &str) -> bool {
    let length = digits.len();
    let prefix = |places: usize| digits[..places].parse::<u32>().unwrap_or(0);
    match prefix(1) {
        4 => matches!(length, 13 | 16 | 19),
        2 => matches!(prefix(4), 2221..=2720 | 2200..=2204) && length == 16,
        3 => match prefix(2) {
            34 | 37 => length == 15,
            36 | 38 | 39 => length == 14,
            30 => prefix(3) <= 305 && length == 14,
            35 => matches!(prefix(4), 3528..=3589) && length == 16,
            _ => false,
        },
        5 => match prefix(2) {
            51..=55 => length == 16,
            50 | 56..=58 => is_maestro(prefix(4)) && length >= 16,
            _ => false,
        },
        6 => match prefix(2) {
            62 | 65 => length >= 16,
            60 | 64 => matches!(prefix(4), 6011 | 6069..=6085 | 6440..=6499) && length >= 16,
            _ => is_maestro(prefix(4)) && length >= 16,
        },
        8 => matches!(prefix(4), 8172..=8201) && length == 16,
        9 => prefix(4) == 9792 && length == 16,
        _ => false,
    }
}

/// The brands that share the prefixes from 50 to 67.
fn is_maestro(prefix: u32) -> bool {
    matches!(
        prefix,
        5018 | 5020 | 5038 | 5060..=5061 | 5085..=5089 | 5893 | 6304 | 6759 | 6761..=6763
    )
}

fn passes_luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0');
            match (place % 2, digit * 2) {
                (0, _) => digit,
                (_, double @ 10..) => double - 9,
                (_, double) => double,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}
