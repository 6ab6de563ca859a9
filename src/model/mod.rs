//! Models: one small trait, one client for OpenAI-compatible servers, and one file per behaviour
//! that is wrapped around it.
//!
//! A call passes, from outside to inside: [`structured`] (how a reply is held to a schema),
//! [`journal`] (a reply that is known is not asked for again), [`budget`] (spending ends at a limit),
//! [`first_call`] (a wrong key ends the run, not a row), [`retry`] (what may pass is tried again),
//! [`dispatch`] (where and when, by what the servers are good for) and [`openai`] (the wire). Each is a
//! [`ChatModel`] around a [`ChatModel`]; [`stack`] puts them
//! together in that order. [`scripted`] needs no server.

pub mod batch;
pub mod budget;
mod chat_model;
pub mod closed;
mod completion;
mod concurrency;
pub mod dispatch;
mod error;
pub mod first_call;
mod held_place;
pub mod journal;
mod json_text;
mod memory_journal;
mod messages;
pub mod openai;
pub mod pace;
mod price;
mod rate_notice;
mod request;
pub mod retry;
mod role;
pub mod scripted;
pub mod stack;
pub mod structured;
mod token_place;
pub mod traffic;
mod turns;

pub use chat_model::ChatModel;
pub use completion::{Completion, Finish, TokenUsage};
pub use concurrency::{Concurrency, NoConcurrency};
pub use error::{BrokenOff, ModelError, NotConnected, Reach, Retry, TimeLimit};
pub use held_place::HeldPlace;
pub use json_text::JsonText;
pub use memory_journal::MemoryJournal;
pub use messages::{Lead, Messages};
pub use price::Price;
pub use rate_notice::{Allowance, RateNotice, RateSink};
pub use request::{ChatRequest, Origin, ReplyFormat, ReplySchema, Sampling};
pub use role::ModelRole;
pub use token_place::{TokenChance, TokenPlace};
