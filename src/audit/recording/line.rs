//! The lines of a file of calls.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use std::time::Duration;

use crate::digest::Digest;
use crate::model::journal::JournalledCall;

/// The version of the format.
pub const FORMAT: &str = "redraft-calls/1";

/// The first line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The version of this format, [`FORMAT`].
    pub format: String,
    /// The run's name.
    pub run: String,
    /// The journal scope of a run that began with `--fresh`.
    pub scope: Option<String>,
    /// All that decided the run's results.
    pub decided_by: Value,
    /// The version of redraft that wrote the file.
    pub redraft: String,
}

/// Every other line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Line {
    /// Something found out about a model.
    Note {
        /// The model's name.
        model: String,
        /// What it is about.
        name: String,
        /// What was found out.
        value: String,
    },
    /// A call.
    Call(CallLine),
    /// The last line.
    End {
        /// How many calls stand before it.
        calls: u64,
    },
}

/// A call in its line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallLine {
    key: Digest,
    model: String,
    latency_us: u64,
    head: usize,
    request: Box<RawValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reply: Option<String>,
    /// A reply that is no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reply_base64: Option<String>,
}

impl CallLine {
    /// The line of a call.
    ///
    /// # Errors
    ///
    /// When its request is no JSON.
    pub(super) fn of(call: &JournalledCall) -> serde_json::Result<Self> {
        let reply = std::str::from_utf8(&call.reply).ok().map(str::to_owned);
        Ok(Self {
            key: call.key,
            model: call.model.clone(),
            latency_us: u64::try_from(call.latency.as_micros()).unwrap_or(u64::MAX),
            head: call.head,
            request: serde_json::from_slice(&call.request)?,
            reply_base64: reply.is_none().then(|| STANDARD.encode(&call.reply)),
            reply,
        })
    }

    /// The call; absent where the line does not fit together.
    pub(super) fn into_call(self) -> Option<JournalledCall> {
        let request = self.request.get().as_bytes();
        if Digest::of(request) != self.key || self.head > request.len() {
            return None;
        }
        let reply = match (self.reply, self.reply_base64) {
            (Some(reply), None) => reply.into_bytes(),
            (None, Some(encoded)) => STANDARD.decode(encoded).ok()?,
            _ => return None,
        };
        Some(JournalledCall {
            key: self.key,
            model: self.model,
            request: request.to_vec().into(),
            head: self.head,
            reply: reply.into(),
            latency: Duration::from_micros(self.latency_us),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_comes_back_byte_for_byte() {
        let request = br#"{"model":"m","messages":[ {"role":"user"} ]}"#;
        for reply in [&b"{ \"text\": \"\xc3\xa9\\n\" }"[..], b"\xff\0", b""] {
            let call = JournalledCall {
                key: Digest::of(request),
                model: "m".to_owned(),
                request: request.to_vec().into(),
                head: 11,
                reply: reply.to_vec().into(),
                latency: Duration::from_micros(7),
            };
            let line = Line::Call(CallLine::of(&call).unwrap());
            let text = serde_json::to_string(&line).unwrap();
            let Line::Call(line) = serde_json::from_str(&text).unwrap() else {
                panic!("{text}");
            };
            assert_eq!(line.into_call(), Some(call.clone()));
            let changed = text.replacen("user", "tool", 1);
            let Line::Call(line) = serde_json::from_str(&changed).unwrap() else {
                panic!("{changed}");
            };
            assert_eq!(line.into_call(), None, "the key is that of another request");
        }
    }
}
