//! LangChain's principles: objects of `name`, `critique_request` and `revision_request`, in a list
//! or under their names.

use serde_json::Value;

use super::fields::Fields;
use super::haul::{Entry, Haul, Misfit};
use super::source::Source;

const KEYS: [&str; 2] = ["critique_request", "revision_request"];

pub(super) fn fits(source: &Source) -> bool {
    let has_key = |item: &Value| KEYS.iter().any(|key| item.get(key).is_some());
    source.is_list_with(&KEYS) || named(source).any(|(_, item)| has_key(item))
}

/// The principles of an object that has them under their names.
fn named(source: &Source) -> impl Iterator<Item = (Option<&String>, &Value)> {
    let object = source.value().and_then(Value::as_object);
    object
        .into_iter()
        .flatten()
        .map(|(name, item)| (Some(name), item))
}

pub(super) fn read(source: &Source) -> Result<Haul, Misfit> {
    let is_list = source.is_list_with(&KEYS);
    let items: Vec<(Option<&String>, &Value)> = if is_list {
        source.items().iter().map(|item| (None, item)).collect()
    } else {
        named(source).collect()
    };
    if items.is_empty() {
        return Err(Misfit::new("it holds no list and no object of principles"));
    }
    let mut haul = Haul::default();
    for (number, (key, item)) in items.into_iter().enumerate() {
        let place = key.map_or_else(|| format!("entry {}", number + 1), Clone::clone);
        let Some(mut fields) = Fields::of(item, &place, &mut haul) else {
            continue;
        };
        let entry = Entry {
            name: fields.text("name", &mut haul).or_else(|| key.cloned()),
            critique: fields.text("critique_request", &mut haul),
            revision: fields.text("revision_request", &mut haul),
            ..Entry::default()
        };
        fields.tell_rest(&mut haul);
        haul.entries.push(Entry { place, ..entry });
    }
    Ok(haul)
}
