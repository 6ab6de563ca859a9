//! What is told to those who look on: log lines, metrics, traces; and the one clock. Results depend
//! on none of them.

mod clock;
mod logging;
pub mod metrics;

pub use clock::now;
pub use logging::init;
pub use metrics::Metrics;
