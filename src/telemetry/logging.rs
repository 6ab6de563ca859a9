//! Who hears log lines and spans: standard error, and a collector where one is named.

use std::io::{self, IsTerminal as _};

use tokio::runtime::Handle;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer};

use crate::round::CONTENT;

/// What [`init`] began; dropped, it sends the last that is to be sent. It blocks its thread a little
/// for that, while the runtime must be alive.
#[derive(Debug)]
#[must_use = "what is traced is sent while this is held"]
pub struct Telemetry {
    #[cfg(feature = "otlp")]
    _exporter: Option<super::otlp::Exporter>,
}

/// Sends log lines to standard error, as `RUST_LOG` asks for, warnings without it; and spans to a
/// collector, where the feature `otlp` is built in and `OTEL_*` asks for it.
///
/// async-openai logs whole reply bodies when they do not parse; that target stays off, because
/// bodies hold other people's texts. So does our own that holds texts, for standard error.
pub fn init(runtime: &Handle) -> Telemetry {
    let registry = tracing_subscriber::registry();
    #[cfg(feature = "otlp")]
    let (sent, exporter, complaint) = {
        match super::otlp::begin(|name| std::env::var(name).ok(), runtime) {
            Ok(Some((layer, exporter))) => (Some(layer), Some(exporter), None),
            Ok(None) => (None, None, None),
            Err(complaint) => (None, None, Some(complaint)),
        }
    };
    #[cfg(feature = "otlp")]
    let registry = registry.with(sent);
    #[cfg(not(feature = "otlp"))]
    let _ = runtime;
    // A second call, as in tests, keeps the first subscriber.
    let _ = registry.with(lines()).try_init();
    #[cfg(feature = "otlp")]
    if let Some(complaint) = complaint {
        tracing::warn!("{complaint}");
    }
    Telemetry {
        #[cfg(feature = "otlp")]
        _exporter: exporter,
    }
}

/// Log lines on standard error.
fn lines<S>() -> impl Layer<S>
where
    S: tracing::Subscriber + for<'span> tracing_subscriber::registry::LookupSpan<'span>,
{
    let mut filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    for target in ["async_openai", CONTENT] {
        let directive = format!("{target}=off").parse();
        filter = filter.add_directive(directive.expect("the directive is well-formed"));
    }
    tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .with_filter(filter)
}
