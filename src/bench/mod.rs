//! Measures: what an endpoint is good for, and what this machine is good for against a
//! [simulated server](crate::simulated).
//!
//! # Layout
//!
//! - `endpoint`: an endpoint, step by step; `probe`: its prefix cache and its structured replies;
//!   `counted`: every call that either makes
//! - `ceiling`: the real client, pipeline and store against simulated servers in processes of their
//!   own; `child` starts and ends these, `work` makes the records, `process` reads what this process
//!   has used, `follow` how quickly the load followed the capacity

mod ceiling;
mod child;
mod choice;
mod counted;
mod endpoint;
mod follow;
mod probe;
mod process;
mod work;

pub use ceiling::{CallRates, CeilingReport, Cpu, CpuShare, measure_ceiling};
pub use child::serve;
pub use endpoint::{EndpointReport, MeasureOptions, Step, measure_endpoint};
pub use follow::{Follow, follows};
pub use probe::{Prefix, StructuredReplies};
pub use work::{BenchError, Work};
