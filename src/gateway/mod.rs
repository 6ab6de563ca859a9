//! An OpenAI-compatible endpoint whose answers keep a constitution.
//!
//! [`router`] gives the routes of a [`Gateway`], and [`serve`](fn@serve) takes connections for them.
//! A request is read as far as it must be (`fields`, one file per endpoint in `surface/`), sent on with
//! nothing but its model's name exchanged, and what comes back is held until it is judged
//! (`enforced`), or passed on as it comes (`passed`). `judge` takes every text of an answer
//! through the pipeline, `settle` puts the ends into the answer, and `keeper` seals what the client was given.
//!
//! `access` guards the routes by keys, `tls` and `client` know connections, and `reload` takes up
//! changed files. It knows no settings: `app` builds it.

pub mod access;
mod arguments;
mod body;
mod call;
mod client;
mod conversation;
mod counted;
mod enforced;
mod errand;
mod failure;
mod fields;
mod flow;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod gathered;
mod headers;
mod health;
mod held_stream;
mod impatient;
mod judge;
mod keeper;
mod observations;
mod options;
mod part;
mod passed;
pub mod reload;
mod report;
mod requested;
mod router;
mod serve;
mod served;
mod settle;
mod shared;
mod surface;
mod tally;
mod tls;

pub use client::{Client, NoNetwork, TrustedProxies};
pub use counted::Counted;
pub use failure::Failure;
pub use keeper::Durability;
pub use options::{GatewayOptions, Limits};
pub use report::{Facts, Reporter, Unreported};
pub use router::{guarded, open, router};
pub use serve::{Front, ServeError, serve};
pub use served::{DEFAULT_MESSAGE, Mode, OnCriticError, OnUnresolved, Panel, Served, run_name};
pub use shared::{Gateway, SCOPE};
pub use tls::{Tls, TlsError, TlsFiles};
