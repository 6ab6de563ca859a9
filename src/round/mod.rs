//! One round's three verbs: draft, critique, revise. They do no I/O but the model call.
//!
//! Each verb is a function of a [`Bench`]: the record, the models of the [`Cast`], the prompts and a
//! [`Ledger`] for what the calls use.
//!
//! # Layout
//!
//! - `draft`, `critique`, `revise`: the verbs, in files that mirror each other
//! - `checks`: what checks find and mend, before any model is asked
//! - `contract`, `evidence`: what a critic's reply settles, and whether its quotes occur
//! - `called`, `span`: how calls went, for whoever counts or looks on; it decides nothing
//! - `chat`: the paper's conversation; `instructions`: what is constant over a run

mod bench;
mod called;
mod cast;
mod chat;
mod checks;
mod contract;
mod critique;
mod draft;
mod error;
mod evidence;
mod instructions;
mod ledger;
mod revise;
mod span;

pub use bench::{Bench, RoundOptions, sample_of_request};
pub use called::{CallEnd, Called, Took};
pub use cast::{Assigned, Cast};
pub use checks::{judge_by_checks, rewrite_by_checks};
pub use critique::{Critique, critique, critique_in_chat};
pub use draft::draft;
pub use error::RoundError;
pub use evidence::locate_quote;
pub use instructions::Instructions;
pub use ledger::{Closed, Ledger};
pub use revise::{Revised, revise, revise_in_chat};
pub use span::CONTENT;
