//! Who counts for the gateway: metrics, and the tokens that keys have used.

use std::sync::Arc;

use super::{Facts, Reporter};
use crate::telemetry::Metrics;
use crate::telemetry::metrics::{Answered, InFlight};

/// Counts requests in [`Metrics`], and their tokens for the keys that they came with. Records and the
/// calls that judge them are counted by the pipelines that the metrics listen to.
#[derive(Debug)]
pub struct Counted(pub Arc<Metrics>);

impl Reporter for Counted {
    fn answered(&self, facts: &Facts<'_>) {
        self.0.count_request(&Answered {
            model: Some(facts.model).filter(|model| !model.is_empty()),
            mode: facts.mode.map_or("", |mode| mode.as_str()),
            status: facts.status,
            upstream: facts.upstream + facts.revision,
            own: facts.own,
        });
        self.spent(facts, facts.upstream_tokens);
    }

    fn observed(&self, facts: &Facts<'_>) {
        self.spent(facts, (0, 0));
    }

    fn streamed(&self, facts: &Facts<'_>) {
        self.spent(facts, facts.upstream_tokens);
    }

    fn observation_dropped(&self, _model: &str) {
        self.0.count_dropped_observation();
    }

    fn observations_waiting(&self, waiting: usize) {
        self.0.set_observations_waiting(waiting);
    }

    fn begun(&self) -> Option<InFlight> {
        Some(self.0.begin_request())
    }
}

impl Counted {
    /// Counts the tokens of an answer, and those of the calls that judged it, as the key's.
    fn spent(&self, facts: &Facts<'_>, (input, output): (u64, u64)) {
        if input + output > 0 {
            self.0.count_answer_tokens(input, output);
        }
        if let Some(admitted) = facts.admitted {
            let judging: u64 = facts
                .usage
                .values()
                .map(|usage| usage.input + usage.output)
                .sum();
            admitted.spend(input + output + judging);
        }
    }
}
