//! Every metric that is counted as things happen, registered under its name.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};

use super::labels::{
    BuildLabels, CallEndLabels, CallLabels, KindLabels, ModeLabels, OutcomeLabels, PrincipleLabels,
    RequestLabels, RoleLabels, TokenLabels, VerdictLabels,
};
use crate::transcript::Outcome;

/// What can go wrong with a critique: a call without a reply, a reply that cannot be used, a finding
/// that never came.
pub(super) const CRITIC_ERRORS: [&str; 3] = ["call", "reply", "unassessed"];
/// What comes of a reload.
pub(super) const RELOADS: [&str; 2] = ["taken", "kept_old"];

/// Seconds of our own work: from 50 microseconds, since most of it is that short.
const OWN: [f64; 14] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.1, 0.5, 2.0,
    10.0,
];
/// Seconds that models take: up to ten minutes.
const MODELS: [f64; 13] = [
    0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 600.0,
];
/// Rounds of a record.
const ROUNDS: [f64; 7] = [0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 10.0];

type Timed<L> = Family<L, Histogram, fn() -> Histogram>;
type Cost = Counter<f64, AtomicU64>;

/// The metrics.
#[derive(Debug)]
pub(super) struct Families {
    pub(super) gateway: GatewayFamilies,
    pub(super) records: Family<OutcomeLabels, Counter>,
    pub(super) changed: Counter,
    pub(super) rounds: Histogram,
    pub(super) record_own: Histogram,
    pub(super) record_upstream: Histogram,
    pub(super) findings: Family<VerdictLabels, Counter>,
    pub(super) violations: Family<PrincipleLabels, Counter>,
    pub(super) critic_errors: Family<KindLabels, Counter>,
    pub(super) calls: Family<CallEndLabels, Counter>,
    pub(super) call_seconds: Timed<CallLabels>,
    pub(super) asked_again: Family<RoleLabels, Counter>,
    pub(super) tokens: Family<TokenLabels, Counter>,
    pub(super) cost: Family<RoleLabels, Cost>,
    pub(super) rows: Family<KindLabels, Counter>,
}

/// Those of the gateway.
#[derive(Debug)]
pub(super) struct GatewayFamilies {
    pub(super) requests: Family<RequestLabels, Counter>,
    pub(super) requests_in_flight: Gauge,
    pub(super) request_own: Timed<ModeLabels>,
    pub(super) request_upstream: Timed<ModeLabels>,
    pub(super) observations_waiting: Gauge,
    pub(super) observations_dropped: Counter,
    pub(super) reloads: Family<KindLabels, Counter>,
}

/// A registry that remembers which names it was given.
pub(super) struct Names<'a> {
    pub(super) registry: &'a mut Registry,
    pub(super) names: Vec<String>,
}

impl Names<'_> {
    fn add<M: Metric + Clone>(&mut self, name: &str, help: &str, metric: M) -> M {
        self.registry.register(name, help, metric.clone());
        self.names.push(format!("redraft_{name}"));
        metric
    }

    /// A counter, whose name ends in `_total` where it is read.
    fn counter<M: Metric + Clone>(&mut self, name: &str, help: &str, metric: M) -> M {
        self.registry.register(name, help, metric.clone());
        self.names.push(format!("redraft_{name}_total"));
        metric
    }
}

fn own() -> Histogram {
    Histogram::new(OWN)
}

fn by_models() -> Histogram {
    Histogram::new(MODELS)
}

fn timed<L: Clone + std::hash::Hash + Eq>(make: fn() -> Histogram) -> Timed<L> {
    Family::new_with_constructor(make)
}

impl Families {
    /// Registers them all.
    pub(super) fn register(names: &mut Names<'_>) -> Self {
        let build = Family::<BuildLabels, Gauge>::default();
        let version = env!("CARGO_PKG_VERSION");
        build.get_or_create(&BuildLabels { version }).set(1);
        names.add("build_info", "The version that runs", build);
        Self {
            gateway: GatewayFamilies::register(names),
            records: names.counter(
                "records",
                "Records brought to an outcome by this process, by outcome",
                Family::default(),
            ),
            changed: names.counter(
                "records_changed",
                "Records whose final answer is not their draft",
                Counter::default(),
            ),
            rounds: names.add(
                "record_rounds",
                "Rounds of a record",
                Histogram::new(ROUNDS),
            ),
            record_own: names.add(
                "record_own_seconds",
                "Our own part of a record's time: all but waiting for models",
                own(),
            ),
            record_upstream: names.add(
                "record_upstream_seconds",
                "The part of a record's time in which at least one model was being asked",
                by_models(),
            ),
            findings: names.counter("findings", "Findings, by verdict", Family::default()),
            violations: names.counter(
                "violations",
                "Findings that a principle is violated, by principle",
                Family::default(),
            ),
            critic_errors: names.counter(
                "critic_errors",
                "What went wrong with critiques: calls without a reply, replies that could not be \
                 used, findings that never came",
                Family::default(),
            ),
            calls: names.counter(
                "calls",
                "Calls to models, by role, model and how they ended",
                Family::default(),
            ),
            call_seconds: names.add(
                "call_seconds",
                "How long calls took that the journal did not answer: places, repetitions and the \
                 waits between them included",
                timed(by_models),
            ),
            asked_again: names.counter(
                "calls_asked_again",
                "Calls that asked again because an earlier reply could not be used, or was cut off",
                Family::default(),
            ),
            tokens: names.counter(
                "tokens",
                "Tokens of calls that servers answered, by role and kind; cached ones are input, too",
                Family::default(),
            ),
            cost: names.counter(
                "cost",
                "What those tokens cost, in the currency of the prices",
                Family::default(),
            ),
            rows: names.counter("rows", "Rows of a run, by how they ended", Family::default()),
        }
        .begun()
    }

    /// Begins at zero what is alarming when it grows, so that the first time is growth, too.
    fn begun(self) -> Self {
        for outcome in Outcome::ALL.map(Outcome::as_str) {
            drop(self.records.get_or_create(&OutcomeLabels { outcome }));
        }
        for kind in CRITIC_ERRORS {
            drop(self.critic_errors.get_or_create(&KindLabels { kind }));
        }
        for kind in RELOADS {
            drop(self.gateway.reloads.get_or_create(&KindLabels { kind }));
        }
        self
    }
}

impl GatewayFamilies {
    fn register(names: &mut Names<'_>) -> Self {
        Self {
            requests: names.counter(
                "requests",
                "Requests answered by the gateway, by the model that was asked for and HTTP status",
                Family::default(),
            ),
            requests_in_flight: names.add(
                "requests_in_flight",
                "Requests that the gateway is answering",
                Gauge::default(),
            ),
            request_own: names.add(
                "request_own_seconds",
                "The gateway's own part of a request's time: all but waiting for models",
                timed(own),
            ),
            request_upstream: names.add(
                "request_upstream_seconds",
                "The part of a request's time in which at least one model was being asked",
                timed(by_models),
            ),
            observations_waiting: names.add(
                "observations_waiting",
                "Answers that have left in mode observe and wait for their critique",
                Gauge::default(),
            ),
            observations_dropped: names.counter(
                "observations_dropped",
                "Answers that left in mode observe and get no critique, because too many waited",
                Counter::default(),
            ),
            reloads: names.counter(
                "reloads",
                "Reloads of settings, constitutions and certificates, by what came of them",
                Family::default(),
            ),
        }
    }
}
