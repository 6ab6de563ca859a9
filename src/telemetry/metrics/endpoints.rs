//! What the calls of a process are doing, read off when somebody asks for the metrics.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use super::labels::EndpointLabels;
use crate::model::traffic::{CallCounts, EndpointState, EndpointStatus, Traffic};

/// The names of what is read off.
pub(super) const NAMES: [&str; 8] = [
    "redraft_upstream_requests_total",
    "redraft_upstream_retries_total",
    "redraft_upstream_failures_total",
    "redraft_upstream_throttled_total",
    "redraft_upstream_in_flight",
    "redraft_upstream_waiting",
    "redraft_upstream_limit",
    "redraft_upstream_set_aside",
];

/// The traffic of a process, all of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Endpoints(Arc<Mutex<Vec<Arc<Traffic>>>>);

type CountOf = fn(&CallCounts) -> u64;
type ValueOf = fn(&EndpointStatus) -> i64;

const COUNTERS: [(&str, &str, CountOf); 4] = [
    (
        "upstream_requests",
        "HTTP requests to models, repeated ones included",
        |counts| counts.asked,
    ),
    (
        "upstream_retries",
        "HTTP requests to models that repeat a failed one",
        |counts| counts.retries,
    ),
    (
        "upstream_failures",
        "Calls to models that were given up",
        |counts| counts.failed,
    ),
    (
        "upstream_throttled",
        "HTTP requests that a server put off with 429 or 503",
        |counts| counts.throttled,
    ),
];

const GAUGES: [(&str, &str, ValueOf); 4] = [
    (
        "upstream_in_flight",
        "Calls in flight to an address",
        |endpoint| number(endpoint.in_flight),
    ),
    (
        "upstream_waiting",
        "Calls that wait for a place at an address",
        |endpoint| number(endpoint.waiting),
    ),
    (
        "upstream_limit",
        "How many calls may be in flight to an address",
        |endpoint| number(endpoint.limit),
    ),
    (
        "upstream_set_aside",
        "1 while an address only fails and is left out",
        |endpoint| i64::from(matches!(endpoint.state, EndpointState::SetAside { .. })),
    ),
];

fn number(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl Endpoints {
    /// Reads this traffic off, too.
    pub(super) fn add(&self, traffic: &Arc<Traffic>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.iter().any(|known| Arc::ptr_eq(known, traffic)) {
            known.push(Arc::clone(traffic));
        }
    }

    fn known(&self) -> Vec<Arc<Traffic>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }
}

impl Collector for Endpoints {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let known = self.known();
        let counts: Vec<CallCounts> = known.iter().map(|traffic| traffic.counts()).collect();
        for (name, help, count) in COUNTERS {
            let metric = ConstCounter::new(counts.iter().map(count).sum::<u64>());
            let encoder = encoder.encode_descriptor(name, help, None, metric.metric_type())?;
            metric.encode(encoder)?;
        }
        let endpoints: Vec<EndpointStatus> = known
            .iter()
            .flat_map(|traffic| traffic.endpoints())
            .collect();
        for (name, help, value) in GAUGES {
            let kind = ConstGauge::new(0_i64).metric_type();
            let mut family = encoder.encode_descriptor(name, help, None, kind)?;
            for (labels, value) in by_labels(&endpoints, value) {
                ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

/// The values by labels: two models of the settings may have one name and one address.
fn by_labels(endpoints: &[EndpointStatus], value: ValueOf) -> Vec<(EndpointLabels, i64)> {
    let mut found: Vec<(EndpointLabels, i64)> = Vec::new();
    for endpoint in endpoints {
        let labels = EndpointLabels {
            model: endpoint.model.clone(),
            address: endpoint.address.clone(),
        };
        match found.iter_mut().find(|(known, _)| *known == labels) {
            Some((_, sum)) => *sum = sum.saturating_add(value(endpoint)),
            None => found.push((labels, value(endpoint))),
        }
    }
    found
}
