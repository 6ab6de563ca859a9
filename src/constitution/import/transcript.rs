//! Texts with marks such as `Human:` before each part, as Anthropic's prompt files hold them.

use super::haul::spoken;

/// What a part of a transcript is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Human,
    Assistant,
    CritiqueRequest,
    Critique,
    RevisionRequest,
    Revision,
}

const MARKS: [(&str, Mark); 6] = [
    ("Human:", Mark::Human),
    ("Assistant:", Mark::Assistant),
    ("CritiqueRequest:", Mark::CritiqueRequest),
    ("Critique:", Mark::Critique),
    ("RevisionRequest:", Mark::RevisionRequest),
    ("Revision:", Mark::Revision),
];

/// Whether a text holds a turn of a person that begins a paragraph.
pub(super) fn has_turns(text: &str) -> bool {
    parts(text).iter().any(|(mark, _)| *mark == Mark::Human)
}

/// The parts of a transcript, each with its mark; empty ones are left out. A mark counts only where
/// it begins a paragraph, or the text.
pub(super) fn parts(text: &str) -> Vec<(Mark, String)> {
    let mut starts: Vec<(usize, usize, Mark)> = Vec::new();
    for (label, mark) in MARKS {
        let begins = |place: usize| {
            let before = &text[..place];
            before.trim().is_empty() || before.ends_with("\n\n")
        };
        let places = text.match_indices(label).map(|(place, _)| place);
        starts.extend(
            places
                .filter(|place| begins(*place))
                .map(|place| (place, place + label.len(), mark)),
        );
    }
    starts.sort_unstable_by_key(|(place, ..)| *place);
    let ends = starts.iter().skip(1).map(|(place, ..)| *place);
    let ends: Vec<usize> = ends.chain([text.len()]).collect();
    starts
        .iter()
        .zip(ends)
        .filter_map(|((_, start, mark), end)| Some((*mark, spoken(&text[*start..end])?)))
        .collect()
}

/// A request without the mark before it and the one that waits for its reply: only the framing
/// goes, every word stays.
pub(super) fn without_framing(text: &str, before: &str, after: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_prefix(before).unwrap_or(text).trim();
    spoken(text.strip_suffix(after).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_counts_only_at_the_beginning_of_a_paragraph() {
        let text = "\n\nHuman: Is \"Assistant: hi\" a greeting?\nAssistant: no mark\n\nAssistant: It is.\n\nHuman:";
        assert_eq!(
            parts(text),
            [
                (
                    Mark::Human,
                    "Is \"Assistant: hi\" a greeting?\nAssistant: no mark".to_owned()
                ),
                (Mark::Assistant, "It is.".to_owned())
            ]
        );
    }

    #[test]
    fn only_the_framing_goes() {
        let framed = "\n\nCritiqueRequest: Say what the precedings reply gets wrong.\n\nCritique:";
        assert_eq!(
            without_framing(framed, "CritiqueRequest:", "Critique:").as_deref(),
            Some("Say what the precedings reply gets wrong.")
        );
        assert_eq!(
            without_framing("Critique:", "CritiqueRequest:", "Critique:"),
            None
        );
    }
}
