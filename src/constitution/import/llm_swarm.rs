//! llm-swarm's constitutions: pairs of requests under `constitutions`, few-shot chats under
//! `system_chat`.

use serde_json::Value;

use super::chat::{take_apart, tell_of_earlier, turns};
use super::content::same;
use super::fields::Fields;
use super::haul::{Entry, Haul, Misfit};
use super::source::Source;

pub(super) fn fits(source: &Source) -> bool {
    source
        .value()
        .is_some_and(|value| value["constitutions"].is_array())
}

pub(super) fn read(source: &Source) -> Result<Haul, Misfit> {
    let mut haul = Haul::default();
    let whole = source.value().unwrap_or(&Value::Null);
    let Some(mut file) = Fields::of(whole, "the file", &mut haul) else {
        return Err(Misfit::new("it is no JSON object"));
    };
    let Some(items) = file.value("constitutions").and_then(Value::as_array) else {
        return Err(Misfit::new("it has no list `constitutions`"));
    };
    let chats = file.value("system_chat");
    file.tell_rest(&mut haul);
    for (place, item) in items.iter().enumerate() {
        let place = format!("constitutions, entry {}", place + 1);
        let Some(mut fields) = Fields::of(item, &place, &mut haul) else {
            continue;
        };
        let entry = Entry {
            critique: fields.text("critic", &mut haul),
            revision: fields.text("revision", &mut haul),
            ..Entry::default()
        };
        fields.tell_rest(&mut haul);
        haul.entries.push(Entry { place, ..entry });
    }
    for (place, chat) in chats
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .enumerate()
    {
        put(
            chat,
            &format!("system_chat, entry {}", place + 1),
            &mut haul,
        );
    }
    Ok(haul)
}

/// Puts a chat with the principle whose critique request it shows.
fn put(chat: &Value, place: &str, haul: &mut Haul) {
    let shown = match turns(chat).and_then(|turns| take_apart(&turns)) {
        Ok(shown) => shown,
        Err(why) => return haul.leave_out("`system_chat`", why, place),
    };
    let asks_the_same = |entry: &Entry| {
        let critique = entry.critique.as_deref();
        critique.is_some_and(|critique| same(critique, &shown.critique_request))
    };
    if let Some(found) = haul.entries.iter().position(asks_the_same) {
        haul.entries[found].examples.push(shown.example);
        tell_of_earlier(shown.earlier, place, haul);
    } else {
        let why = "its critique request is that of no principle in the file";
        haul.leave_out("`system_chat`", why, place);
    }
}
