//! Anthropic's questions for comparing two answers: a list of texts that end in `Options:`.

use serde_json::Value;

use super::haul::{Entry, Haul, Misfit};
use super::source::Source;
use super::transcript::without_framing;

const AFTER: &str = "Options:";

pub(super) fn fits(source: &Source) -> bool {
    let is_question = |item: &Value| {
        item.as_str()
            .is_some_and(|text| text.trim_end().ends_with(AFTER))
    };
    source.items().iter().any(is_question) && source.items().iter().all(Value::is_string)
}

pub(super) fn read(source: &Source) -> Result<Haul, Misfit> {
    let mut haul = Haul::default();
    for (place, item) in source.list()?.iter().enumerate() {
        let place = format!("entry {}", place + 1);
        let Some(text) = item.as_str() else {
            haul.leave_out("entries", "no text", &place);
            continue;
        };
        haul.entries.push(Entry {
            place,
            preference: without_framing(text, "", AFTER),
            ..Entry::default()
        });
    }
    Ok(haul)
}
