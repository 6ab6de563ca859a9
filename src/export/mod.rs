//! Transcripts as training and audit data: rows in the forms that other tools read.
//!
//! This module knows transcripts and no store: whoever has transcripts hands them over one by one
//! and gets rows back, so that memory does not grow with the run.
//!
//! # Layout
//!
//! * [`FormatName`] names the formats and makes them; each is a [`Format`] in a file of its own.
//! * [`Item`] is a sealed transcript with what belongs to it; [`LeftOut`] says why one gives no row.
//! * [`Selection`] chooses transcripts, [`Splits`] spreads them over files, and an [`Exporter`] does
//!   both, drops what is there twice, and counts.
//! * [`Card`] is the README of what was exported.

mod about;
mod annotated_pairs;
mod cai;
mod card;
mod decided;
mod dpo;
mod dpo_chat;
mod exporter;
mod format;
mod human_assistant;
mod item;
mod kto;
mod langchain;
mod left_out;
mod nemo;
mod pairs;
mod prompt_completion;
mod requests;
mod reward;
mod row;
mod selection;
mod sft;
mod sharegpt;
mod slmadison;
mod splits;
#[cfg(test)]
pub(crate) mod test_transcripts;
mod texts;
mod transcripts;
mod words;

pub use about::About;
pub use card::{Card, CardFile, is_own_card};
pub use decided::Decided;
pub use exporter::{Counts, Exporter, Placed};
pub use format::{Format, FormatName, Frame, Shape};
pub use item::Item;
pub use left_out::LeftOut;
pub use requests::Requests;
pub use selection::{Include, Selection};
pub use slmadison::{CRITIQUE as CRITIQUE_FRAME, REVISION as REVISION_FRAME};
pub use splits::{Splits, SplitsError};
pub use texts::Texts;
