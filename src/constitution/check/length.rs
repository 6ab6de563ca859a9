//! Length: bounds on the words and characters of an answer.

use super::error::CheckError;
use super::hit::Hit;
use super::spec::LengthSpec;

#[derive(Clone, Debug)]
pub(super) struct Length {
    words: Bounds,
    characters: Bounds,
}

#[derive(Clone, Debug)]
struct Bounds {
    unit: &'static str,
    min: Option<usize>,
    max: Option<usize>,
}

impl Length {
    pub(super) fn compile(spec: &LengthSpec) -> Result<Self, CheckError> {
        let words = Bounds::new("words", spec.min_words, spec.max_words)?;
        let characters = Bounds::new("characters", spec.min_chars, spec.max_chars)?;
        if words.is_open() && characters.is_open() {
            return Err(CheckError::NoBound);
        }
        Ok(Self { words, characters })
    }

    pub(super) fn hits(&self, text: &str) -> Vec<Hit> {
        let words = self.words.hit(|| text.split_whitespace().count());
        let characters = self.characters.hit(|| text.chars().count());
        words.into_iter().chain(characters).collect()
    }
}

impl Bounds {
    fn new(unit: &'static str, min: Option<usize>, max: Option<usize>) -> Result<Self, CheckError> {
        match (min, max) {
            (Some(min), Some(max)) if min > max => Err(CheckError::MinAboveMax { unit, min, max }),
            _ => Ok(Self { unit, min, max }),
        }
    }

    fn is_open(&self) -> bool {
        self.min.is_none() && self.max.is_none()
    }

    fn hit(&self, count: impl FnOnce() -> usize) -> Option<Hit> {
        if self.is_open() {
            return None;
        }
        let count = count();
        let (bound, word) = match (self.min, self.max) {
            (Some(min), _) if count < min => (min, "least"),
            (_, Some(max)) if count > max => (max, "most"),
            _ => return None,
        };
        let unit = match count {
            1 => self.unit.trim_end_matches('s'),
            _ => self.unit,
        };
        let verdict = match word {
            "least" => "needed",
            _ => "allowed",
        };
        let verb = if bound == 1 { "is" } else { "are" };
        Some(Hit::omission(format!(
            "{count} {unit}, at {word} {bound} {verb} {verdict}"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(spec: &LengthSpec, text: &str) -> Vec<String> {
        let length = Length::compile(spec).unwrap();
        length.hits(text).into_iter().map(|hit| hit.what).collect()
    }

    #[test]
    fn bounds_are_inclusive_and_say_what_is_wrong() {
        let spec = LengthSpec {
            min_words: Some(2),
            max_words: Some(3),
            max_chars: Some(10),
            ..LengthSpec::default()
        };
        assert!(hits(&spec, "one two").is_empty());
        assert!(hits(&spec, " a\u{a0}b\nc ").is_empty());
        assert_eq!(hits(&spec, "one"), ["1 word, at least 2 are needed"]);
        assert_eq!(
            hits(&spec, "one two three four"),
            [
                "4 words, at most 3 are allowed",
                "18 characters, at most 10 are allowed"
            ]
        );
    }

    #[test]
    fn characters_are_not_bytes() {
        let spec = LengthSpec {
            max_chars: Some(3),
            ..LengthSpec::default()
        };
        assert!(hits(&spec, "äöü").is_empty());
        assert_eq!(hits(&spec, "äöüß"), ["4 characters, at most 3 are allowed"]);
    }

    #[test]
    fn bounds_that_bound_nothing_or_everything_are_refused() {
        let none = Length::compile(&LengthSpec::default());
        assert!(matches!(none, Err(CheckError::NoBound)));
        let crossed = Length::compile(&LengthSpec {
            min_chars: Some(9),
            max_chars: Some(8),
            ..LengthSpec::default()
        });
        let error = crossed.expect_err("should be refused");
        assert_eq!(error.field(), ["length", "min_chars"]);
        assert_eq!(
            error.to_string(),
            "no text has at least 9 and at most 8 characters"
        );
    }
}
