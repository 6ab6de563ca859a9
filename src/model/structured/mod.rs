//! Replies that are JSON: the strongest means that a server has, found out once and remembered.
//!
//! Servers differ in how a reply can be held to a schema. The means are the [`Rung`]s of a ladder;
//! [`Structured`] steps down until one works. Whether a reply fits its schema is the caller's to
//! check: even strict servers wrap and cut.

mod extract_json;
mod ladder;
mod rung;
mod schema_prompt;

pub use extract_json::extract_json;
pub use ladder::Structured;
pub use rung::{Rung, StructuredSetting, UnknownRung};
