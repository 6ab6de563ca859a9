//! The exporter: from the environment's wishes to a layer of the subscriber, and the last of it sent.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::{Layer, Registry};

use super::sender::Sender;
use super::wishes::{Wish, wish};
use crate::pipeline::FINDING;
use crate::round::CONTENT;

/// How long a request to the collector may take where no variable says so.
const LIMIT: Duration = Duration::from_secs(10);
/// How long the end of the program waits for the last spans.
const LAST: Duration = Duration::from_secs(5);

/// The layer that takes spans to the exporter.
pub(in crate::telemetry) type Sending = Box<dyn Layer<Registry> + Send + Sync>;

/// Sends spans until it is dropped; then it sends the last of them.
#[derive(Debug)]
pub(in crate::telemetry) struct Exporter(SdkTracerProvider);

impl Drop for Exporter {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown_with_timeout(LAST) {
            tracing::debug!(%error, "the last spans may not have arrived");
        }
    }
}

/// The layer and its exporter, where the environment wishes for them; or why there are none in spite
/// of that.
pub(in crate::telemetry) fn begin(
    variable: impl Fn(&str) -> Option<String>,
    runtime: &Handle,
) -> Result<Option<(Sending, Exporter)>, String> {
    let texts = match wish(&variable) {
        Wish::Nothing => return Ok(None),
        Wish::Spans { texts } => texts,
        Wish::Unspoken { protocol } => {
            return Err(format!(
                "no spans are sent: the protocol {protocol} is not spoken here, only http/protobuf"
            ));
        }
    };
    let failed = |why: &dyn std::fmt::Display| format!("no spans are sent: {why}");
    let sender = Sender::new(runtime.clone(), limit(&variable)).map_err(|error| failed(&error))?;
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(sender)
        .build()
        .map_err(|error| failed(&error))?;
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource(&variable))
        .build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("redraft"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_level(false)
        .with_tracked_inactivity(false)
        .with_filter(
            filter_fn(move |metadata| is_sent(metadata, texts)).with_max_level_hint(if texts {
                LevelFilter::TRACE
            } else {
                LevelFilter::DEBUG
            }),
        );
    Ok(Some((Box::new(layer), Exporter(provider))))
}

/// Spans of this program, findings, and texts where they are wished for; no other log line.
fn is_sent(metadata: &Metadata<'_>, texts: bool) -> bool {
    match metadata.target() {
        FINDING => *metadata.level() <= Level::DEBUG,
        CONTENT => texts,
        target => {
            metadata.is_span() && *metadata.level() <= Level::INFO && target.starts_with("redraft")
        }
    }
}

/// What the environment says of this process, and else the program's name.
fn resource(variable: impl Fn(&str) -> Option<String>) -> Resource {
    let is_named = variable("OTEL_SERVICE_NAME").is_some_and(|name| !name.is_empty())
        || variable("OTEL_RESOURCE_ATTRIBUTES").is_some_and(|all| all.contains("service.name="));
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let builder = Resource::builder().with_attribute(version);
    if is_named {
        builder.build()
    } else {
        builder.with_service_name("redraft").build()
    }
}

/// How long a request to the collector may take, in milliseconds where a variable says so.
fn limit(variable: impl Fn(&str) -> Option<String>) -> Duration {
    [
        "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
        "OTEL_EXPORTER_OTLP_TIMEOUT",
    ]
    .iter()
    .find_map(|name| variable(name)?.parse().ok())
    .map_or(LIMIT, Duration::from_millis)
}
