//! A response as the events of a stream: it is created, each text comes in pieces, it ends.

use bytes::Bytes;
use serde_json::{Value, json};

use super::frames::{Frames, pieces};

/// The whole stream.
pub(super) fn frames(answer: &Value) -> Bytes {
    let mut writer = Writer::default();
    let mut begun = answer.clone();
    begun["status"] = Value::from("in_progress");
    begun["output"] = json!([]);
    for (field, value) in [("incomplete_details", Value::Null), ("usage", Value::Null)] {
        if begun.get(field).is_some() {
            begun[field] = value;
        }
    }
    writer.event("response.created", &json!({ "response": begun }));
    writer.event("response.in_progress", &json!({ "response": begun }));
    for (number, item) in answer["output"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        writer.item(number, item);
    }
    let name = match answer["status"].as_str() {
        Some("incomplete") => "response.incomplete",
        _ => "response.completed",
    };
    writer.event(name, &json!({ "response": answer }));
    writer.frames.bytes()
}

#[derive(Default)]
struct Writer {
    frames: Frames,
    number: u64,
}

impl Writer {
    fn event(&mut self, kind: &str, fields: &Value) {
        let mut event = json!({ "type": kind, "sequence_number": self.number });
        self.number += 1;
        for (name, value) in fields.as_object().into_iter().flatten() {
            event[name] = value.clone();
        }
        self.frames.event(kind, &event);
    }

    fn item(&mut self, number: usize, item: &Value) {
        let mut begun = item.clone();
        begun["status"] = Value::from("in_progress");
        for field in ["content", "summary"] {
            if begun.get(field).is_some() {
                begun[field] = json!([]);
            }
        }
        let at = |item: &Value| json!({ "output_index": number, "item": item });
        self.event("response.output_item.added", &at(&begun));
        let id = &item["id"];
        let place =
            |index: usize| json!({ "item_id": id, "output_index": number, "content_index": index });
        if item["type"] == "message" {
            for (index, piece) in item["content"].as_array().into_iter().flatten().enumerate() {
                self.content(&place(index), piece);
            }
        }
        for (index, piece) in item["summary"].as_array().into_iter().flatten().enumerate() {
            let place = json!({ "item_id": id, "output_index": number, "summary_index": index });
            self.summary(&place, piece);
        }
        self.event("response.output_item.done", &at(item));
    }

    fn content(&mut self, place: &Value, piece: &Value) {
        let (name, field) = if piece["type"] == "refusal" {
            ("response.refusal", "refusal")
        } else {
            ("response.output_text", "text")
        };
        let mut begun = piece.clone();
        begun[field] = Value::from("");
        self.event("response.content_part.added", &with(place, "part", &begun));
        let text = piece[field].as_str().unwrap_or_default();
        for part in pieces(text) {
            let mut delta = with(place, "delta", &Value::from(part));
            if field == "text" {
                delta["logprobs"] = json!([]);
            }
            self.event(&format!("{name}.delta"), &delta);
        }
        let mut done = with(place, field, &Value::from(text));
        if field == "text" {
            done["logprobs"] = json!([]);
        }
        self.event(&format!("{name}.done"), &done);
        self.event("response.content_part.done", &with(place, "part", piece));
    }

    fn summary(&mut self, place: &Value, piece: &Value) {
        let mut begun = piece.clone();
        begun["text"] = Value::from("");
        self.event(
            "response.reasoning_summary_part.added",
            &with(place, "part", &begun),
        );
        let text = piece["text"].as_str().unwrap_or_default();
        for part in pieces(text) {
            let delta = with(place, "delta", &Value::from(part));
            self.event("response.reasoning_summary_text.delta", &delta);
        }
        let done = with(place, "text", &Value::from(text));
        self.event("response.reasoning_summary_text.done", &done);
        self.event(
            "response.reasoning_summary_part.done",
            &with(place, "part", piece),
        );
    }
}

fn with(place: &Value, name: &str, value: &Value) -> Value {
    let mut fields = place.clone();
    fields[name] = value.clone();
    fields
}
