//! What all calls of a process share, for the wrappers that count, the run that follows, and whoever
//! shows or steers it.

mod event;
mod hub;
mod lane;

pub use event::TrafficEvent;
pub(super) use hub::InFlight;
pub use hub::{CallCounts, Traffic};
pub use lane::{EndpointState, EndpointStatus, Lane};
