//! A chat completion as the chunks of a stream: the role first, then every text, then why it ended.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::frames::{Common, Frames, pieces};

/// The whole stream.
pub(super) fn frames(answer: &Value, include_usage: bool) -> Bytes {
    let common = |usage| Common::new(answer, "chat.completion.chunk", usage);
    let mut writer = Writer {
        frames: Frames::default(),
        common: common(include_usage.then_some(&Value::Null)),
    };
    let choices = answer["choices"].as_array().map_or(&[][..], Vec::as_slice);
    for (place, choice) in choices.iter().enumerate() {
        let note = answer.get("redraft").filter(|_| place + 1 == choices.len());
        writer.choice(place, choice, note);
    }
    if let Some(usage) = answer
        .get("usage")
        .filter(|usage| include_usage && !usage.is_null())
    {
        writer.common = common(Some(usage));
        writer.chunk(&json!([]), None);
    }
    writer.frames.done()
}

struct Writer {
    frames: Frames,
    common: Common,
}

impl Writer {
    fn chunk(&mut self, choices: &Value, note: Option<&Value>) {
        self.frames.chunk(&self.common, choices, note);
    }

    fn delta(&mut self, index: &Value, delta: &Value, logprobs: Option<&Value>) {
        let logprobs = logprobs.cloned().unwrap_or_default();
        self.chunk(
            &json!([{ "index": index, "delta": delta, "logprobs": logprobs, "finish_reason": null }]),
            None,
        );
    }

    fn choice(&mut self, place: usize, choice: &Value, note: Option<&Value>) {
        let index = choice
            .get("index")
            .cloned()
            .unwrap_or_else(|| Value::from(place));
        let message = &choice["message"];
        let begin = if message["content"].is_null() {
            Value::Null
        } else {
            json!("")
        };
        self.delta(
            &index,
            &json!({ "role": "assistant", "content": begin }),
            None,
        );
        for field in ["reasoning_content", "reasoning"] {
            self.text(&index, field, &message[field]);
        }
        match choice.get("logprobs").filter(|chances| !chances.is_null()) {
            // The chances are those of all tokens: they go with all of the text.
            Some(chances) => {
                let content = message["content"].as_str().unwrap_or_default();
                self.delta(&index, &json!({ "content": content }), Some(chances));
            }
            None => self.text(&index, "content", &message["content"]),
        }
        for piece in message["content"].as_array().into_iter().flatten() {
            self.text(&index, "content", &piece["text"]);
            self.text(&index, "refusal", &piece["refusal"]);
        }
        self.text(&index, "refusal", &message["refusal"]);
        for (number, call) in message["tool_calls"]
            .as_array()
            .into_iter()
            .flatten()
            .enumerate()
        {
            self.call(&index, number, call);
        }
        if message["function_call"].is_object() {
            let call = &message["function_call"];
            self.delta(
                &index,
                &json!({ "function_call": { "name": call["name"], "arguments": "" } }),
                None,
            );
            for piece in pieces(call["arguments"].as_str().unwrap_or_default()) {
                self.delta(
                    &index,
                    &json!({ "function_call": { "arguments": piece } }),
                    None,
                );
            }
        }
        let end = json!({
            "index": index, "delta": {}, "logprobs": null, "finish_reason": choice["finish_reason"],
        });
        self.chunk(&json!([end]), note);
    }

    fn text(&mut self, index: &Value, field: &str, text: &Value) {
        for piece in pieces(text.as_str().unwrap_or_default()) {
            let mut delta = Map::new();
            delta.insert(field.to_owned(), Value::from(piece));
            self.delta(index, &Value::Object(delta), None);
        }
    }

    /// A tool call: its head with empty arguments, then these in pieces.
    fn call(&mut self, index: &Value, number: usize, call: &Value) {
        let (holder, field) = if call["custom"].is_object() {
            ("custom", "input")
        } else {
            ("function", "arguments")
        };
        let mut head = call.clone();
        head["index"] = Value::from(number);
        head[holder][field] = Value::from("");
        self.delta(index, &json!({ "tool_calls": [head] }), None);
        for piece in pieces(call[holder][field].as_str().unwrap_or_default()) {
            let mut part = json!({ "index": number });
            part[holder] = json!({});
            part[holder][field] = Value::from(piece);
            self.delta(index, &json!({ "tool_calls": [part] }), None);
        }
    }
}
