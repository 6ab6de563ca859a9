//! Patterns: a named detector or a regular expression that must, or must not, match.

use std::ops::Range;

use regex::{Regex, RegexBuilder};

use super::detector::{self, Detector};
use super::error::CheckError;
use super::hit::{self, Hit};
use super::spec::{Must, PatternSpec};

/// The most memory a compiled regular expression, and its cache of states, may take.
const SIZE_LIMIT: usize = 2 * 1024 * 1024;

/// The most characters of a regular expression that an explanation shows.
const SHOWN: usize = 60;

/// Texts on which a regular expression that can match nothing gives itself away.
const PROBES: [&str; 4] = ["", "a", "a b\n1-2\n", "é."];

#[derive(Clone, Debug)]
pub(super) struct Pattern {
    finder: Finder,
    must: Must,
}

#[derive(Clone, Debug)]
enum Finder {
    Detector(&'static Detector),
    Regex(Regex),
}

impl Pattern {
    pub(super) fn compile(spec: &PatternSpec) -> Result<Self, CheckError> {
        let finder = match (&spec.name, &spec.regex) {
            (None, None) => return Err(CheckError::NoPattern),
            (Some(_), Some(_)) => return Err(CheckError::TwoPatterns),
            (Some(name), None) => Finder::Detector(detector(name)?),
            (None, Some(regex)) => Finder::Regex(compile_regex(regex)?),
        };
        Ok(Self {
            finder,
            must: spec.must,
        })
    }

    pub(super) fn must(&self) -> Must {
        self.must
    }

    pub(super) fn hits(&self, text: &str) -> Vec<Hit> {
        match self.must {
            Must::Absent => {
                let found = self.find(text);
                // Most texts have nothing to describe.
                if found.is_empty() {
                    return Vec::new();
                }
                let what = self.what();
                hit::list(&found, |range| (range.clone(), what.clone()))
            }
            Must::Present if self.occurs(text) => Vec::new(),
            Must::Present => vec![Hit::omission(format!("{} is missing", self.what()))],
        }
    }

    /// Every match, sorted and apart; empty matches count for nothing.
    pub(super) fn find(&self, text: &str) -> Vec<Range<usize>> {
        match &self.finder {
            Finder::Detector(detector) => detector.find(text),
            Finder::Regex(regex) => regex
                .find_iter(text)
                .map(|found| found.range())
                .filter(|range| !range.is_empty())
                .collect(),
        }
    }

    fn occurs(&self, text: &str) -> bool {
        match &self.finder {
            Finder::Detector(detector) => !detector.find(text).is_empty(),
            Finder::Regex(regex) => regex.find_iter(text).any(|found| !found.is_empty()),
        }
    }

    fn what(&self) -> String {
        match &self.finder {
            Finder::Detector(detector) => detector.what().to_owned(),
            Finder::Regex(regex) => format!("text that matches `{}`", shortened(regex.as_str())),
        }
    }
}

fn detector(name: &str) -> Result<&'static Detector, CheckError> {
    detector::named(name).ok_or_else(|| CheckError::UnknownDetector {
        name: name.to_owned(),
        nearest: detector::nearest(name),
    })
}

fn compile_regex(pattern: &str) -> Result<Regex, CheckError> {
    let regex = RegexBuilder::new(pattern)
        .size_limit(SIZE_LIMIT)
        .dfa_size_limit(SIZE_LIMIT)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(limit) => CheckError::RegexTooLarge { limit },
            source => CheckError::BadRegex { source },
        })?;
    let matches_nothing = |text| regex.find_iter(text).any(|found| found.is_empty());
    if PROBES.into_iter().any(matches_nothing) {
        return Err(CheckError::EmptyMatch);
    }
    Ok(regex)
}

fn shortened(pattern: &str) -> String {
    match pattern.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &pattern[..end]),
        None => pattern.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Check;
    use super::super::spec::CheckSpec;
    use super::*;

    fn spec(regex: &str, must: Must, rewrite: Option<&str>) -> CheckSpec {
        CheckSpec {
            pattern: Some(PatternSpec {
                name: None,
                regex: Some(regex.into()),
                must,
            }),
            rewrite: rewrite.map(str::to_owned),
            ..CheckSpec::default()
        }
    }

    fn error(regex: &str, must: Must, rewrite: Option<&str>) -> CheckError {
        Check::compile(&spec(regex, must, rewrite)).expect_err("should not compile")
    }

    #[test]
    fn a_banned_pattern_is_hit_where_it_stands() {
        let check = Check::compile(&spec(r"\bTODO\b", Must::Absent, None)).unwrap();
        assert!(check.hits("all done").is_empty());
        assert!(!check.can_rewrite());
        assert_eq!(check.rewrite("TODO"), None);
        let hits = check.hits("a TODO and TODO");
        assert_eq!(hits.len(), 2);
        assert_eq!(hits[1].range, Some(11..15));
        assert_eq!(hits[1].what, r"text that matches `\bTODO\b`");
    }

    #[test]
    fn a_required_pattern_that_is_missing_is_an_omission() {
        let check = Check::compile(&spec("^Dear", Must::Present, None)).unwrap();
        assert!(check.hits("Dear Ada").is_empty());
        assert_eq!(
            check.hits("Hi"),
            [Hit::omission("text that matches `^Dear` is missing")]
        );
    }

    #[test]
    fn a_regex_that_is_wrong_empty_or_huge_is_refused() {
        use Must::{Absent, Present};
        assert!(matches!(
            error("(", Absent, None),
            CheckError::BadRegex { .. }
        ));
        for empty in ["", "x*", r"\b", "(?m)^", r"\B", "a|", "$"] {
            assert!(
                matches!(error(empty, Absent, None), CheckError::EmptyMatch),
                "{empty}"
            );
        }
        let huge = r"\w{2000}";
        assert!(matches!(
            error(huge, Absent, None),
            CheckError::RegexTooLarge { .. }
        ));
        assert!(matches!(
            error("a", Present, Some("b")),
            CheckError::RewriteRequired
        ));
        let own = error(r"\d+", Absent, Some("number 7"));
        assert_eq!(
            own.to_string(),
            "the rewrite text would fail its own check: it contains `7`"
        );
        // Only within a word does this rewrite trip its check.
        assert!(matches!(
            error(r"\Bfoo", Absent, Some("foo")),
            CheckError::RewriteTrips { .. }
        ));
    }

    #[test]
    fn a_pattern_has_one_source_and_a_known_detector() {
        let compile = |name: Option<&str>, regex: Option<&str>| {
            Pattern::compile(&PatternSpec {
                name: name.map(str::to_owned),
                regex: regex.map(str::to_owned),
                must: Must::Absent,
            })
        };
        assert!(matches!(compile(None, None), Err(CheckError::NoPattern)));
        assert!(matches!(
            compile(Some("email"), Some("a")),
            Err(CheckError::TwoPatterns)
        ));
        let unknown = compile(Some("e-mail"), None).expect_err("should be unknown");
        assert!(
            unknown.to_string().ends_with("did you mean `email`?"),
            "{unknown}"
        );
    }

    #[test]
    fn all_matches_are_replaced_beyond_those_listed() {
        let check = Check::compile(&spec("x", Must::Absent, Some("y"))).unwrap();
        let text = "x".repeat(250);
        assert_eq!(check.hits(&text).len(), 101);
        assert_eq!(
            check.rewrite(&text).as_deref(),
            Some("y".repeat(250).as_str())
        );
        // The replacement is plain text, not a template.
        let check = Check::compile(&spec("(x)", Must::Absent, Some("$1"))).unwrap();
        assert_eq!(check.rewrite("ax").as_deref(), Some("a$1"));
    }
}
