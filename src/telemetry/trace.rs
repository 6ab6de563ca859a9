//! The span of a request to the gateway, and how it joins the trace of whoever asked.

use tracing::Span;
use tracing::field::Empty;

/// The span of a request: what pipelines and calls tell within it belongs to it.
///
/// `traceparent` is the request's header of that name (W3C Trace Context); with the feature `otlp`,
/// and where it is well-formed, the span continues that trace.
#[must_use]
pub fn request_span(id: &str, route: &'static str, traceparent: Option<&str>) -> Span {
    let span = tracing::info_span!(
        "redraft.request",
        otel.name = route,
        otel.kind = "server",
        otel.status_code = Empty,
        http.route = route,
        http.response.status_code = Empty,
        gen_ai.operation.name = "chat",
        gen_ai.request.model = Empty,
        redraft.request = id,
        redraft.mode = Empty,
        redraft.key = Empty,
        redraft.transcript = Empty,
    );
    if let Some(traceparent) = traceparent.filter(|_| !span.is_disabled()) {
        follow(&span, traceparent);
    }
    span
}

/// What the gateway learns of a request while it answers it.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestNotes<'a> {
    /// The name under which the model is offered.
    pub model: Option<&'a str>,
    /// The mode of that model.
    pub mode: Option<&'a str>,
    /// The name of the key that was used; never the key.
    pub key: Option<&'a str>,
    /// The transcript that was kept.
    pub transcript: Option<&'a str>,
    /// The HTTP status.
    pub status: Option<u16>,
}

/// Puts into the span of a request what is known of it by now.
pub fn note_request(span: &Span, notes: &RequestNotes<'_>) {
    span.record("gen_ai.request.model", notes.model);
    span.record("redraft.mode", notes.mode);
    span.record("redraft.key", notes.key);
    span.record("redraft.transcript", notes.transcript);
    span.record("http.response.status_code", notes.status.map(i64::from));
    if notes.status.is_some_and(|status| status >= 500) {
        span.record("otel.status_code", "ERROR");
    }
}

#[cfg(feature = "otlp")]
fn follow(span: &Span, traceparent: &str) {
    use opentelemetry::trace::TraceContextExt as _;
    use tracing_opentelemetry::OpenTelemetrySpanExt as _;

    let headers = std::collections::HashMap::from([("traceparent".to_owned(), traceparent.into())]);
    let propagator = opentelemetry_sdk::propagation::TraceContextPropagator::new();
    let context = opentelemetry::propagation::TextMapPropagator::extract(&propagator, &headers);
    if context.span().span_context().is_valid() {
        // Only a span that has begun already, or has no layer, refuses its parent.
        let _ = span.set_parent(context);
    }
}

#[cfg(not(feature = "otlp"))]
fn follow(_span: &Span, _traceparent: &str) {}

#[cfg(all(test, feature = "otlp"))]
mod tests {
    use opentelemetry::trace::{TraceContextExt as _, TracerProvider as _};
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing_opentelemetry::OpenTelemetrySpanExt as _;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    fn trace_of(traceparent: &str) -> String {
        let provider = SdkTracerProvider::builder().build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            let span = request_span("r", "/v1/chat/completions", Some(traceparent));
            let context = span.context();
            context.span().span_context().trace_id().to_string()
        })
    }

    #[test]
    fn a_request_continues_the_trace_of_whoever_asked() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(trace_of(&format!("00-{trace}-00f067aa0ba902b7-01")), trace);
        let own = trace_of("00-zz-00f067aa0ba902b7-01");
        assert_eq!(own.len(), 32);
        assert_ne!(own, trace);
    }
}
