//! Looking for digits, alone and in groups, and at the characters around them.

use std::ops::Range;

pub(super) use super::super::script::joins;

/// The place of the first ASCII digit at or after `from`.
pub(super) fn next_digit(bytes: &[u8], from: usize) -> Option<usize> {
    const CHUNK: usize = 32;
    let rest = bytes.get(from..)?;
    let mut at = from;
    for chunk in rest.chunks(CHUNK) {
        // Without an early way out, a chunk is a few vector instructions.
        let any = chunk
            .iter()
            .fold(false, |any, byte| any | byte.is_ascii_digit());
        if any {
            return chunk
                .iter()
                .position(u8::is_ascii_digit)
                .map(|place| at + place);
        }
        at += chunk.len();
    }
    None
}

pub(super) fn before(text: &str, at: usize) -> Option<char> {
    text[..at].chars().next_back()
}

pub(super) fn after(text: &str, at: usize) -> Option<char> {
    text[at..].chars().next()
}

/// The two characters before a place, the nearest first.
pub(super) fn two_before(text: &str, at: usize) -> (Option<char>, Option<char>) {
    let mut characters = text[..at].chars().rev();
    (characters.next(), characters.next())
}

/// The two characters from a place on.
pub(super) fn two_after(text: &str, at: usize) -> (Option<char>, Option<char>) {
    let mut characters = text[at..].chars();
    (characters.next(), characters.next())
}

/// Whether there is a character and it is of that sort.
pub(super) fn is(character: Option<char>, sort: impl Fn(char) -> bool) -> bool {
    character.is_some_and(sort)
}

pub(super) fn is_digit(character: char) -> bool {
    character.is_ascii_digit()
}

pub(super) fn is_dash(character: char) -> bool {
    matches!(character, '-' | '\u{2010}'..='\u{2013}' | '\u{2212}')
}

/// A blank that keeps what it separates on one line.
pub(super) fn is_blank(character: char) -> bool {
    matches!(
        character,
        ' ' | '\u{a0}' | '\u{2007}' | '\u{2009}' | '\u{202f}'
    )
}

/// What separates two groups of digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Glyph {
    Space,
    Dash,
    Dot,
    Slash,
}

/// All that stands between two groups of digits: `)`, one glyph, `(`, each of them maybe.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gap {
    pub(super) glyph: Option<Glyph>,
    pub(super) opens: bool,
    pub(super) closes: bool,
}

impl Gap {
    pub(super) fn is_only(self, glyph: Glyph) -> bool {
        self.glyph == Some(glyph) && !self.opens && !self.closes
    }
}

/// Groups of digits in one row, such as `(415) 555-0134`.
#[derive(Debug)]
pub(super) struct Run<'t> {
    pub(super) text: &'t str,
    pub(super) groups: Vec<Range<usize>>,
    /// The gap after each group but the last.
    pub(super) gaps: Vec<Gap>,
    lengths: Vec<usize>,
    /// All digits in one piece, and where in it each group ends.
    digits: String,
    ends: Vec<usize>,
}

impl<'t> Run<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            groups: Vec::new(),
            gaps: Vec::new(),
            lengths: Vec::new(),
            digits: String::new(),
            ends: Vec::new(),
        }
    }

    fn clear(&mut self) {
        self.groups.clear();
        self.gaps.clear();
        self.lengths.clear();
        self.digits.clear();
        self.ends.clear();
    }

    fn push(&mut self, group: Range<usize>) {
        self.lengths.push(group.len());
        self.digits.push_str(&self.text[group.clone()]);
        self.ends.push(self.digits.len());
        self.groups.push(group);
    }

    /// How many digits each of these groups has.
    pub(super) fn lengths(&self, groups: Range<usize>) -> &[usize] {
        &self.lengths[groups]
    }

    /// The digits of these groups in one piece.
    pub(super) fn digits(&self, groups: Range<usize>) -> &str {
        let start = groups
            .start
            .checked_sub(1)
            .map_or(0, |previous| self.ends[previous]);
        &self.digits[start..self.ends[groups.end - 1]]
    }

    /// How many digits there are in all.
    pub(super) fn count(&self) -> usize {
        self.digits.len()
    }

    /// Whether the groups have these lengths, with the same glyph in every gap.
    pub(super) fn has_shape(&self, first: usize, lengths: &[usize], glyphs: &[Glyph]) -> bool {
        let last = first + lengths.len();
        last <= self.groups.len()
            && self.lengths[first..last] == *lengths
            && (lengths.len() == 1
                || glyphs.iter().any(|&glyph| {
                    self.gaps[first..last - 1]
                        .iter()
                        .all(|gap| gap.is_only(glyph))
                }))
    }
}

/// Visits every row of digits in the text.
pub(super) fn each_run(text: &str, mut visit: impl FnMut(&Run<'_>)) {
    let bytes = text.as_bytes();
    let mut run = Run::new(text);
    let mut from = 0;
    while let Some(start) = next_digit(bytes, from) {
        run.clear();
        let mut at = start;
        loop {
            let end = end_of_digits(bytes, at);
            run.push(at..end);
            from = end;
            let Some((gap, next)) = gap_at(text, end) else {
                break;
            };
            run.gaps.push(gap);
            at = next;
        }
        visit(&run);
    }
}

pub(super) fn end_of_digits(bytes: &[u8], from: usize) -> usize {
    let rest = bytes[from..].iter();
    from + rest.take_while(|byte| byte.is_ascii_digit()).count()
}

/// The gap that begins here and the place of the digit after it.
fn gap_at(text: &str, at: usize) -> Option<(Gap, usize)> {
    let mut rest = text[at..].chars();
    let mut next = rest.next()?;
    let closes = next == ')';
    if closes {
        next = rest.next()?;
    }
    let glyph = match next {
        '.' => Some(Glyph::Dot),
        '/' => Some(Glyph::Slash),
        _ if is_dash(next) => Some(Glyph::Dash),
        _ if is_blank(next) => Some(Glyph::Space),
        _ => None,
    };
    if glyph.is_some() {
        next = rest.next()?;
    }
    let opens = next == '(';
    if opens {
        next = rest.next()?;
    }
    let gap = Gap {
        glyph,
        opens,
        closes,
    };
    let digit = text.len() - rest.as_str().len() - 1;
    next.is_ascii_digit().then_some((gap, digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_digit_is_found_anywhere() {
        for place in [0, 1, 31, 32, 33, 64, 100] {
            let mut text = "é".repeat(60);
            text.insert(place / 2 * 2, '7');
            assert_eq!(next_digit(text.as_bytes(), 0), text.find('7'));
        }
        assert_eq!(next_digit(b"1a", 1), None);
        assert_eq!(next_digit(b"1a", 9), None);
    }

    #[test]
    fn rows_of_digits_know_their_groups_and_gaps() {
        let mut rows = Vec::new();
        each_run("(415) 555\u{2011}0134, +49 (0)30/12 and 1 x 2", |run| {
            let groups: Vec<&str> = run.groups.iter().map(|at| &run.text[at.clone()]).collect();
            rows.push(groups.join("|"));
            if run.groups.len() == 4 {
                assert!(run.gaps[0].opens && run.gaps[1].closes);
                assert!(run.gaps[2].is_only(Glyph::Slash));
            }
        });
        assert_eq!(rows, ["415|555|0134", "49|0|30|12", "1", "2"]);
    }
}
