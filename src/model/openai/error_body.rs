//! What a server says when it fails, in whatever form it says it.

use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;

use super::excerpt::excerpt;
use super::retry_hint::{wait_in_fields, wait_in_words};
use super::secrets::Secrets;
use crate::model::ModelError;

/// The message of a failure, and what else came with it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct ErrorBody {
    message: String,
    code: String,
    kind: String,
    wait: Option<Duration>,
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

/// Codes and types that mean there is no money or quota left: OpenAI, Moonshot, xAI, routers.
const NO_MONEY_CODES: [&str; 11] = [
    "insufficient_quota",
    "billing_hard_limit_reached",
    "billing_not_active",
    "billing_error",
    "insufficient_balance",
    "insufficient_credits",
    "insufficient_funds",
    "exceeded_current_quota_error",
    "credit_limit_reached",
    "credits_exhausted",
    "payment_required",
];

/// Words, in lower case, that mean the same. “Exceeded your current quota” is not among them:
/// Gemini says so of the limit for a minute, too.
const NO_MONEY_WORDS: [&str; 12] = [
    "credit balance is too low",
    "insufficient balance",
    "insufficient credit",
    "insufficient funds",
    "insufficient quota",
    "insufficient_quota",
    "not enough credits",
    "requires more credits",
    "used all available credits",
    "billing hard limit",
    "monthly spending limit",
    "account is not active, please check your billing",
];

impl ErrorBody {
    /// Reads a body of any kind: OpenAI's, vLLM's, `FastAPI`'s, plain text, HTML, nothing.
    pub(super) fn read(body: &[u8]) -> Self {
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => Self::of_json(&value),
            Err(_) => Self::of_text(&String::from_utf8_lossy(body)),
        }
    }

    fn of_text(text: &str) -> Self {
        let message = text_message(text);
        Self {
            wait: wait_in_words(&message),
            message,
            ..Self::default()
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

    fn of_json(body: &Value) -> Self {
        // Gemini wraps a failure in a list.
        let value = match body.as_array().map(Vec::as_slice) {
            Some([only]) if only.get("error").is_some() => only,
            _ => body,
        };
        let error = value.get("error").filter(|error| !error.is_null());
        let error = error.unwrap_or(value);
        let message = ["message", "detail", "error_description", "msg", "errors"]
            .iter()
            .find_map(|name| message_of(error.get(name)?))
            .or_else(|| message_of(error))
            .unwrap_or_else(|| error.to_string());
        let word = |name: &str| {
            let word = error.get(name).and_then(Value::as_str);
            word.unwrap_or_default().to_owned()
        };
        Self {
            wait: wait_in_fields(body).or_else(|| wait_in_words(&message)),
            message,
            code: word("code"),
            kind: word("type"),
        }
    }

    /// The same, without secrets, and fit for a terminal.
    pub(super) fn hiding(self, secrets: &Secrets) -> Self {
        Self {
            message: excerpt(&secrets.hide(&self.message)),
            ..self
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

    /// How long it asks to wait before the next attempt.
    pub(super) fn wait(&self) -> Option<Duration> {
        self.wait
    }

    /// Whether it says that the account has no money or quota left.
    pub(super) fn tells_of_no_money(&self) -> bool {
        let message = self.message.to_lowercase();
        self.is_called(&NO_MONEY_CODES)
            || NO_MONEY_WORDS.iter().any(|words| message.contains(words))
    }

    /// Whether it says that the conversation does not fit the model.
    pub(super) fn tells_of_full_context(&self) -> bool {
        let message = self.message.to_lowercase();
        self.is_called(&TOO_LONG_CODES)
            || TOO_LONG_WORDS.iter().any(|words| message.contains(words))
    }

    fn is_called(&self, codes: &[&str]) -> bool {
        codes.contains(&self.code.as_str()) || codes.contains(&self.kind.as_str())
    }

    /// Whether it says so, and the status that came with it does not say otherwise.
    pub(super) fn tells_of_no_money_with(&self, status: u16) -> bool {
        status == 402 || (matches!(status, 400 | 403 | 429) && self.tells_of_no_money())
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
    fn an_empty_account_is_recognised_and_a_rate_limit_is_none() {
        for body in [
            r#"{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#,
            r#"{"error":{"message":"Billing hard limit has been reached","type":"invalid_request_error","code":"billing_hard_limit_reached"}}"#,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits."}}"#,
            r#"{"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}}"#,
            r#"{"error":{"message":"This request requires more credits, or fewer max_tokens.","code":402}}"#,
            r#"{"error":{"message":"x","type":"exceeded_current_quota_error"}}"#,
        ] {
            assert!(
                ErrorBody::read(body.as_bytes()).tells_of_no_money(),
                "{body}"
            );
        }
        for body in [
            r#"[{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details. Please retry in 38.5s.","status":"RESOURCE_EXHAUSTED"}}]"#,
            r#"{"error":{"message":"Rate limit reached for requests","type":"requests","code":"rate_limit_exceeded"}}"#,
            r#"{"error":{"message":"Forbidden"}}"#,
            "",
        ] {
            assert!(
                !ErrorBody::read(body.as_bytes()).tells_of_no_money(),
                "{body}"
            );
        }
    }

    #[test]
    fn a_wait_is_found_in_fields_before_words_and_in_plain_text() {
        for (body, seconds) in [
            (
                r#"[{"error":{"code":429,"message":"Please retry in 38.5s.","details":[{"retryDelay":"38s"}]}}]"#,
                Some(38.0),
            ),
            (
                r#"{"error":{"message":"Please try again in 6m0s."}}"#,
                Some(360.0),
            ),
            (
                "Too many requests, please try again in 2 seconds",
                Some(2.0),
            ),
            (r#"{"error":{"message":"Slow down"}}"#, None),
        ] {
            let expected = seconds.map(Duration::from_secs_f64);
            assert_eq!(ErrorBody::read(body.as_bytes()).wait(), expected, "{body}");
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
