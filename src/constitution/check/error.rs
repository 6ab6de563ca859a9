//! Why a check of a constitution file cannot be used, and which of its fields is to blame.

/// A check that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The check tests nothing.
    #[error("a check needs one of `pattern`, `words`, `length` and `json`")]
    NoKind,
    /// The check tests two things at once.
    #[error("a check has one kind, this one has `{first}` and `{second}`; make it two checks")]
    SeveralKinds {
        /// The kind that is named first.
        first: &'static str,
        /// The kind that is one too many.
        second: &'static str,
    },
    /// The pattern has neither a name nor a regular expression.
    #[error("a pattern needs a `name` or a `regex`")]
    NoPattern,
    /// The pattern has both a name and a regular expression.
    #[error("a pattern has a `name` or a `regex`, not both")]
    TwoPatterns,
    /// No detector has this name.
    #[error("no detector is named `{name}`{}", hint(*nearest))]
    UnknownDetector {
        /// The name as it was given.
        name: String,
        /// The known name that is most like it.
        nearest: Option<&'static str>,
    },
    /// The regular expression is not one.
    #[error("the regular expression cannot be read")]
    BadRegex {
        /// What is wrong with it.
        #[source]
        source: regex::Error,
    },
    /// The regular expression needs too much memory.
    #[error("the regular expression needs more than {limit} bytes when compiled")]
    RegexTooLarge {
        /// The most that is allowed, in bytes.
        limit: usize,
    },
    /// The regular expression matches where there is nothing.
    #[error("the regular expression matches the empty string, so it would match every text")]
    EmptyMatch,
    /// `words` names no word.
    #[error("`words` needs `any_of` or `all_of` with at least one word")]
    NoWords,
    /// `words` has both lists.
    #[error("`words` has `any_of` or `all_of`, not both; make it two checks")]
    TwoWordLists,
    /// `all_of` stands without `must: present`.
    #[error("`all_of` goes only with `must: present`; `any_of` bans words")]
    AllOfAbsent,
    /// A word has no visible character.
    #[error("a word in `{list}` is blank")]
    BlankWord {
        /// The list it stands in.
        list: &'static str,
    },
    /// `length` bounds nothing.
    #[error("`length` needs at least one of `min_words`, `max_words`, `min_chars`, `max_chars`")]
    NoBound,
    /// No length can satisfy both bounds.
    #[error("no text has at least {min} and at most {max} {unit}")]
    MinAboveMax {
        /// What is counted: `words` or `characters`.
        unit: &'static str,
        /// The lower bound.
        min: usize,
        /// The upper bound, which is lower still.
        max: usize,
    },
    /// This kind of check finds nothing that could be replaced.
    #[error("`rewrite` goes with `pattern` and `words`, not with `{kind}`")]
    RewriteUnsupported {
        /// The kind of the check.
        kind: &'static str,
    },
    /// What must be there is not to be replaced.
    #[error("`rewrite` goes only with `must: absent`")]
    RewriteRequired,
    /// The rewritten text would fail the same check.
    #[error("the rewrite text would fail its own check: it contains {what}")]
    RewriteTrips {
        /// What the check finds in it.
        what: String,
    },
    /// The JSON schema is not one, or points outside itself.
    #[error("the JSON schema does not compile")]
    BadSchema {
        /// What is wrong with it.
        #[source]
        source: Box<jsonschema::ValidationError<'static>>,
    },
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

impl CheckError {
    /// The field to blame, as a path within the check; empty for the check as a whole.
    #[must_use]
    pub fn field(&self) -> &'static [&'static str] {
        match self {
            Self::NoKind => &[],
            Self::SeveralKinds { second, .. } => kind_field(second),
            Self::NoPattern | Self::TwoPatterns => &["pattern"],
            Self::UnknownDetector { .. } => &["pattern", "name"],
            Self::BadRegex { .. } | Self::RegexTooLarge { .. } | Self::EmptyMatch => {
                &["pattern", "regex"]
            }
            Self::NoWords | Self::TwoWordLists => &["words"],
            Self::AllOfAbsent | Self::BlankWord { list: "all_of" } => &["words", "all_of"],
            Self::BlankWord { .. } => &["words", "any_of"],
            Self::NoBound => &["length"],
            Self::MinAboveMax { unit: "words", .. } => &["length", "min_words"],
            Self::MinAboveMax { .. } => &["length", "min_chars"],
            Self::RewriteUnsupported { .. } | Self::RewriteRequired | Self::RewriteTrips { .. } => {
                &["rewrite"]
            }
            Self::BadSchema { .. } => &["json", "schema"],
        }
    }
}

fn kind_field(kind: &str) -> &'static [&'static str] {
    match kind {
        "words" => &["words"],
        "length" => &["length"],
        "json" => &["json"],
        _ => &["pattern"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_read_as_fragments_and_name_their_field() {
        let unknown = CheckError::UnknownDetector {
            name: "emial".into(),
            nearest: Some("email"),
        };
        assert_eq!(
            unknown.to_string(),
            "no detector is named `emial`; did you mean `email`?"
        );
        assert_eq!(unknown.field(), ["pattern", "name"]);
        let several = CheckError::SeveralKinds {
            first: "pattern",
            second: "json",
        };
        assert_eq!(several.field(), ["json"]);
        assert_eq!(
            CheckError::BlankWord { list: "any_of" }.field(),
            ["words", "any_of"]
        );
    }
}
