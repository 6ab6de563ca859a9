//! The calls of one model, for whoever shows or steers them.

use std::fmt::Debug;

use serde::{Deserialize, Serialize};

use crate::model::Concurrency;

/// All calls of one model, over however many endpoints.
pub trait Lane: Debug + Send + Sync {
    /// The endpoints as they stand.
    fn endpoints(&self) -> Vec<EndpointStatus>;

    /// How many calls may be in flight, over all endpoints.
    fn limit(&self) -> usize;

    /// Whether there is a concurrency to set; there is none where calls go in batches.
    fn has_concurrency(&self) -> bool {
        true
    }

    /// Pins the concurrency, or lets it find itself.
    fn set_concurrency(&self, concurrency: Concurrency);

    /// Is told that the traffic was paused or resumed, or that its last stretch has begun.
    fn look_again(&self);

    /// How many batches are under way at the provider; none for calls that are not batched.
    fn open_batches(&self) -> usize {
        0
    }
}

/// One endpoint of one model at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EndpointStatus {
    /// The model's name.
    pub model: String,
    /// The address, without credentials.
    pub address: String,
    /// How many calls may be in flight.
    pub limit: usize,
    /// How many are.
    pub in_flight: usize,
    /// How many wait for a place.
    pub waiting: usize,
    /// How the endpoint does.
    pub state: EndpointState,
    /// Replies so far.
    pub answered: u64,
    /// Failed requests so far.
    pub failed: u64,
    /// How long a reply takes now, about, in milliseconds.
    pub latency_ms: u64,
}

/// How an endpoint does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndpointState {
    /// It answers; its limit is still being found.
    Starting,
    /// It answers.
    Steady,
    /// It asked to wait, or sends are spaced so that its rate limit holds.
    Paced,
    /// One request after another came to nothing, and no reply between them.
    Failing {
        /// The last failure, in words.
        why: String,
    },
    /// It only failed lately; it is asked now and then whether it is back.
    SetAside {
        /// The last failure, in words.
        why: String,
    },
}
