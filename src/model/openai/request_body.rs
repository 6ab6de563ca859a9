//! A request as it goes over the wire, borrowed from what was asked.

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::Value;

use super::MaxTokensField;
use crate::model::{ChatRequest, JsonText, Messages, ModelError, ReplyFormat, ReplySchema};

/// Fields of the request body that [`Sampling::extra`](crate::model::Sampling::extra) must not
/// set, because the client sets them or its reading of the reply depends on them.
pub const RESERVED_FIELDS: [&str; 7] = [
    "model",
    "messages",
    "stream",
    "n",
    "response_format",
    "tools",
    "tool_choice",
];

#[derive(Serialize)]
pub(super) struct RequestBody<'a> {
    model: &'a str,
    messages: &'a Messages,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_logprobs: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<ResponseFormat<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<[Tool<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<ToolChoice<'a>>,
    #[serde(flatten)]
    extra: &'a IndexMap<String, Value>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ResponseFormat<'a> {
    JsonSchema { json_schema: JsonSchema<'a> },
    JsonObject,
}

#[derive(Serialize)]
struct JsonSchema<'a> {
    name: &'a str,
    description: &'a str,
    schema: &'a JsonText,
    strict: bool,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Tool<'a> {
    Function { function: Function<'a> },
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    description: &'a str,
    parameters: &'a JsonText,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ToolChoice<'a> {
    Function { function: FunctionName<'a> },
}

#[derive(Serialize)]
struct FunctionName<'a> {
    name: &'a str,
}

impl<'a> RequestBody<'a> {
    /// The body that asks `model` for `request`. A field that `extra` sets wins over the same
    /// field of the sampling.
    ///
    /// # Errors
    ///
    /// [`ModelError::Other`] when `extra` sets one of the [`RESERVED_FIELDS`].
    pub(super) fn new(
        model: &'a str,
        request: &'a ChatRequest,
        limit_name: MaxTokensField,
    ) -> Result<Self, ModelError> {
        let sampling = &request.sampling;
        let extra = &sampling.extra;
        if let Some(name) = RESERVED_FIELDS
            .iter()
            .find(|name| extra.contains_key(**name))
        {
            return Err(ModelError::Other(format!(
                "the field `{name}` of a request cannot be set in `extra`"
            )));
        }
        let is_free = |name: &str| extra.is_empty() || !extra.contains_key(name);
        let limit = sampling
            .max_tokens
            .filter(|_| is_free("max_tokens") && is_free("max_completion_tokens"));
        let top_logprobs = request
            .top_logprobs
            .filter(|_| is_free("logprobs") && is_free("top_logprobs"));
        let (response_format, tool) = form(&request.format);
        Ok(Self {
            model,
            messages: &request.messages,
            temperature: sampling.temperature.filter(|_| is_free("temperature")),
            top_p: sampling.top_p.filter(|_| is_free("top_p")),
            max_tokens: limit.filter(|_| limit_name == MaxTokensField::MaxTokens),
            max_completion_tokens: limit
                .filter(|_| limit_name == MaxTokensField::MaxCompletionTokens),
            // With one seed for all, every sample would be the same reply.
            seed: sampling
                .seed
                .filter(|_| is_free("seed"))
                .map(|seed| seed.wrapping_add(request.sample.into())),
            stop: Some(&*sampling.stop).filter(|stop| !stop.is_empty() && is_free("stop")),
            logprobs: top_logprobs.map(|_| true),
            top_logprobs,
            response_format,
            tools: tool.map(|schema| [Tool::new(schema)]),
            tool_choice: tool.map(|schema| ToolChoice::Function {
                function: FunctionName { name: &schema.name },
            }),
            extra,
        })
    }
}

fn form(format: &ReplyFormat) -> (Option<ResponseFormat<'_>>, Option<&ReplySchema>) {
    match format {
        ReplyFormat::Text => (None, None),
        ReplyFormat::JsonObject => (Some(ResponseFormat::JsonObject), None),
        ReplyFormat::Tool(schema) => (None, Some(schema)),
        ReplyFormat::Structured(schema) | ReplyFormat::JsonSchema(schema) => {
            let json_schema = JsonSchema {
                name: &schema.name,
                description: &schema.description,
                schema: &schema.schema,
                strict: true,
            };
            (Some(ResponseFormat::JsonSchema { json_schema }), None)
        }
    }
}

impl<'a> Tool<'a> {
    fn new(schema: &'a ReplySchema) -> Self {
        Self::Function {
            function: Function {
                name: &schema.name,
                description: &schema.description,
                parameters: &schema.schema,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::message::Message;
    use crate::model::Sampling;

    fn sent(request: &ChatRequest, limit_name: MaxTokensField) -> Value {
        let body = RequestBody::new("m", request, limit_name).expect("a body");
        serde_json::to_value(body).expect("JSON")
    }

    fn schema() -> Arc<ReplySchema> {
        Arc::new(ReplySchema {
            name: "critique".to_owned(),
            description: "A critique.".to_owned(),
            schema: json!({ "type": "object" }).into(),
        })
    }

    fn asking(format: ReplyFormat) -> ChatRequest {
        ChatRequest {
            format,
            ..ChatRequest::new(vec![Message::user("Hi")])
        }
    }

    #[test]
    fn a_plain_request_sends_nothing_that_was_not_asked_for() {
        assert_eq!(
            sent(&asking(ReplyFormat::Text), MaxTokensField::MaxTokens),
            json!({ "model": "m", "messages": [{ "role": "user", "content": "Hi" }] })
        );
    }

    #[test]
    fn sampling_goes_under_the_names_that_the_server_knows() {
        let request = ChatRequest {
            sampling: Sampling {
                temperature: Some(0.5),
                top_p: Some(0.9),
                max_tokens: Some(64),
                seed: Some(7),
                stop: vec!["END".to_owned()],
                extra: IndexMap::from([("min_p".to_owned(), json!(0.05))]),
            },
            sample: 2,
            ..asking(ReplyFormat::Text)
        };
        let body = sent(&request, MaxTokensField::MaxTokens);
        assert_eq!(body["temperature"], 0.5);
        assert_eq!(body["top_p"], 0.9);
        assert_eq!(body["max_tokens"], 64);
        assert_eq!(body["seed"], 9, "each sample has a seed of its own");
        assert_eq!(body["stop"], json!(["END"]));
        assert_eq!(body["min_p"], 0.05);
        let body = sent(&request, MaxTokensField::MaxCompletionTokens);
        assert_eq!(body["max_completion_tokens"], 64);
        assert!(body.get("max_tokens").is_none());
    }

    #[test]
    fn the_likeliest_tokens_are_asked_for_in_two_fields() {
        let request = ChatRequest {
            top_logprobs: Some(5),
            ..asking(ReplyFormat::Text)
        };
        let body = sent(&request, MaxTokensField::MaxTokens);
        assert_eq!(
            (&body["logprobs"], &body["top_logprobs"]),
            (&json!(true), &json!(5))
        );
    }

    #[test]
    fn an_extra_field_wins_and_is_sent_once() {
        let mut request = asking(ReplyFormat::Text);
        request.sampling.temperature = Some(1.0);
        request.sampling.max_tokens = Some(64);
        request.sampling.extra = IndexMap::from([
            ("temperature".to_owned(), json!(0)),
            ("max_completion_tokens".to_owned(), json!(9)),
        ]);
        let body = RequestBody::new("m", &request, MaxTokensField::MaxTokens).expect("a body");
        let text = serde_json::to_string(&body).expect("JSON");
        assert_eq!(text.matches("temperature").count(), 1, "{text}");
        assert!(
            text.contains(r#""temperature":0"#) && !text.contains("max_tokens"),
            "{text}"
        );
    }

    #[test]
    fn an_extra_field_that_would_change_the_protocol_is_refused_by_name() {
        for name in RESERVED_FIELDS {
            let mut request = asking(ReplyFormat::Text);
            request.sampling.extra = IndexMap::from([(name.to_owned(), json!(true))]);
            let error = RequestBody::new("m", &request, MaxTokensField::MaxTokens).err();
            assert!(
                error.is_some_and(|error| error.to_string().contains(name)),
                "{name}"
            );
        }
    }

    #[test]
    fn each_reply_format_has_its_wire_form() {
        let strict = json!({ "type": "json_schema", "json_schema": {
            "name": "critique", "description": "A critique.", "schema": { "type": "object" }, "strict": true } });
        for format in [
            ReplyFormat::JsonSchema(schema()),
            ReplyFormat::Structured(schema()),
        ] {
            let body = sent(&asking(format), MaxTokensField::MaxTokens);
            assert_eq!(body["response_format"], strict);
        }
        let body = sent(
            &asking(ReplyFormat::Tool(schema())),
            MaxTokensField::MaxTokens,
        );
        assert_eq!(body["tools"][0]["type"], "function");
        assert_eq!(
            body["tools"][0]["function"]["parameters"],
            json!({ "type": "object" })
        );
        assert_eq!(
            body["tool_choice"],
            json!({ "type": "function", "function": { "name": "critique" } })
        );
        let body = sent(&asking(ReplyFormat::JsonObject), MaxTokensField::MaxTokens);
        assert_eq!(body["response_format"], json!({ "type": "json_object" }));
    }
}
