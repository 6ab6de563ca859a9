//! Candidates in rows of digits, what stands around them, and their extensions.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::super::context::words_before;
use super::super::scan::{
    Glyph, Run, after, each_run, is, is_dash, is_digit, joins, two_after, two_before,
};
use super::label;
use super::shape::{Candidate, Sureness};

static EXTENSION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^(?i),?[ \u{a0}]?(?:\(?(?:extension|ext|durchwahl|poste)\b\.?|x)[ :.]{0,2}[0-9]{1,6}\)?",
    )
    .expect("the pattern is constant")
});

/// What says after a number that it was a phone number.
static FOLLOWING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^ ?[(\[-] ?(?i:mobile|cell|phone|tel|fax|whatsapp|landline|mobil|handy)\b")
        .expect("the pattern is constant")
});

/// The fewest digits of a phone number.
const FEWEST: usize = 7;

/// The most digits, with prefix and trunk zero.
const MOST: usize = 18;

/// The most groups of digits.
const MOST_GROUPS: usize = 8;

/// How near the next number is to a phone number, in bytes, to be one of the same list.
const LIST_REACH: usize = 8;

pub(in super::super) fn find(text: &str, found: &mut Vec<Range<usize>>) {
    each_run(text, |run| {
        if run.count() < FEWEST {
            return;
        }
        let mut first = 0;
        while first < run.groups.len() {
            let previous = found.last().map(|number| number.end);
            if let Some((number, next)) = number_at(run, first, previous) {
                found.push(number);
                first = next;
            } else {
                first += 1;
            }
        }
    });
}

/// Where a number begins, with its plus or bracket.
#[derive(Clone, Copy)]
struct Head {
    start: usize,
    plus: bool,
    bracket: bool,
}

/// The number that begins with this group, and the group after it.
fn number_at(
    run: &Run<'_>,
    first: usize,
    previous: Option<usize>,
) -> Option<(Range<usize>, usize)> {
    let head = head(run, first)?;
    let furthest = run.groups.len().min(first + MOST_GROUPS);
    (first + 1..=furthest).rev().find_map(|next| {
        let digits = run.digits(first..next).len();
        if !(FEWEST..=MOST).contains(&digits) || !may_end(run, next) {
            return None;
        }
        let candidate = Candidate::new(run, first, next, head.plus, head.bracket);
        let sureness = candidate.sureness()?;
        let whole = first == 0 && next == run.groups.len();
        let end = end_of(run.text, run.groups[next - 1].end)?;
        // A part of a row of blanks can be a part of anything.
        let part = !whole && candidate.is_blank() && !head.plus;
        let called = || is_called(run.text, head.start, end, previous, sureness);
        let otherwise = || label::is_otherwise(&words_before(run.text, head.start));
        let meant = match sureness {
            Sureness::Sure => true,
            Sureness::Usual => (!part || called()) && !otherwise(),
            Sureness::CalledNear if part => false,
            Sureness::Called | Sureness::CalledNear => called() && !otherwise(),
        };
        meant.then_some((head.start..end, next))
    })
}

fn is_called(
    text: &str,
    start: usize,
    end: usize,
    previous: Option<usize>,
    sureness: Sureness,
) -> bool {
    let listed = previous.is_some_and(|previous| {
        // The one before may reach beyond this start with its extension.
        text.get(previous..start)
            .is_some_and(|between| between.len() <= LIST_REACH && !between.contains(is_digit))
    });
    let short = sureness == Sureness::CalledNear;
    listed
        || text[..start].ends_with("wa.me/")
        || FOLLOWING.is_match(&text[end..])
        || label::is_phone(&words_before(text, start), short)
}

fn head(run: &Run<'_>, first: usize) -> Option<Head> {
    let digit = run.groups[first].start;
    let closes = run.gaps.get(first).is_some_and(|gap| gap.closes);
    let Some(previous) = first.checked_sub(1) else {
        return first_head(run.text, digit, closes);
    };
    let gap = run.gaps[previous];
    let bracket = gap.opens && closes;
    let apart =
        gap.opens || gap.is_only(Glyph::Space) || gap.closes && gap.glyph == Some(Glyph::Space);
    apart.then_some(Head {
        start: digit - usize::from(bracket),
        plus: false,
        bracket,
    })
}

/// The head of a number at the beginning of a row.
fn first_head(text: &str, digit: usize, closes: bool) -> Option<Head> {
    let (near, far) = two_before(text, digit);
    let plus = near == Some('+');
    let bracket = closes && (near == Some('(') || plus && far == Some('('));
    let start = digit - usize::from(plus) - usize::from(bracket);
    is_free_before(text, start).then_some(Head {
        start,
        plus,
        bracket,
    })
}

fn is_free_before(text: &str, start: usize) -> bool {
    let (Some(near), far) = two_before(text, start) else {
        return true;
    };
    match near {
        _ if joins(near) => false,
        '.' | ':' => !is(far, is_digit),
        '/' => text[..start].ends_with("wa.me/") || !is(far, |far| joins(far) || far == '/'),
        '$' | '€' | '£' | '¥' | '+' | '@' | '%' | '*' if !text[..start].ends_with("**") => {
            false
        }
        _ if is_dash(near) => !is(far, joins),
        _ => true,
    }
}

/// Whether a number may end before this group.
fn may_end(run: &Run<'_>, next: usize) -> bool {
    run.gaps
        .get(next - 1)
        .is_none_or(|gap| gap.closes || gap.glyph == Some(Glyph::Space))
}

/// The end of a number whose digits end here, with its extension, if nothing is glued to it.
fn end_of(text: &str, digits: usize) -> Option<usize> {
    let extension = EXTENSION
        .find(&text[digits..])
        .map(|extension| extension.as_str());
    if let Some(extension) = extension {
        let opened = extension.contains('(');
        let kept = if opened {
            extension
        } else {
            extension.trim_end_matches(')')
        };
        let end = digits + kept.len();
        if !is(after(text, end), joins) && opened == kept.ends_with(')') {
            return Some(end);
        }
    }
    let free = match two_after(text, digits) {
        (Some(near), _) if joins(near) => false,
        (Some('.' | ':'), far) => !is(far, is_digit),
        (Some('-' | '\u{2011}'), far) => !is(far, joins),
        (Some('%' | '°' | '€' | '$'), _) => false,
        _ => true,
    };

    free.then_some(digits)
}
