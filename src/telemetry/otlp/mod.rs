//! Spans and findings to an OpenTelemetry collector, by OTLP over HTTP with protobuf.
//!
//! The standard variables `OTEL_*` say where and what; without an endpoint nothing is sent. What goes
//! out are the spans of redraft alone, and the findings as events in them. Texts go out only where
//! `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` says so.

mod exporter;
mod sender;
mod wishes;

pub(super) use exporter::{Exporter, begin};
