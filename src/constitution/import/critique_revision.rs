//! Anthropic's requests for critiques and revisions: an object whose keys are names, each with the
//! critique request in `prompt` and the revision request in `edit_request`.

use serde_json::{Map, Value};

use super::fields::Fields;
use super::haul::{Entry, Haul, Misfit};
use super::source::Source;
use super::transcript::without_framing;

pub(super) fn fits(source: &Source) -> bool {
    let is_entry = |item: &Value| item.get("edit_request").is_some();
    object(source).is_some_and(|object| object.values().any(is_entry))
}

fn object(source: &Source) -> Option<&Map<String, Value>> {
    source.value()?.as_object()
}

pub(super) fn read(source: &Source) -> Result<Haul, Misfit> {
    let object = object(source).ok_or_else(|| Misfit::new("it is no JSON object"))?;
    let mut haul = Haul::default();
    for (name, item) in object {
        let Some(mut fields) = Fields::of(item, name, &mut haul) else {
            continue;
        };
        let prompt = fields.text("prompt", &mut haul);
        let edit_request = fields.text("edit_request", &mut haul);
        fields.tell_rest(&mut haul);
        haul.entries.push(Entry {
            place: name.clone(),
            name: Some(name.clone()),
            critique: prompt
                .and_then(|text| without_framing(&text, "CritiqueRequest:", "Critique:")),
            revision: edit_request
                .and_then(|text| without_framing(&text, "RevisionRequest:", "Revision:")),
            ..Entry::default()
        });
    }
    Ok(haul)
}
