//! What is told to those who look on: log lines, metrics, traces; and the one clock. Results depend
//! on none of them.

mod clock;
mod logging;
pub mod metrics;
#[cfg(feature = "otlp")]
mod otlp;
mod trace;

pub use clock::{now, now_and};
pub use logging::{Telemetry, init};
pub use metrics::Metrics;
pub use trace::{RequestNotes, note_request, request_span};
