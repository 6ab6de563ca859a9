//! What a server says when it fails, in whatever form it says it.

use serde_json::Value;
use serde_json::value::RawValue;

use super::excerpt::excerpt;
use super::secrets::Secrets;
use crate::model::ModelError;

/// The message of a failure, and the code or type that came with it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct ErrorBody {
    message: String,
    code: String,
}

/// Codes and types that mean the conversation is too long.
const TOO_LONG_CODES: [&str; 3] = [
    "context_length_exceeded",
    "exceed_context_size_error",
    "string_above_max_length",
];

/// Words, in lower case, by which servers without such codes say the same: vLLM, `SGLang`,
/// llama.cpp, Ollama, TGI, Mistral and Gemini.
const TOO_LONG_WORDS: [&str; 13] = [
    "maximum context length",
    "maximum model length",
    "max_model_len",
    "model's context length",
    "exceeds the context length",
    "exceed the context length",
    "available context size",
    "exceed context window",
    "exceeds the context window",
    "prompt is too long",
    "reduce the length of the messages",
    "`inputs` tokens + `max_new_tokens` must be",
    "exceeds the maximum number of tokens allowed",
];

impl ErrorBody {
    /// Reads a body of any kind: OpenAI's, vLLM's, `FastAPI`'s, plain text, HTML, nothing.
    pub(super) fn read(body: &[u8]) -> Self {
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => Self::of_json(&value),
            Err(_) => Self {
                message: text_message(&String::from_utf8_lossy(body)),
                code: String::new(),
            },
        }
    }

    /// Reads the `error` field of a reply; nothing when it holds no error.
    pub(super) fn of_error_field(raw: &RawValue) -> Option<Self> {
        let value: Value = serde_json::from_str(raw.get()).ok()?;
        let is_empty = match &value {
            Value::Null | Value::Bool(false) => true,
            Value::String(text) => text.is_empty(),
            Value::Object(fields) => fields.is_empty(),
            _ => false,
        };
        (!is_empty).then(|| Self::of_json(&value))
    }

    fn of_json(value: &Value) -> Self {
        let error = value.get("error").filter(|error| !error.is_null());
        let error = error.unwrap_or(value);
        let message = ["message", "detail", "error_description", "msg", "errors"]
            .iter()
            .find_map(|name| message_of(error.get(name)?))
            .or_else(|| message_of(error))
            .unwrap_or_else(|| error.to_string());
        let code = ["code", "type"]
            .iter()
            .filter_map(|name| error.get(name)?.as_str())
            .find(|code| !code.is_empty());
        Self {
            message,
            code: code.unwrap_or_default().to_owned(),
        }
    }

    /// The same, without secrets, and fit for a terminal.
    pub(super) fn hiding(self, secrets: &Secrets) -> Self {
        Self {
            message: excerpt(&secrets.hide(&self.message)),
            code: self.code,
        }
    }

    /// The message, or `otherwise` where the server said nothing.
    pub(super) fn message_or(self, otherwise: &str) -> String {
        if self.message.is_empty() {
            otherwise.to_owned()
        } else {
            self.message
        }
    }

    /// Whether it says that the conversation does not fit the model.
    pub(super) fn tells_of_full_context(&self) -> bool {
        let message = self.message.to_lowercase();
        TOO_LONG_CODES.contains(&self.code.as_str())
            || TOO_LONG_WORDS.iter().any(|words| message.contains(words))
    }

    /// The error of a reply that came with a success status.
    pub(super) fn into_garbled(self) -> ModelError {
        if self.tells_of_full_context() {
            return ModelError::ContextLength {
                message: self.message,
            };
        }
        ModelError::Garbled {
            what: format!("an error: {}", self.message_or("without a message")),
        }
    }
}

/// The message that a JSON value holds: a text, or a list of what is wrong where.
fn message_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(item_message).collect();
            (!items.is_empty()).then(|| items.join("; "))
        }
        Value::Object(fields) => message_of(fields.get("message")?),
        _ => None,
    }
}

/// One entry of `FastAPI`'s `detail`: `{"loc": ["body", "messages"], "msg": "field required"}`.
fn item_message(item: &Value) -> String {
    let message = ["msg", "message"]
        .iter()
        .find_map(|name| item.get(name)?.as_str());
    let place: Vec<String> = (item
        .get("loc")
        .and_then(Value::as_array)
        .into_iter()
        .flatten())
    .map(|step| {
        step.as_str()
            .map_or_else(|| step.to_string(), ToOwned::to_owned)
    })
    .collect();
    match (message, item.as_str()) {
        (Some(message), _) if place.is_empty() => message.to_owned(),
        (Some(message), _) => format!("{}: {message}", place.join(".")),
        (None, Some(text)) => text.to_owned(),
        (None, None) => item.to_string(),
    }
}

/// What a body that is not JSON says.
pub(super) fn text_message(text: &str) -> String {
    if !is_html(text) {
        return text.trim().to_owned();
    }
    match title(text) {
        Some(title) => format!("an HTML page titled “{title}”"),
        None => "an HTML page".to_owned(),
    }
}

fn is_html(text: &str) -> bool {
    let start: String = text.trim_start().chars().take(15).collect();
    let start = start.to_ascii_lowercase();
    ["<!doctype html", "<html", "<head", "<body"]
        .iter()
        .any(|tag| start.starts_with(tag))
}

fn title(html: &str) -> Option<&str> {
    // Lower case in ASCII alone keeps every offset.
    let lower = html.to_ascii_lowercase();
    let start = lower.find("<title>")? + "<title>".len();
    let length = lower[start..].find("</title>")?;
    let title = html[start..start + length].trim();
    (!title.is_empty()).then_some(title)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(body: &str) -> String {
        ErrorBody::read(body.as_bytes()).message
    }

    #[test]
    fn every_servers_way_of_failing_gives_its_message() {
        for (body, says) in [
            (
                r#"{"error":{"message":"Bad key","type":"auth","param":null,"code":"invalid_api_key"}}"#,
                "Bad key",
            ),
            (
                r#"{"error":{"message":"Bad field","type":"BadRequestError","param":null,"code":400}}"#,
                "Bad field",
            ),
            (
                r#"{"object":"error","message":"Old vLLM","type":"BadRequestError","code":400}"#,
                "Old vLLM",
            ),
            (r#"{"error":"model 'x' not found"}"#, "model 'x' not found"),
            (r#"{"detail":"Not Found"}"#, "Not Found"),
            (
                r#"{"detail":[{"loc":["body","messages",0],"msg":"field required","type":"missing"}]}"#,
                "body.messages.0: field required",
            ),
            (r#"{"message":"plain"}"#, "plain"),
            (r#"{"error":{"code":7}}"#, r#"{"code":7}"#),
            ("upstream connect error\n", "upstream connect error"),
            (
                "<!DOCTYPE html><html><head><TITLE> 502 Bad Gateway </TITLE></head></html>",
                "an HTML page titled “502 Bad Gateway”",
            ),
            ("<html><body>x</body></html>", "an HTML page"),
            ("", ""),
        ] {
            assert_eq!(message(body), says, "{body}");
        }
    }

    #[test]
    fn a_full_context_is_recognised_in_every_dialect() {
        for body in [
            r#"{"error":{"message":"x","code":"context_length_exceeded"}}"#,
            r#"{"object":"error","message":"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens","code":400}"#,
            r#"{"error":{"message":"The decoder prompt (length 5000) is longer than the maximum model length of 4096.","code":400}}"#,
            r#"{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}}"#,
            r#"{"error":"the input length exceeds the context length"}"#,
            r#"{"error":{"message":"Requested tokens (5000) exceed context window of 512"}}"#,
            r#"{"error":{"message":"The input (5000 tokens) is longer than the model's context length (4096 tokens)."}}"#,
        ] {
            assert!(
                ErrorBody::read(body.as_bytes()).tells_of_full_context(),
                "{body}"
            );
        }
        for body in [
            r#"{"error":{"message":"unknown field `context`","code":"invalid_request_error"}}"#,
            r#"{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}"#,
            "",
        ] {
            assert!(
                !ErrorBody::read(body.as_bytes()).tells_of_full_context(),
                "{body}"
            );
        }
    }
}
