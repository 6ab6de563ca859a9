//! Whether an answer looks like a refusal: a rule of thumb that says what it is.

/// The rule, in words that a page can show beside its counts.
pub const REFUSAL_RULE: &str = "An answer counts as a refusal when its first 240 characters hold one \
     of some English phrases, such as “I can't help with” or “I won't provide”, or when the server \
     marked the draft as one. It is a rule of thumb: it misses polite evasions and other languages, \
     and it takes a quoted refusal for one.";

/// How far into an answer the phrases are looked for, in characters.
const REACH: usize = 240;

/// Who declines, in each of the forms that stand before a verb.
const DECLINING: [&str; 12] = [
    "i can't ",
    "i cannot ",
    "i can not ",
    "i won't ",
    "i will not ",
    "i'm not able to ",
    "i am not able to ",
    "i'm unable to ",
    "i am unable to ",
    "we can't ",
    "we cannot ",
    "we won't ",
];
/// What is declined.
const DECLINED: [&str; 14] = [
    "help with",
    "help you with",
    "help you do",
    "assist",
    "provide",
    "comply",
    "answer that",
    "answer this",
    "do that",
    "discuss",
    "support that",
    "fulfil",
    "create that",
    "write that",
];
/// What declines by itself.
const WHOLE: [&str; 5] = [
    "i must decline",
    "i have to decline",
    "i'd rather not",
    "i'm not comfortable",
    "i decline to",
];

/// Whether a text looks like a refusal; [`REFUSAL_RULE`] says how that is told.
#[must_use]
pub fn looks_like_refusal(text: &str) -> bool {
    let begin: String = text
        .chars()
        .take(REACH)
        .map(|c| if c == '’' { '\'' } else { c })
        .flat_map(char::to_lowercase)
        .collect();
    let words: Vec<&str> = begin.split_whitespace().collect();
    let begin = words.join(" ");
    WHOLE.iter().any(|phrase| begin.contains(phrase))
        || DECLINING.iter().any(|declining| {
            begin
                .match_indices(declining)
                .any(|(at, found)| declines(&begin[at + found.len()..]))
        })
}

fn declines(rest: &str) -> bool {
    DECLINED.iter().any(|verb| rest.starts_with(verb))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_from_answers() {
        for refusal in [
            "I can’t help with that.",
            "Sorry, but I cannot provide instructions for this.",
            "I'm not able\nto assist with weapons.",
            "I must decline.",
        ] {
            assert!(looks_like_refusal(refusal), "{refusal}");
        }
        for answer in [
            "",
            "We cannot see your parcel from here; the tracking page can.",
            "I can help with that.",
            "You cannot provide a card number here.",
        ] {
            assert!(!looks_like_refusal(answer), "{answer}");
        }
        let late = format!("{} I cannot help with that.", "word ".repeat(60));
        assert!(!looks_like_refusal(&late));
    }
}
