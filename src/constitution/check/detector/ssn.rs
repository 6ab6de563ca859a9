//! US social security numbers: three, two and four digits in the ranges that are issued.
//!
//! With dashes the form speaks for itself, unless it is labelled as something else; with blanks, or
//! as nine bare digits, it counts only after words such as `SSN`.

use std::ops::Range;

use super::context::{is_one_of, label, words_before};
use super::scan::{Glyph, Run, each_run, is, is_dash, is_digit, joins, two_after, two_before};

const SOCIAL: [&str; 6] = [
    "ssn",
    "ssns",
    "social",
    "ss",
    "socsec",
    "sozialversicherungsnummer",
];

/// How many words back a social security number may be called one.
const SOCIAL_REACH: usize = 6;

const OTHERWISE: [&str; 23] = [
    "order",
    "part",
    "parts",
    "sku",
    "ticket",
    "case",
    "ref",
    "reference",
    "invoice",
    "tracking",
    "serial",
    "item",
    "product",
    "model",
    "batch",
    "lot",
    "isbn",
    "catalog",
    "article",
    "phone",
    "tel",
    "fax",
    "policy",
];

pub(super) fn find(text: &str, found: &mut Vec<Range<usize>>) {
    each_run(text, |run| {
        for group in 0..run.groups.len() {
            if let Some(next) = number_at(run, group) {
                found.push(run.groups[group].start..run.groups[next - 1].end);
            }
        }
    });
}

/// The group after the number that begins with this group.
fn number_at(run: &Run<'_>, first: usize) -> Option<usize> {
    let dashed = run.has_shape(first, &[3, 2, 4], &[Glyph::Dash]);
    let next = if dashed || run.has_shape(first, &[3, 2, 4], &[Glyph::Space]) {
        first + 3
    } else if run.groups[first].len() == 9 {
        first + 1
    } else {
        return None;
    };
    if !is_issued(run.digits(first..next)) || !stands_alone(run, first, next) {
        return None;
    }
    let words = words_before(run.text, run.groups[first].start);
    let social = words
        .iter()
        .take(SOCIAL_REACH)
        .any(|word| is_one_of(word, &SOCIAL));
    (social || dashed && !label(&words).is_one_of(&OTHERWISE)).then_some(next)
}

fn is_issued(digits: &str) -> bool {
    let (area, rest) = digits.split_at(3);
    let (group, serial) = rest.split_at(2);
    area != "000" && area != "666" && area < "900" && group != "00" && serial != "0000"
}

fn stands_alone(run: &Run<'_>, first: usize, next: usize) -> bool {
    // A row that goes on with the same blanks is another number.
    let spaced = next - first > 1 && run.gaps[first].is_only(Glyph::Space);
    let apart = |gap: usize| {
        let gap = run.gaps[gap];
        gap.opens || gap.closes || (gap.is_only(Glyph::Space) && !spaced)
    };
    let free_before = match first {
        0 => is_free(two_before(run.text, run.groups[0].start)),
        _ => apart(first - 1),
    };
    let free_after = match run.gaps.get(next - 1) {
        None => is_free(two_after(run.text, run.groups[next - 1].end)),
        Some(_) => apart(next - 1),
    };
    free_before && free_after
}

fn is_free((near, far): (Option<char>, Option<char>)) -> bool {
    let Some(near) = near else {
        return true;
    };
    let glued = is_dash(near) || near == '/';
    let decimal = matches!(near, '.' | ':') && is(far, is_digit);
    !(joins(near) || glued && is(far, joins) || decimal || matches!(near, '$' | '€' | '%' | '+'))
}
