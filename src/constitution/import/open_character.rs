//! `OpenCharacter`'s traits: objects of `trait` and the questions that bring it out.

use super::fields::Fields;
use super::haul::{Entry, Haul, Misfit};
use super::source::Source;

pub(super) fn fits(source: &Source) -> bool {
    source.is_list_with(&["trait"])
}

pub(super) fn read(source: &Source) -> Result<Haul, Misfit> {
    let mut haul = Haul::default();
    for (place, item) in source.list()?.iter().enumerate() {
        let place = format!("entry {}", place + 1);
        let Some(mut fields) = Fields::of(item, &place, &mut haul) else {
            continue;
        };
        let text = fields.text("trait", &mut haul);
        let why = "questions without answers are no examples";
        fields.without_place("questions", why, &mut haul);
        fields.without_place("additional_questions", why, &mut haul);
        fields.tell_rest(&mut haul);
        haul.entries.push(Entry {
            place,
            text,
            ..Entry::default()
        });
    }
    Ok(haul)
}
