//! Few-shot transcripts, each one text: turns, critique request, critique, revision request,
//! revision.

use serde_json::Value;

use super::chat::{ShownCritique, example, put_by_requests};
use super::haul::{Haul, Misfit};
use super::source::Source;
use super::transcript::{Mark, has_turns, parts};

pub(super) fn fits(source: &Source) -> bool {
    let is_transcript = |item: &Value| item.as_str().is_some_and(has_turns);
    !source.items().is_empty() && source.items().iter().all(is_transcript)
}

pub(super) fn read(source: &Source) -> Result<Haul, Misfit> {
    let mut haul = Haul::default();
    for (place, item) in source.list()?.iter().enumerate() {
        let place = format!("entry {}", place + 1);
        match item
            .as_str()
            .ok_or_else(|| "it is no text".to_owned())
            .and_then(take_apart)
        {
            Ok(shown) => put_by_requests(shown, &place, &mut haul),
            Err(why) => haul.leave_out("entries", why, &place),
        }
    }
    Ok(haul)
}

fn take_apart(text: &str) -> Result<ShownCritique, String> {
    let parts = parts(text);
    let marks: Vec<Mark> = parts.iter().map(|(mark, _)| *mark).collect();
    let critiqued = marks
        .windows(6)
        .position(|marks| {
            marks
                == [
                    Mark::Human,
                    Mark::Assistant,
                    Mark::CritiqueRequest,
                    Mark::Critique,
                    Mark::RevisionRequest,
                    Mark::Revision,
                ]
        })
        .ok_or("it has no answer with a critique and a revision")?;
    if critiqued + 6 < parts.len() {
        return Err("something follows its first revision".to_owned());
    }
    let text = |offset: usize| parts[critiqued + offset].1.as_str();
    Ok(ShownCritique {
        critique_request: text(2).to_owned(),
        revision_request: text(4).to_owned(),
        example: example(text(0), text(1), text(3), text(5)),
        earlier: critiqued,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constitution::ExampleVerdict;

    #[test]
    fn a_dangling_turn_is_no_part_of_it_and_earlier_ones_are_counted() {
        let text = "\n\nHuman: Hello.\n\nAssistant: Hello.\n\nHuman: Is it late?\n\nAssistant: Past \
                    ten.\n\nCritiqueRequest: Is it polite?\n\nCritique: Hardly.\n\nRevisionRequest: \
                    Make it polite.\n\nRevision: It is past ten, I am afraid.\n\nHuman:";
        let shown = take_apart(text).unwrap();
        assert_eq!(shown.earlier, 2);
        assert_eq!(shown.critique_request, "Is it polite?");
        assert_eq!(shown.example.prompt, "Is it late?");
        assert_eq!(shown.example.verdict, ExampleVerdict::Violates);
    }

    #[test]
    fn a_transcript_without_a_critique_is_none() {
        assert!(take_apart("\n\nHuman: Hello.\n\nAssistant: Hello.").is_err());
    }
}
