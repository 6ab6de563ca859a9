//! Metrics in the text form that Prometheus reads.
//!
//! [`Metrics`] is one value that whoever counts is given; there is no global one. It listens to
//! pipelines ([`Observer`](crate::pipeline::Observer)), so that a run and the gateway count records by
//! the same code, and takes what only the one or the other knows through methods.
//!
//! The number of series is bounded whatever comes: labels take words of the program's own, names from
//! the settings and ids of principles, and of the last two kinds only so many.

mod bounded;
mod endpoints;
mod families;
mod labels;
mod listen;
mod record;
mod request;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use self::bounded::Bounded;
use self::endpoints::Endpoints;
use self::families::{Families, Names};
use crate::model::traffic::Traffic;

pub use listen::{MetricsListener, MetricsListenerError};
pub use record::RowEnd;
pub use request::{Answered, InFlight};

/// The content type of [`Metrics::render`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// So many principles have a series of their own; all others share one.
const MOST_PRINCIPLES: usize = 256;
/// So many models have series of their own; all others share them.
const MOST_MODELS: usize = 64;

/// Everything that is counted in a process.
pub struct Metrics {
    registry: Registry,
    names: Vec<String>,
    families: Families,
    endpoints: Endpoints,
    models: Bounded,
    principles: Bounded,
}

impl Metrics {
    /// Metrics that have counted nothing.
    #[must_use]
    pub fn new() -> Arc<Self> {
        let mut registry = Registry::with_prefix("redraft");
        let mut names = Names {
            registry: &mut registry,
            names: Vec::new(),
        };
        let families = Families::register(&mut names);
        let mut names = names.names;
        let endpoints = Endpoints::default();
        registry.register_collector(Box::new(endpoints.clone()));
        names.extend(endpoints::NAMES.map(str::to_owned));
        Arc::new(Self {
            registry,
            names,
            families,
            endpoints,
            models: Bounded::new(MOST_MODELS),
            principles: Bounded::new(MOST_PRINCIPLES),
        })
    }

    /// Reads off this traffic, too, whenever somebody asks. A process that builds its models again
    /// keeps one traffic for all of them, so that its counters never fall.
    pub fn watch(&self, traffic: &Arc<Traffic>) {
        self.endpoints.add(traffic);
    }

    /// The names of all metrics, as they are read.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Everything as text, of type [`CONTENT_TYPE`].
    ///
    /// # Panics
    ///
    /// Never: a string takes all that is written to it.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a string takes all that is written to it");
        text
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Metrics")
            .field("names", &self.names.len())
            .finish_non_exhaustive()
    }
}
