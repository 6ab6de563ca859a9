//! What the gateway counts: requests, what waits to be observed, reloads.

use std::sync::Arc;
use std::time::Duration;

use super::Metrics;
use super::families::RELOADS;
use super::labels::{KindLabels, ModeLabels, RequestLabels, TokenLabels};
use crate::model::ModelRole;

/// How a request to the gateway went.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    /// The name that the gateway offers the model under; absent where it offers no such model.
    pub model: Option<&'a str>,
    /// The mode of that model, a word of the program's own.
    pub mode: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// How long at least one model was being asked.
    pub upstream: Duration,
    /// The rest of the time until the answer left.
    pub own: Duration,
}

/// A request that is being answered; dropped, it is no longer.
#[derive(Debug)]
pub struct InFlight(Arc<Metrics>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.families.gateway.requests_in_flight.dec();
    }
}

impl Metrics {
    /// Counts a request as being answered, until the guard is dropped.
    #[must_use]
    pub fn begin_request(self: &Arc<Self>) -> InFlight {
        self.families.gateway.requests_in_flight.inc();
        InFlight(Arc::clone(self))
    }

    /// Counts a request that was answered, or refused.
    pub fn count_request(&self, answered: &Answered<'_>) {
        let model = answered.model.map(|model| self.models.admit(model));
        let labels = RequestLabels {
            model: model.unwrap_or_default(),
            status: answered.status,
        };
        self.families.gateway.requests.get_or_create(&labels).inc();
        if answered.model.is_none() {
            return;
        }
        let mode = ModeLabels {
            mode: answered.mode,
        };
        let families = &self.families.gateway;
        families
            .request_own
            .get_or_create(&mode)
            .observe(answered.own.as_secs_f64());
        families
            .request_upstream
            .get_or_create(&mode)
            .observe(answered.upstream.as_secs_f64());
    }

    /// Counts the tokens of a model's own answer that the gateway passes on or has judged, and of its
    /// prompt.
    pub fn count_answer_tokens(&self, input: u64, output: u64) {
        let role = ModelRole::Drafter.as_str();
        for (kind, tokens) in [("input", input), ("output", output)] {
            let labels = TokenLabels { role, kind };
            self.families.tokens.get_or_create(&labels).inc_by(tokens);
        }
    }

    /// Notes how many answers wait to be observed.
    pub fn set_observations_waiting(&self, waiting: usize) {
        let waiting = i64::try_from(waiting).unwrap_or(i64::MAX);
        self.families.gateway.observations_waiting.set(waiting);
    }

    /// Counts an answer that nobody will observe, because too many wait.
    pub fn count_dropped_observation(&self) {
        self.families.gateway.observations_dropped.inc();
    }

    /// Counts a reload: `true` where the new state was taken, `false` where the old one was kept.
    pub fn count_reload(&self, taken: bool) {
        let [took, kept] = RELOADS;
        let kind = if taken { took } else { kept };
        let labels = KindLabels { kind };
        self.families.gateway.reloads.get_or_create(&labels).inc();
    }
}
