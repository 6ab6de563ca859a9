//! Principles out of other people's files, as a constitution of ours.
//!
//! A file is read whole (`source`) and its [`Shape`] recognised. A reader, one file for each shape,
//! gives what it holds as entries and says what it could not map (`haul`). Entries become principles
//! with ids (`assemble`, `ids`, `derived_text`), are compared by what they say, never by their names
//! (`content`, `compare`), and are written as YAML that is examined before anyone gets it (`write`).
//!
//! Every reader has the same two functions: `fits` says whether a source has the shape, `read` takes
//! it apart.

mod assemble;
mod chat;
mod compare;
mod content;
mod critique_revision;
mod derived_text;
mod error;
mod few_shot_comparisons;
mod few_shot_pairs;
mod few_shot_transcripts;
mod fields;
mod haul;
mod ids;
mod imported;
mod langchain;
mod llm_swarm;
mod nemo_samples;
mod open_character;
mod preference_questions;
mod salmon;
mod sentences;
mod shape;
mod source;
mod table;
mod transcript;
mod write;

pub use assemble::{Renamed, Repeated};
pub use compare::{Match, Relation};
pub use derived_text::TextOrigin;
pub use error::ImportError;
pub use haul::Unmapped;
pub use imported::{ImportOptions, Imported, import};
pub use shape::{Shape, UnknownShape};
