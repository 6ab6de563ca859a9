//! Logging, and the one clock: results never depend on either.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use tracing_subscriber::EnvFilter;

/// Sends log lines to standard error, as `RUST_LOG` asks for; warnings without it.
///
/// async-openai logs whole reply bodies when they do not parse; that target stays off, because
/// bodies hold other people's texts.
///
/// # Panics
///
/// Never: the one directive in it is well-formed.
pub fn init() {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("warn"))
        .add_directive(
            "async_openai=off"
                .parse()
                .expect("the directive is well-formed"),
        );
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .finish();
    // A second call, as in tests, keeps the first subscriber.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// The time now, RFC 3339 in UTC, to the millisecond.
#[must_use]
pub fn now() -> String {
    now_and(Duration::ZERO)
}

/// The time some while from now, RFC 3339 in UTC, to the millisecond.
#[must_use]
pub fn now_and(later: Duration) -> String {
    let now = jiff::Timestamp::now();
    let then = now.checked_add(later).unwrap_or(now);
    format!("{then:.3}")
}
