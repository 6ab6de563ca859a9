//! What a client makes of a reply: a whole answer, a clear error, a broken connection, or none of these.

use std::fs::File;
use std::io::Write as _;
use std::sync::Mutex;

use serde_json::{Value, json};

use super::connection::Reply;

/// Writes down what a client got.
pub(super) fn keep(file: &Mutex<File>, number: u64, reply: &Reply) {
    let (kind, text) = if reply.is_stream {
        streamed(reply)
    } else {
        whole(reply)
    };
    let line = json!({
        "number": number, "kind": kind, "text": text,
        "status": reply.status, "transcript": reply.transcript,
    });
    writeln!(file.lock().unwrap(), "{line}").unwrap();
}

fn whole(reply: &Reply) -> (&'static str, String) {
    let body: Option<Value> = serde_json::from_slice(&reply.body).ok();
    let body = body.unwrap_or_default();
    if !reply.is_whole {
        return ("broken", String::new());
    }
    if reply.status >= 400 && body["error"]["message"].is_string() {
        return ("error", String::new());
    }
    let message = &body["choices"][0]["message"];
    let text = message["content"].as_str().or(message["refusal"].as_str());
    match text.filter(|_| reply.status == 200) {
        Some(text) => ("answer", text.to_owned()),
        None => ("unclear", String::new()),
    }
}

fn streamed(reply: &Reply) -> (&'static str, String) {
    let body = String::from_utf8_lossy(&reply.body);
    let (mut text, mut is_done, mut is_error, mut is_odd) = (String::new(), false, false, false);
    for data in body.lines().filter_map(|line| line.strip_prefix("data: ")) {
        if data == "[DONE]" {
            is_done = true;
            continue;
        }
        let Ok(event) = serde_json::from_str::<Value>(data) else {
            is_odd = true;
            continue;
        };
        is_error |= event["error"]["message"].is_string();
        for field in ["content", "refusal"] {
            text.push_str(
                event["choices"][0]["delta"][field]
                    .as_str()
                    .unwrap_or_default(),
            );
        }
    }
    let kind = match (reply.is_whole, is_done, is_error, is_odd) {
        (true, true, false, false) => "answer",
        (_, false, true, _) => "error",
        (false, ..) => "broken",
        // The model's server itself sent an event that is no JSON: its clients fail over that one.
        (true, true, false, true) => "odd event",
        _ => "unclear",
    };
    (kind, text)
}
