//! redraft drafts an answer with a language model, critiques it against a written constitution,
//! revises it, and keeps the transcript of every round.

pub mod app;
pub mod audit;
pub mod cli;
pub mod config;
pub mod constitution;
pub mod dataset;
pub mod digest;
pub mod message;
pub mod model;
pub mod pipeline;
pub mod prompt;
pub mod record;
pub mod round;
pub mod run;
pub mod store;
pub mod telemetry;
pub mod transcript;
pub mod yaml;
