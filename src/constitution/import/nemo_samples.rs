//! `NeMo`'s few-shot chats: lists of messages under `samples`, each with its critique and revision.

use serde_json::Value;

use super::chat::{put_by_requests, take_apart, turns};
use super::fields::Fields;
use super::haul::{Haul, Misfit};
use super::source::Source;

pub(super) fn fits(source: &Source) -> bool {
    source
        .value()
        .is_some_and(|value| value["samples"].is_array())
}

pub(super) fn read(source: &Source) -> Result<Haul, Misfit> {
    let mut haul = Haul::default();
    let whole = source.value().unwrap_or(&Value::Null);
    let Some(mut file) = Fields::of(whole, "the file", &mut haul) else {
        return Err(Misfit::new("it is no JSON object"));
    };
    let Some(samples) = file.value("samples").and_then(Value::as_array) else {
        return Err(Misfit::new("it has no list `samples`"));
    };
    file.tell_rest(&mut haul);
    for (place, chat) in samples.iter().enumerate() {
        let place = format!("samples, entry {}", place + 1);
        match turns(chat).and_then(|turns| take_apart(&turns)) {
            Ok(shown) => put_by_requests(shown, &place, &mut haul),
            Err(why) => haul.leave_out("`samples`", why, &place),
        }
    }
    Ok(haul)
}
