//! A reply as it comes over the wire, read leniently: every field may be absent, null or odd.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::content::Content;
use super::error_body::ErrorBody;
use super::excerpt::excerpt;
use super::logprobs::first_tokens;
use super::secrets::Secrets;
use super::thinking;
use crate::model::{Completion, Finish, ModelError, TokenUsage};

#[derive(Deserialize)]
struct Reply<'a> {
    #[serde(borrow, default, deserialize_with = "first")]
    choices: Option<Choice<'a>>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Choice<'a> {
    #[serde(borrow)]
    message: Option<ReplyMessage<'a>>,
    finish_reason: Content,
    #[serde(borrow)]
    logprobs: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ReplyMessage<'a> {
    content: Content,
    reasoning_content: Content,
    reasoning: Content,
    refusal: Content,
    #[serde(borrow)]
    tool_calls: Option<Vec<ToolCall<'a>>>,
    #[serde(borrow)]
    function_call: Option<FunctionCall<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ToolCall<'a> {
    #[serde(borrow)]
    function: Option<FunctionCall<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FunctionCall<'a> {
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Usage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_tokens_details: Option<PromptTokensDetails>,
    prompt_cache_hit_tokens: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PromptTokensDetails {
    cached_tokens: Option<u64>,
}

/// Reads a reply; `raw` of the completion is left to the caller.
///
/// # Errors
///
/// [`ModelError::Garbled`] when it is not a chat completion, [`ModelError::ContextLength`] when it
/// is an error that says so.
pub(super) fn read(raw: &[u8], secrets: &Secrets) -> Result<Completion, ModelError> {
    let reply: Reply<'_> = serde_json::from_slice(raw).map_err(|error| garbled(&error, secrets))?;
    if let Some(error) = reply.error.and_then(ErrorBody::of_error_field) {
        return Err(error.hiding(secrets).into_garbled());
    }
    let Some(choice) = reply.choices else {
        return Err(ModelError::Garbled {
            what: "JSON without choices".to_owned(),
        });
    };
    let Some(message) = choice.message else {
        return Err(ModelError::Garbled {
            what: "a choice without a message".to_owned(),
        });
    };
    Ok(Completion {
        finish: finish(&choice.finish_reason.text),
        usage: reply.usage.and_then(usage),
        first_tokens: choice.logprobs.map(first_tokens).unwrap_or_default(),
        ..message.into_completion()
    })
}

fn garbled(error: &serde_json::Error, secrets: &Secrets) -> ModelError {
    ModelError::Garbled {
        what: excerpt(&secrets.hide(&error.to_string())),
    }
}

/// The first of an array that may be null; only one choice is ever asked for.
fn first<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let all = Option::<Vec<T>>::deserialize(deserializer)?;
    Ok(all.and_then(|all| all.into_iter().next()))
}

impl ReplyMessage<'_> {
    fn into_completion(self) -> Completion {
        let arguments = self.arguments();
        let (thoughts, mut text) = thinking::divide(self.content.text);
        if text.trim().is_empty()
            && let Some(arguments) = arguments
        {
            text = arguments;
        }
        let reasoning = [
            Some(self.reasoning_content.text)
                .filter(|text| !text.is_empty())
                .or(Some(self.reasoning.text)),
            Some(self.content.reasoning),
            thoughts,
        ];
        let refusal = self.refusal.text + &self.content.refusal;
        Completion {
            text,
            refusal: Some(refusal).filter(|text| !text.is_empty()),
            reasoning: joined(reasoning.into_iter().flatten()),
            ..Completion::default()
        }
    }

    /// The arguments of the first call, as JSON text; some servers send an object instead.
    fn arguments(&self) -> Option<String> {
        let calls = self.tool_calls.iter().flatten();
        let functions = calls.filter_map(|call| call.function.as_ref());
        let arguments = functions
            .chain(&self.function_call)
            .find_map(|function| function.arguments)?;
        let text = match serde_json::from_str::<Cow<'_, str>>(arguments.get()) {
            Ok(text) => text.into_owned(),
            Err(_) => arguments.get().to_owned(),
        };
        Some(text)
    }
}

fn joined(texts: impl Iterator<Item = String>) -> Option<String> {
    texts
        .filter(|text| !text.is_empty())
        .reduce(|before, after| before + "\n" + &after)
}

fn finish(reason: &str) -> Finish {
    match reason {
        "stop" | "eos" | "eos_token" | "end_turn" | "stop_sequence" => Finish::Stop,
        "length" | "max_tokens" | "model_length" => Finish::Length,
        "content_filter" => Finish::ContentFilter,
        "tool_calls" | "function_call" => Finish::ToolCalls,
        _ => Finish::Unknown,
    }
}

/// What the usage says; one that cannot be read counts as absent.
fn usage(raw: &RawValue) -> Option<TokenUsage> {
    let usage: Usage = serde_json::from_str(raw.get()).ok()?;
    if usage.prompt_tokens.is_none() && usage.completion_tokens.is_none() {
        return None;
    }
    Some(TokenUsage {
        input: usage.prompt_tokens.unwrap_or(0),
        cached: (usage.prompt_tokens_details)
            .and_then(|details| details.cached_tokens)
            .or(usage.prompt_cache_hit_tokens)
            .unwrap_or(0),
        output: usage.completion_tokens.unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::openai::Endpoint;

    fn read_json(reply: &Value) -> Result<Completion, ModelError> {
        let endpoint = Endpoint::new("m", "http://localhost/v1".parse().expect("a URL"));
        read(reply.to_string().as_bytes(), &Secrets::of(&endpoint))
    }

    fn message(message: &Value) -> Completion {
        read_json(&json!({ "choices": [{ "message": message }] })).expect("a completion")
    }

    #[test]
    fn a_full_reply_of_openai_is_read() {
        let reply = json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-5",
            "choices": [{ "index": 0, "logprobs": null, "finish_reason": "stop", "message":
                { "role": "assistant", "content": "Hello.", "refusal": null, "annotations": [] } }],
            "usage": { "prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13,
                "prompt_tokens_details": { "cached_tokens": 4, "audio_tokens": 0 } },
            "service_tier": "never-heard-of", "brand_new": { "field": [1] },
        });
        assert_eq!(
            read_json(&reply).expect("a completion"),
            Completion {
                text: "Hello.".to_owned(),
                usage: Some(TokenUsage {
                    input: 10,
                    cached: 4,
                    output: 3
                }),
                ..Completion::default()
            }
        );
    }

    #[test]
    fn everything_but_the_message_may_be_missing() {
        let completion = message(&json!({ "content": "Hello." }));
        assert_eq!(completion.text, "Hello.");
        assert_eq!(completion.finish, Finish::Unknown);
        assert_eq!(completion.usage, None);
    }

    #[test]
    fn content_may_be_parts_or_null() {
        let parts = json!([{ "type": "text", "text": "a" }, { "type": "text", "text": "b" }]);
        assert_eq!(message(&json!({ "content": parts })).text, "ab");
        assert_eq!(message(&json!({ "content": null })).text, "");
        assert_eq!(message(&json!({})).text, "");
    }

    #[test]
    fn reasoning_comes_from_its_fields_or_from_think_tags() {
        for wire in [
            json!({ "content": "yes", "reasoning_content": "hm" }),
            json!({ "content": "yes", "reasoning": "hm" }),
            json!({ "content": "yes", "reasoning_content": "hm", "reasoning": "hm" }),
            json!({ "content": "<think>hm</think>\nyes" }),
        ] {
            let completion = message(&wire);
            assert_eq!(completion.reasoning.as_deref(), Some("hm"), "{wire}");
            assert_eq!(completion.text, "yes", "{wire}");
        }
        let unclosed = message(&json!({ "content": "<think>hm" }));
        assert_eq!(
            (unclosed.text.as_str(), unclosed.reasoning.as_deref()),
            ("", Some("hm"))
        );
        assert_eq!(
            message(&json!({ "content": "yes", "reasoning": {} })).reasoning,
            None
        );
    }

    #[test]
    fn a_refusal_is_kept_apart_from_the_text() {
        for wire in [
            json!({ "content": null, "refusal": "I can't." }),
            json!({ "content": [{ "type": "refusal", "refusal": "I can't." }] }),
        ] {
            let completion = message(&wire);
            assert_eq!(completion.refusal.as_deref(), Some("I can't."), "{wire}");
            assert_eq!(completion.text, "");
        }
        assert_eq!(
            message(&json!({ "content": "x", "refusal": "" })).refusal,
            None
        );
    }

    #[test]
    fn the_arguments_of_a_tool_call_are_the_text_when_there_is_none() {
        let call = |arguments: Value| json!([{ "function": { "name": "critique", "arguments": arguments } }]);
        let as_text =
            message(&json!({ "content": null, "tool_calls": call(json!("{\"a\":\"é\\n\"}")) }));
        assert_eq!(as_text.text, "{\"a\":\"é\\n\"}");
        let as_object = message(&json!({ "content": " ", "tool_calls": call(json!({ "a": 1 })) }));
        assert_eq!(as_object.text, r#"{"a":1}"#);
        let beside_text = message(&json!({ "content": "text", "tool_calls": call(json!("{}")) }));
        assert_eq!(beside_text.text, "text");
        let legacy = message(&json!({ "function_call": { "name": "x", "arguments": "{}" } }));
        assert_eq!(legacy.text, "{}");
        assert_eq!(
            message(&json!({ "content": "x", "tool_calls": [] })).text,
            "x"
        );
    }

    #[test]
    fn every_finish_reason_has_a_meaning_and_odd_ones_are_unknown() {
        for (reason, finish) in [
            (json!("stop"), Finish::Stop),
            (json!("length"), Finish::Length),
            (json!("content_filter"), Finish::ContentFilter),
            (json!("tool_calls"), Finish::ToolCalls),
            (json!("abort"), Finish::Unknown),
            (json!(null), Finish::Unknown),
            (json!(7), Finish::Unknown),
        ] {
            let reply =
                json!({ "choices": [{ "message": { "content": "x" }, "finish_reason": reason }] });
            assert_eq!(
                read_json(&reply).expect("a completion").finish,
                finish,
                "{reason}"
            );
        }
    }

    #[test]
    fn usage_is_read_in_its_dialects_and_an_odd_one_is_absent() {
        let with = |usage: Value| {
            read_json(&json!({ "choices": [{ "message": {} }], "usage": usage }))
                .expect("a completion")
                .usage
        };
        let cached = Some(TokenUsage {
            input: 9,
            cached: 5,
            output: 2,
        });
        assert_eq!(
            with(
                json!({ "prompt_tokens": 9, "completion_tokens": 2, "prompt_cache_hit_tokens": 5 })
            ),
            cached
        );
        assert_eq!(
            with(
                json!({ "prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": null })
            ),
            Some(TokenUsage {
                input: 9,
                cached: 0,
                output: 2
            })
        );
        for odd in [
            json!(null),
            json!({}),
            json!("many"),
            json!({ "prompt_tokens": "x" }),
        ] {
            assert_eq!(with(odd.clone()), None, "{odd}");
        }
    }

    #[test]
    fn what_is_no_completion_is_garbled_and_says_why() {
        for (reply, says) in [
            (json!({ "choices": [] }), "without choices"),
            (json!({ "choices": null }), "without choices"),
            (json!({}), "without choices"),
            (json!({ "choices": [{ "index": 0 }] }), "without a message"),
            (
                json!({ "error": { "message": "backend down", "code": 502 } }),
                "backend down",
            ),
            (
                json!({ "error": "model is loading", "choices": [] }),
                "model is loading",
            ),
            (json!([1, 2]), "invalid"),
        ] {
            let error = read_json(&reply).expect_err("no completion");
            assert!(matches!(error, ModelError::Garbled { .. }), "{error}");
            assert!(error.to_string().contains(says), "{error}");
        }
        assert!(read_json(&json!({ "error": null, "choices": [{ "message": {} }] })).is_ok());
    }

    #[test]
    fn an_error_object_that_tells_of_a_full_context_is_that() {
        let reply =
            json!({ "error": { "message": "too long", "code": "context_length_exceeded" } });
        let error = read_json(&reply).expect_err("no completion");
        assert!(matches!(error, ModelError::ContextLength { .. }), "{error}");
    }
}
