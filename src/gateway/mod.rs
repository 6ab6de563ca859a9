//! An OpenAI-compatible endpoint whose answers keep a constitution.
//!
//! [`router`] gives the routes of a [`Gateway`], and [`serve`](fn@serve) takes connections for them.
//! A request is read as far as it must be (`fields`, one file per endpoint in `surface/`), sent on with
//! nothing but its model's name exchanged, and what comes back is held until it is judged
//! (`enforced`), or passed on as it comes (`passed`). `judge` takes every text of an answer
//! through the pipeline, `settle` puts the ends into the answer, and `keeper` seals what the client was given.
//!
//! It knows neither settings nor keys of clients: `app` builds it, and whoever guards it puts a layer
//! around the routes.

mod arguments;
mod body;
mod call;
mod conversation;
mod enforced;
mod errand;
mod failure;
mod fields;
mod gathered;
mod headers;
mod health;
mod held_stream;
mod judge;
mod keeper;
mod observations;
mod options;
mod part;
mod passed;
mod report;
mod requested;
mod router;
mod serve;
mod served;
mod settle;
mod shared;
mod surface;
mod tally;

pub use failure::Failure;

pub use keeper::Durability;
pub use options::{GatewayOptions, Limits};
pub use report::{Facts, Reporter, Unreported};
pub use router::{guarded, open, router};
pub use serve::{ServeError, serve};
pub use served::{DEFAULT_MESSAGE, Mode, OnCriticError, OnUnresolved, Panel, Served, run_name};
pub use shared::{Gateway, SCOPE};
