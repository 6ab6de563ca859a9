//! A check that is ready to run.

use std::borrow::Cow;
use std::ops::Range;

use super::error::CheckError;
use super::hit::Hit;
use super::json::Json;
use super::length::Length;
use super::pattern::Pattern;
use super::rewrite;
use super::spec::{CheckSpec, Must};
use super::words::Words;

/// A check that is ready to run: cheap to clone, and shared freely between threads.
///
/// # Examples
///
/// ```
/// use redraft::constitution::check::{Check, CheckSpec, PatternSpec};
///
/// let spec = CheckSpec {
///     pattern: Some(PatternSpec { name: Some("email".into()), ..PatternSpec::default() }),
///     rewrite: Some("[e-mail address]".into()),
///     ..CheckSpec::default()
/// };
/// let check = Check::compile(&spec)?;
/// let text = "Write to ada@example.org.";
/// let hits = check.hits(text);
/// assert_eq!(hits[0].what, "an e-mail address");
/// assert_eq!(hits[0].range.clone().map(|range| &text[range]), Some("ada@example.org"));
/// assert_eq!(check.rewrite(text).as_deref(), Some("Write to [e-mail address]."));
/// # Ok::<(), redraft::constitution::check::CheckError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Check {
    kind: Kind,
    rewrite: Option<Box<str>>,
}

#[derive(Clone, Debug)]
enum Kind {
    Pattern(Pattern),
    Words(Words),
    Length(Length),
    Json(Json),
}

impl Check {
    /// Compiles a check as it stands in a constitution file.
    ///
    /// # Errors
    ///
    /// Fails when the check has not exactly one kind, when that kind is ill-formed, and when its
    /// rewrite has nothing to replace or would fail the check itself.
    pub fn compile(spec: &CheckSpec) -> Result<Self, CheckError> {
        let check = Self {
            kind: Kind::compile(spec)?,
            rewrite: spec.rewrite.as_deref().map(Box::from),
        };
        if let Some(with) = &check.rewrite {
            check.kind.accepts_rewrite()?;
            if let Some(what) = rewrite::trips(with, |text| check.kind.matches(text)) {
                let what = format!("`{what}`");
                return Err(CheckError::RewriteTrips { what });
            }
        }
        Ok(check)
    }

    /// Why the text fails the check; empty when it passes.
    ///
    /// Ranges are sorted and do not overlap. At most a hundred matches are listed, then one hit
    /// without a range says how many more there are.
    #[must_use]
    pub fn hits(&self, text: &str) -> Vec<Hit> {
        match &self.kind {
            Kind::Pattern(pattern) => pattern.hits(text),
            Kind::Words(words) => words.hits(text),
            Kind::Length(length) => length.hits(text),
            Kind::Json(json) => json.hits(text),
        }
    }

    /// The text with every match replaced and the rest byte for byte, or `None` when the check
    /// has no rewrite.
    ///
    /// The result passes the check. The one exception is a regular expression or a rewrite made so
    /// that replacements and their neighbours keep forming new matches: that is given up after a
    /// few passes, and [`Check::hits`] on the result tells.
    #[must_use]
    pub fn rewrite<'t>(&self, text: &'t str) -> Option<Cow<'t, str>> {
        let with = self.rewrite.as_deref()?;
        Some(rewrite::replace(text, with, |text| self.kind.matches(text)))
    }

    /// Whether the check can rewrite a text.
    #[must_use]
    pub fn can_rewrite(&self) -> bool {
        self.rewrite.is_some()
    }
}

impl Kind {
    fn compile(spec: &CheckSpec) -> Result<Self, CheckError> {
        let given: Vec<&'static str> = [
            ("pattern", spec.pattern.is_some()),
            ("words", spec.words.is_some()),
            ("length", spec.length.is_some()),
            ("json", spec.json.is_some()),
        ]
        .into_iter()
        .filter_map(|(kind, given)| given.then_some(kind))
        .collect();
        if let [first, second, ..] = given[..] {
            return Err(CheckError::SeveralKinds { first, second });
        }
        if let Some(pattern) = &spec.pattern {
            Pattern::compile(pattern).map(Self::Pattern)
        } else if let Some(words) = &spec.words {
            Words::compile(words).map(Self::Words)
        } else if let Some(length) = &spec.length {
            Length::compile(length).map(Self::Length)
        } else if let Some(json) = &spec.json {
            Json::compile(json).map(Self::Json)
        } else {
            Err(CheckError::NoKind)
        }
    }

    fn accepts_rewrite(&self) -> Result<(), CheckError> {
        let must = match self {
            Self::Pattern(pattern) => pattern.must(),
            Self::Words(words) => words.must(),
            Self::Length(_) => return Err(CheckError::RewriteUnsupported { kind: "length" }),
            Self::Json(_) => return Err(CheckError::RewriteUnsupported { kind: "json" }),
        };
        match must {
            Must::Absent => Ok(()),
            Must::Present => Err(CheckError::RewriteRequired),
        }
    }

    /// Where that which must be absent stands, sorted and apart.
    fn matches(&self, text: &str) -> Vec<Range<usize>> {
        match self {
            Self::Pattern(pattern) => pattern.find(text),
            Self::Words(words) => words.find(text).into_iter().map(|(at, _)| at).collect(),
            Self::Length(_) | Self::Json(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{JsonSpec, LengthSpec, PatternSpec, WordsSpec, detector};
    use super::*;

    fn detecting(name: &str, rewrite: &str) -> CheckSpec {
        CheckSpec {
            pattern: Some(PatternSpec {
                name: Some(name.into()),
                ..PatternSpec::default()
            }),
            rewrite: Some(rewrite.into()),
            ..CheckSpec::default()
        }
    }

    #[test]
    fn a_check_has_exactly_one_kind() {
        let none = Check::compile(&CheckSpec::default());
        assert!(matches!(none, Err(CheckError::NoKind)));
        let two = Check::compile(&CheckSpec {
            words: Some(WordsSpec::default()),
            json: Some(JsonSpec::default()),
            ..CheckSpec::default()
        });
        let error = two.expect_err("two kinds are too many");
        assert_eq!(error.field(), ["json"]);
    }

    #[test]
    fn only_what_can_be_found_can_be_rewritten() {
        let length = Check::compile(&CheckSpec {
            length: Some(LengthSpec {
                max_words: Some(3),
                ..LengthSpec::default()
            }),
            rewrite: Some(String::new()),
            ..CheckSpec::default()
        });
        let error = length.expect_err("lengths cannot be rewritten");
        assert!(matches!(
            error,
            CheckError::RewriteUnsupported { kind: "length" }
        ));
        assert_eq!(error.field(), ["rewrite"]);
    }

    #[test]
    fn a_detector_does_not_rewrite_with_what_it_finds() {
        let error = Check::compile(&detecting("email", "ask privacy@example.org"));
        assert!(matches!(error, Err(CheckError::RewriteTrips { .. })));
        for name in detector::names() {
            let check = Check::compile(&detecting(name, "[removed]"));
            assert!(check.is_ok_and(|check| check.can_rewrite()), "{name}");
        }
    }

    #[test]
    fn checks_are_shared_between_threads() {
        fn shared<T: Clone + Send + Sync>() {}
        shared::<Check>();
    }

    /// A text without the parts that a check finds.
    fn rest(check: &Check, text: &str) -> String {
        let mut rest = text.to_owned();
        for range in check.kind.matches(text).into_iter().rev() {
            rest.replace_range(range, "\u{0}");
        }
        rest
    }

    proptest! {
        #[test]
        fn rewriting_leaves_nothing_to_find_and_touches_nothing_else(
            pieces in prop::collection::vec(prop::sample::select(vec![
                "call ", "4155550134", "415-555-0134", ", ", " ", ". ", "ada@example.org", "SSN ",
                "123456789", "123-45-6789", "4111 1111 1111 1111", "10.0.0.1", "fe80::1", "no. ",
                "é", "看", "https://example.com/a", "x", "-", "/", "(", ")", "token: ", "\n",
            ]), 0..24)
        ) {
            let text = pieces.concat();
            for name in detector::names() {
                let check = Check::compile(&detecting(name, "[gone]")).unwrap();
                let rewritten = check.rewrite(&text).unwrap();
                prop_assert!(check.hits(&rewritten).is_empty(), "{name}: {text:?} {rewritten:?}");
                let once = rest(&check, &text).replace('\u{0}', "[gone]");
                // A second pass only ever takes more away.
                prop_assert!(rewritten == once || rewritten.matches("[gone]").count()
                    > once.matches("[gone]").count(), "{name}: {text:?} {rewritten:?}");
            }
        }

        #[test]
        fn any_check_takes_any_text(text in "\\PC*", word in "\\PC{1,6}", rewrite in "\\PC{0,3}") {
            let words = CheckSpec {
                words: Some(WordsSpec { any_of: vec![word], ..WordsSpec::default() }),
                rewrite: Some(rewrite),
                ..CheckSpec::default()
            };
            if let Ok(check) = Check::compile(&words) {
                for hit in check.hits(&text) {
                    prop_assert!(hit.range.is_none_or(|range| text.get(range).is_some()));
                }
                prop_assert!(check.rewrite(&text).is_some());
            }
        }
    }
}
