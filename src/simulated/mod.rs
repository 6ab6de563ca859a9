//! A simulated server: an OpenAI-compatible one on this machine that answers without any model, to
//! measure and to test against.
//!
//! It decodes a number of requests at once, queues or refuses the others, keeps a rate limit and a
//! prefix cache, and fails as it is told to. Which reply a request gets, how long it takes and
//! whether it fails is decided by the request and the seed, so that two runs meet the same server.
//! Every reply's model is [`MODEL`].
//!
//! # Layout
//!
//! - `server`: the thread, the connections, a request's way; `http`: the little HTTP it needs
//! - `slots`, `bucket`, `cache`, `fault`: capacity, rate limit, prefix cache, failures; they are told
//!   the time and keep no clock
//! - `asked`, `reply`: what is read of a request, and what is said to it

mod asked;
mod bucket;
mod cache;
mod fault;
mod http;
mod mix;
mod options;
mod reply;
mod server;
mod slots;
mod state;
mod statistics;

pub use options::{CapacityChange, RateLimit, SimulatedOptions, WhenFull};
pub use server::SimulatedServer;
pub use statistics::{Second, SimulatedStatistics};

/// The name of the model in every reply, and the only one in the list of models.
pub const MODEL: &str = "simulated";
