//! SALMON's principles: objects of `dimension` and `definition`, some with a `weight`.

use super::fields::Fields;
use super::haul::{Entry, Haul, Misfit};
use super::source::Source;

pub(super) fn fits(source: &Source) -> bool {
    source.is_list_with(&["definition"]) && source.is_list_with(&["dimension"])
}

pub(super) fn read(source: &Source) -> Result<Haul, Misfit> {
    let mut haul = Haul::default();
    for (place, item) in source.list()?.iter().enumerate() {
        let place = format!("entry {}", place + 1);
        let Some(mut fields) = Fields::of(item, &place, &mut haul) else {
            continue;
        };
        let dimension = fields.text("dimension", &mut haul);
        let entry = Entry {
            name: dimension.clone(),
            title: dimension,
            text: fields.text("definition", &mut haul),
            weight: fields.weight("weight", &mut haul),
            ..Entry::default()
        };
        let why = "a principle says what an answer should be, and not its opposite";
        fields.without_place("negative_definition", why, &mut haul);
        fields.tell_rest(&mut haul);
        haul.entries.push(Entry { place, ..entry });
    }
    Ok(haul)
}
