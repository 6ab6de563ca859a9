//! Which replica a call goes to, and when: places that follow what each server is good for, rate
//! limits that all calls of a key obey, and replicas that are set aside while they only fail.

mod desk;
mod health;
mod home;
mod in_words;
mod law;
mod shared;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use self::shared::{Flight, Place, Shared};
use super::held_place::HeldPlace;
use super::pace::Pace;
use super::traffic::{Lane, Traffic};
use super::{ChatModel, ChatRequest, Completion, Concurrency, ModelError, Retry};

/// So often a call that fails goes to a sibling at once: until the one that fails is set aside.
const MOST_MOVES: usize = 5;

/// One address of a model.
#[derive(Clone, Debug)]
pub struct Replica {
    /// The address, without credentials.
    pub address: String,
    /// The client that calls it.
    pub model: Arc<dyn ChatModel>,
    /// The pace of its key.
    pub pace: Arc<Pace>,
}

/// How [`Dispatch`] is set up.
#[derive(Clone, Debug)]
pub struct DispatchOptions {
    /// How many calls run at once, for each replica.
    pub concurrency: Concurrency,
    /// How long calls wait while no replica answers.
    pub outage_patience: Duration,
    /// Whether a reply carries its place until somebody gives it back.
    pub hold_places: bool,
}

/// A [`ChatModel`] over the replicas of one model, or over the only one.
///
/// A record's calls go to its home among the replicas while that has room, and elsewhere when it has
/// none. A place is taken for the whole call, the reply's body included, and given back before any
/// waiting between repetitions, because [`Retry`](super::retry::Retry) wraps this.
#[derive(Debug)]
pub struct Dispatch {
    replicas: Vec<Replica>,
    hold_places: bool,
    shared: Arc<Shared>,
}

impl Dispatch {
    /// Wraps the replicas, of which there is one at least, and joins the traffic.
    ///
    /// # Panics
    ///
    /// When there is no replica.
    #[must_use]
    pub fn new(replicas: Vec<Replica>, options: &DispatchOptions, traffic: &Arc<Traffic>) -> Self {
        assert!(!replicas.is_empty(), "a model has an address");
        let shared = Shared::new(&replicas, options, traffic);
        let lane: Arc<dyn Lane> = shared.clone();
        traffic.add_lane(&lane);
        Self {
            replicas,
            hold_places: options.hold_places,
            shared,
        }
    }

    /// Sends the call to the replica where it has its place.
    async fn send(&self, place: &Place, request: &ChatRequest) -> Result<Completion, ModelError> {
        let Replica { model, pace, .. } = &self.replicas[place.replica()];
        let bytes = request.messages.iter().map(|said| said.content.len()).sum();
        let tokens = pace.estimate(bytes, request.sampling.max_tokens);
        let pass = {
            let _pacing = place.pacing();
            pace.pass(tokens).await
        };
        let sent = Instant::now();
        let flight = Flight::begin(place);
        let outcome = model.complete(request).await;
        match &outcome {
            Ok(completion) => {
                let usage = completion.usage;
                pass.answered(
                    usage.map(|usage| usage.input),
                    usage.map(|usage| usage.output),
                );
                flight.answered();
            }
            Err(error) if is_refusal(error) => flight.refused(pace, sent, error),
            Err(error) if is_trouble(error) => flight.failed(error),
            Err(_) => flight.answered_otherwise(),
        }
        outcome
    }

    /// Whether a failed call goes on at once: to a sibling, or to wait until a replica answers.
    fn goes_on(&self, error: &ModelError, replica: usize, tries: usize) -> bool {
        is_trouble(error)
            && (self.shared.is_set_aside(replica)
                || tries <= MOST_MOVES && self.shared.has_sibling(replica))
    }
}

/// Whether a server put the call off.
pub(super) fn is_refusal(error: &ModelError) -> bool {
    matches!(
        error,
        ModelError::Status {
            status: 429 | 503,
            ..
        }
    )
}

/// Whether a failure says that the server, or the way to it, is out of order.
fn is_trouble(error: &ModelError) -> bool {
    !is_refusal(error)
        && error.retry() != Retry::Never
        && !matches!(error, ModelError::Status { status, .. } if *status < 500)
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl ChatModel for Dispatch {
    fn name(&self) -> &str {
        self.replicas[0].model.name()
    }

    async fn complete(&self, request: &ChatRequest) -> Result<Completion, ModelError> {
        let mut besides = None;
        let mut tries = 0;
        loop {
            let place = self.shared.place(request.origin, besides).await?;
            let replica = place.replica();
            let error = match self.send(&place, request).await {
                Ok(completion) if self.hold_places => {
                    return Ok(Completion {
                        place: HeldPlace::new(Arc::new(place)),
                        ..completion
                    });
                }
                Ok(completion) => return Ok(completion),
                Err(error) => error,
            };
            drop(place);
            tries += 1;
            if !self.goes_on(&error, replica, tries) {
                return Err(error);
            }
            tracing::debug!(model = self.name(), %error, "a call goes on elsewhere");
            if error.may_have_cost() {
                self.shared.traffic().budget().count_unpriced();
            }
            self.shared.traffic().count_retry();
            besides = Some(replica);
        }
    }

    fn read(&self, raw: &[u8]) -> Result<Completion, ModelError> {
        self.replicas[0].model.read(raw)
    }
}
