//! What happens to the calls as a whole.

use serde::Serialize;

/// Something that happened to the calls as a whole.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum TrafficEvent {
    /// An endpoint's limit changed.
    Limit {
        /// The model's name.
        model: String,
        /// The endpoint's address.
        address: String,
        /// How many calls may be in flight now.
        limit: usize,
        /// Why, in a few words.
        why: &'static str,
    },
    /// A server put a request off.
    Throttled {
        /// The model's name.
        model: String,
        /// The endpoint's address.
        address: String,
        /// How long everybody waits, in milliseconds.
        wait_ms: u64,
    },
    /// An endpoint only failed, and is set aside.
    SetAside {
        /// The model's name.
        model: String,
        /// The endpoint's address.
        address: String,
        /// The last failure.
        why: String,
    },
    /// An endpoint that was set aside answers again.
    TakenBack {
        /// The model's name.
        model: String,
        /// The endpoint's address.
        address: String,
    },
}
