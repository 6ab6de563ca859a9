//! Which groups of digits are a phone number, and how surely.

use std::borrow::Cow;

use super::super::scan::{Gap, Glyph, Run};
use super::country::code_length;

/// How much a shape says by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sureness {
    /// It is a phone number whatever stands around it.
    Sure,
    /// It is one unless it is labelled as something else.
    Usual,
    /// It is one only if it is called one.
    Called,
    /// The same, and the word must be near.
    CalledNear,
}

/// Shapes that phone numbers share with too much else.
const CALLED: [&[usize]; 10] = [
    &[3, 3, 3],
    &[2, 3, 2, 2],
    &[3, 2, 2, 2],
    &[4, 3, 3],
    &[5, 5],
    &[6, 4],
    &[3, 6],
    &[3, 7],
    &[1, 10],
    &[1, 3, 7],
];

/// Groups of digits that may be a phone number.
pub(super) struct Candidate<'t> {
    lengths: &'t [usize],
    gaps: &'t [Gap],
    digits: &'t str,
    plus: bool,
    /// Whether a bracket opens right before the first group.
    bracket: bool,
}

impl<'t> Candidate<'t> {
    /// These groups of a row, `first` to before `next`.
    pub(super) fn new(
        run: &'t Run<'_>,
        first: usize,
        next: usize,
        plus: bool,
        bracket: bool,
    ) -> Self {
        Self {
            lengths: run.lengths(first..next),
            gaps: &run.gaps[first..next - 1],
            digits: run.digits(first..next),
            plus,
            bracket,
        }
    }

    /// Whether every gap is a blank.
    pub(super) fn is_blank(&self) -> bool {
        !self.gaps.is_empty() && self.all(Glyph::Space) && !self.bracket
    }

    /// How surely this is a phone number, if it can be one.
    pub(super) fn sureness(&self) -> Option<Sureness> {
        if !self.is_balanced() || !self.is_consistent() {
            return None;
        }
        if self.plus {
            return self.international().then_some(Sureness::Sure);
        }
        self.prefixed()
            .or_else(|| self.north_american())
            .or_else(|| self.bracketed())
            .or_else(|| self.trunk())
            .or_else(|| self.listed())
    }

    fn all(&self, glyph: Glyph) -> bool {
        self.gaps.iter().all(|gap| gap.is_only(glyph))
    }

    fn any(&self, glyph: Glyph) -> bool {
        self.gaps.iter().any(|gap| gap.glyph == Some(glyph))
    }

    fn is_balanced(&self) -> bool {
        let mut open = self.bracket;
        for gap in self.gaps {
            if gap.closes != open && (gap.closes || gap.opens) {
                return false;
            }
            open = (open && !gap.closes) || gap.opens;
        }
        !open
    }

    /// Dots go with dots, and a slash comes once at most, early.
    fn is_consistent(&self) -> bool {
        let mixed = self.any(Glyph::Dot) && (self.any(Glyph::Dash) || self.any(Glyph::Slash));
        let slashes = self
            .gaps
            .iter()
            .rposition(|gap| gap.glyph == Some(Glyph::Slash));
        let latest = if self.plus { 2 } else { 0 };
        !mixed && slashes.is_none_or(|last| last <= latest)
    }

    fn international(&self) -> bool {
        let digits = self.without_trunk_zero();
        let least = match self.lengths.len() {
            1 => 9,
            // One dot may be a decimal point, as in `+52.5200066`.
            2 if self.any(Glyph::Dot) => 11,
            _ => 8,
        };
        (least..=15).contains(&digits.len()) && is_international(digits.as_bytes())
    }

    /// Of `+44 (0)20 …` the zero is not dialled.
    fn without_trunk_zero(&self) -> Cow<'t, str> {
        let mut place = 0;
        for (group, gap) in self.gaps.iter().enumerate() {
            place += self.lengths[group];
            let closes = self.gaps.get(group + 1).is_some_and(|next| next.closes);
            if gap.opens
                && closes
                && self.lengths[group + 1] == 1
                && self.digits[place..].starts_with('0')
            {
                let (area, rest) = self.digits.split_at(place);
                return Cow::Owned(format!("{area}{}", &rest[1..]));
            }
        }
        Cow::Borrowed(self.digits)
    }

    /// `0049 30 123456`, and `011 44 …` from North America.
    fn prefixed(&self) -> Option<Sureness> {
        let digits = self.without_trunk_zero();
        let grouped = self.lengths.len() > 1 && !self.any(Glyph::Dot);
        let dialled = match digits.strip_prefix("00") {
            Some(dialled) => dialled,
            None if self.lengths[0] == 3 => digits.strip_prefix("011")?,
            None => return None,
        };
        let fits = (9..=15).contains(&dialled.len()) && is_international(dialled.as_bytes());
        fits.then_some(if grouped {
            Sureness::Usual
        } else {
            Sureness::CalledNear
        })
    }

    fn north_american(&self) -> Option<Sureness> {
        let national = match (self.lengths, self.digits.strip_prefix('1')) {
            ([3, 3, 4], _) => self.digits,
            ([1, 3, 3, 4], Some(national)) => national,
            _ => return None,
        };
        let bracketed = self.bracket || self.gaps.iter().any(|gap| gap.opens);
        is_north_american(national.as_bytes()).then_some(if bracketed {
            Sureness::Sure
        } else {
            Sureness::Usual
        })
    }

    /// `(11) 91234-5678`; a bracketed year before pages is none.
    fn bracketed(&self) -> Option<Sureness> {
        let brazilian = matches!(self.lengths[..], [2, 4 | 5, 4]);
        (self.bracket && brazilian && !self.digits.starts_with('0')).then_some(Sureness::Usual)
    }

    /// National numbers that begin with the trunk zero: `020 7946 0958`, `01 23 45 67 89`.
    fn trunk(&self) -> Option<Sureness> {
        let digits = self.digits.as_bytes();
        if digits[0] != b'0' || digits[1] == b'0' {
            return None;
        }
        let total = digits.len();
        let plain_dot = self.lengths.len() == 2 && self.any(Glyph::Dot);
        let fits = match self.lengths[..] {
            [9..=12] => return Some(Sureness::Called),
            [2..=5, 5..=8] => (8..=12).contains(&total) && !plain_dot,
            [2..=5, ref middle @ .., last] if !middle.is_empty() => {
                let end = 2..=4;
                let extension =
                    last == 1 && self.gaps.last().is_some_and(|gap| gap.is_only(Glyph::Dash));
                (9..=11).contains(&total)
                    && (2..=6).contains(&self.lengths.len())
                    && middle
                        .iter()
                        .all(|length| end.contains(length) || extension && *length <= 6)
                    && (end.contains(&last) || extension)
            }
            _ => false,
        };
        (fits && !self.is_date() && !self.counts_up()).then_some(Sureness::Usual)
    }

    /// `05.11.2024 0800`.
    fn is_date(&self) -> bool {
        let year = |place: usize| matches!(self.digits.get(place..place + 2), Some("19" | "20"));
        matches!(self.lengths[..], [2, 2, 4, ..]) && year(4)
    }

    /// `01 02 03 04 05`.
    fn counts_up(&self) -> bool {
        let pairs = self.digits.as_bytes().chunks(2);
        let numbers: Vec<u8> = pairs
            .map(|pair| pair.iter().fold(0, |n, b| n * 10 + (b - b'0')))
            .collect();
        self.lengths.iter().all(|length| *length == 2)
            && numbers.windows(2).all(|pair| pair[0] + 1 == pair[1])
    }

    /// Shapes that many other numbers have too.
    fn listed(&self) -> Option<Sureness> {
        let first = self.digits.as_bytes()[0];
        let years = |digits: &str| digits.starts_with("19") || digits.starts_with("20");
        match self.lengths[..] {
            // Freephone numbers and Chinese mobiles.
            [4, 3, 3] if matches!(&self.digits[..4], "1300" | "1800") => Some(Sureness::Usual),
            [3, 4, 4] if first == b'1' && self.all(Glyph::Dash) => Some(Sureness::Usual),
            [3, 4, 4] if first == b'1' => Some(Sureness::Called),
            _ if CALLED.contains(&self.lengths) => Some(Sureness::Called),
            [10..=13] => Some(Sureness::Called),
            [3, 4] if first >= b'2' && !self.any(Glyph::Slash) => Some(Sureness::CalledNear),
            [4, 4] if first >= b'2' && !(years(self.digits) && years(&self.digits[4..])) => {
                Some(Sureness::CalledNear)
            }
            [2, 2, 2, 2] if self.all(Glyph::Space) => Some(Sureness::CalledNear),
            [8 | 9] if first >= b'2' && !years(self.digits) => Some(Sureness::CalledNear),
            _ => None,
        }
    }
}

fn is_international(digits: &[u8]) -> bool {
    let Some(code) = code_length(digits) else {
        return false;
    };
    match digits[0] {
        b'1' => is_north_american(&digits[1..]),
        b'7' => digits.len() == 11,
        _ => digits.len() >= code + 5,
    }
}

/// Ten digits, of which neither area nor exchange begins with 0 or 1, and no area like 911.
fn is_north_american(digits: &[u8]) -> bool {
    digits.len() == 10 && digits[0] >= b'2' && digits[3] >= b'2' && &digits[1..3] != b"11"
}
