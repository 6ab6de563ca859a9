//! The span of one call, with the attributes that OpenTelemetry's conventions for generative AI name.
//!
//! It costs next to nothing while nobody listens. Texts are in no span: where somebody asked for
//! them, they are an event of their own, under [`CONTENT`].

use tracing::field::Empty;
use tracing::{Level, Span};

use super::RoundError;
use crate::message::Message;
use crate::model::{ChatRequest, Completion, Finish, ModelError, ModelRole, ReplyFormat};

/// The target of the events that hold texts.
pub const CONTENT: &str = "redraft::content";

/// The span of a call that is about to be made.
pub(super) fn call_span(role: ModelRole, model: &str, request: &ChatRequest) -> Span {
    tracing::info_span!(
        "redraft.call",
        otel.name = format!("chat {model}"),
        otel.kind = "client",
        otel.status_code = Empty,
        gen_ai.operation.name = "chat",
        gen_ai.provider.name = "openai",
        gen_ai.request.model = model,
        gen_ai.request.temperature = request.sampling.temperature,
        gen_ai.request.top_p = request.sampling.top_p,
        gen_ai.request.max_tokens = request.sampling.max_tokens.map(i64::from),
        gen_ai.request.seed = request.sampling.seed.map(signed),
        "gen_ai.output.type" = output_type(&request.format),
        gen_ai.usage.input_tokens = Empty,
        gen_ai.usage.cache_read.input_tokens = Empty,
        gen_ai.usage.output_tokens = Empty,
        "error.type" = Empty,
        redraft.role = role.as_str(),
        redraft.attempt = i64::from(request.sample),
        redraft.call.id = Empty,
        redraft.finish = Empty,
        redraft.journalled = Empty,
    )
}

/// Puts into a call's span how it ended.
pub(super) fn note_end(
    span: &Span,
    request: &ChatRequest,
    outcome: &Result<Completion, ModelError>,
) {
    if span.is_disabled() {
        return;
    }
    match outcome {
        Ok(completion) => {
            note_reply(span, completion);
            span.in_scope(|| tell_content(request, completion));
        }
        Err(error) => {
            span.record("otel.status_code", "ERROR");
            span.record("error.type", error.kind().as_ref());
        }
    }
}

fn note_reply(span: &Span, completion: &Completion) {
    if let Some(usage) = completion.usage {
        span.record("gen_ai.usage.input_tokens", signed(usage.input));
        span.record("gen_ai.usage.cache_read.input_tokens", signed(usage.cached));
        span.record("gen_ai.usage.output_tokens", signed(usage.output));
    }
    if let Some(call) = completion.call {
        span.record("redraft.call.id", tracing::field::display(call));
    }
    span.record("redraft.finish", finish(completion.finish));
    span.record("redraft.journalled", completion.journalled);
}

/// Tells what was asked and answered, where somebody asked for texts.
fn tell_content(request: &ChatRequest, completion: &Completion) {
    if !tracing::enabled!(target: CONTENT, Level::TRACE) {
        return;
    }
    let part = |role: &str, text: &str| serde_json::json!({ "role": role, "parts": [{ "type": "text", "content": text }] });
    let input: Vec<_> = request
        .messages
        .iter()
        .map(|Message { role, content, .. }| part(role.as_str(), content))
        .collect();
    let mut output = part("assistant", &completion.text);
    output["finish_reason"] = finish(completion.finish).into();
    tracing::event!(
        name: "gen_ai.client.inference.operation.details",
        target: CONTENT,
        Level::TRACE,
        gen_ai.operation.name = "chat",
        gen_ai.input.messages = serde_json::Value::from(input).to_string(),
        gen_ai.output.messages = serde_json::json!([output]).to_string(),
    );
}

/// OpenTelemetry's whole numbers have a sign; others would arrive as texts.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn output_type(format: &ReplyFormat) -> &'static str {
    match format {
        ReplyFormat::Text => "text",
        _ => "json",
    }
}

fn finish(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
        Finish::ContentFilter => "content_filter",
        Finish::ToolCalls => "tool_calls",
        Finish::Unknown => "unknown",
    }
}

impl RoundError {
    /// A short word for what failed, the same for all failures of the kind: an HTTP status or a name.
    #[must_use]
    pub fn kind(&self) -> std::borrow::Cow<'static, str> {
        match self {
            Self::Model { source, .. } => source.kind(),
            Self::Missing { .. } => "no_model".into(),
            Self::Prompt(_) => "prompt".into(),
        }
    }
}
