//! The text of a principle that has none: its own request, quoted in a sentence that makes it one
//! about answers.

use super::haul::Entry;

/// Where a principle's text comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TextOrigin {
    /// The source has it.
    Given,
    /// Its revision request, quoted.
    Revision,
    /// Its critique request, quoted.
    Critique,
    /// Its question for comparing two answers, quoted.
    Preference,
    /// The source has only examples, and nobody said what they show.
    Examples,
}

/// What a principle says whose source has nothing but examples.
const AS_IN_THE_EXAMPLES: &str = "The answer is like those that the examples show to comply, and unlike those that \
     they show to violate.";

/// The text of an entry, and where it comes from; none when the entry says nothing.
pub(super) fn text_of(entry: &Entry, default: Option<&str>) -> Option<(String, TextOrigin)> {
    let origins = [
        (&entry.text, TextOrigin::Given),
        (&entry.revision, TextOrigin::Revision),
        (&entry.critique, TextOrigin::Critique),
        (&entry.preference, TextOrigin::Preference),
    ];
    let first = origins
        .into_iter()
        .find_map(|(part, origin)| Some((part.as_deref()?, origin)));
    if let Some((said, origin)) = first {
        return Some((quoted(said, origin), origin));
    }
    match (entry.examples.is_empty(), default) {
        (true, _) => None,
        (false, Some(text)) => Some((text.to_owned(), TextOrigin::Given)),
        (false, None) => Some((AS_IN_THE_EXAMPLES.to_owned(), TextOrigin::Examples)),
    }
}

/// What is said, in a sentence that an answer can keep or violate.
fn quoted(said: &str, origin: TextOrigin) -> String {
    match origin {
        TextOrigin::Given | TextOrigin::Examples => said.to_owned(),
        TextOrigin::Revision => {
            format!("The answer is already as this request would make it: “{said}”")
        }
        TextOrigin::Critique => {
            format!("In the answer, this request finds nothing to object to: “{said}”")
        }
        TextOrigin::Preference => {
            format!("The answer is one that this question would choose over others: “{said}”")
        }
    }
}
