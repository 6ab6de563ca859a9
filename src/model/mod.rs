//! Models: one small trait, one client for OpenAI-compatible servers, and one file per behaviour
//! that is wrapped around it.
//!
//! A call passes, from outside to inside: [`structured`] (how a reply is held to a schema),
//! [`journal`] (a reply that is known is not asked for again), [`first_call`] (a wrong key ends the
//! run, not a row), [`retry`] (what may pass is tried again), [`limit`] (how many calls at once) and
//! [`openai`] (the wire). Each is a [`ChatModel`] around a [`ChatModel`]; [`stack`] puts them
//! together in that order. [`scripted`] needs no server.

pub mod batch;
mod chat_model;
mod completion;
mod concurrency;
mod error;
pub mod first_call;
pub mod journal;
pub mod limit;
mod memory_journal;
pub mod openai;
mod price;
mod request;
pub mod retry;
mod role;
pub mod scripted;
pub mod stack;
pub mod structured;
pub mod traffic;
mod turns;

pub use chat_model::ChatModel;
pub use completion::{Completion, Finish, TokenUsage};
pub use concurrency::{Concurrency, NoConcurrency};
pub use error::{ModelError, NotConnected, Reach, Retry};
pub use memory_journal::MemoryJournal;
pub use price::Price;
pub use request::{ChatRequest, Origin, ReplyFormat, ReplySchema, Sampling};
pub use role::ModelRole;
