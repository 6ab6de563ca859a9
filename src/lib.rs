//! redraft takes an answer, critiques it against a written constitution, revises it, and keeps the
//! transcript of every round.
//!
//! This is the library under the `redraft` command. It needs no store, no command line and, where
//! the constitution is made of checks alone, no model.
//!
//! # A first program
//!
//! ```
//! use redraft::{Constitution, Conversation, Pipeline, Record};
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let pipeline = Pipeline::builder(Constitution::load("privacy")?).build()?;
//! let record = Record::new(Conversation::from_prompt("Who can help me?"))
//!     .with_answer("Ask Ann: ann@example.com, or 415-555-0134.");
//!
//! let transcript = pipeline.revise(&record).await?;
//!
//! let answer = transcript.final_answer.as_ref().expect("there was an answer to begin with");
//! assert_eq!(answer.text, "Ask Ann: [e-mail address], or [phone number].");
//! assert_eq!(transcript.outcome.as_str(), "compliant");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # With a model
//!
//! [`model::stack::stack`] makes a model of an address, with retries and a limit around it;
//! [`round::Cast`] says who drafts, who criticises and who revises.
//!
//! ```
//! use redraft::model::openai::Endpoint;
//! use redraft::model::stack::{StackOptions, stack};
//! use redraft::round::{Assigned, Cast};
//! use redraft::{Constitution, Pipeline};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let endpoint = Endpoint::new("Qwen/Qwen3-8B", "http://localhost:8000/v1".parse()?);
//! let model = Assigned::new(stack(&endpoint, StackOptions::default())?);
//! let pipeline = Pipeline::builder(Constitution::load("customer-support")?)
//!     .cast(Cast::of_one(&model))
//!     .build()?;
//! assert!(pipeline.can_draft());
//! # Ok(())
//! # }
//! ```
//!
//! A model of your own is an implementation of [`model::ChatModel`], two methods long; for tests
//! there is [`model::scripted::Scripted`]. `examples/custom_model.rs` and `examples/stream.rs` show
//! both at work.
//!
//! # What fails, and how
//!
//! [`Pipeline::revise`] returns an error only for what would reach every record: a refused key, a
//! wrong template. What fails for one record alone is that record's [`transcript::Outcome`], with
//! the reason in [`Transcript::why`]. What could not be assessed has the verdict
//! [`transcript::Verdict::Error`], which never becomes another one.
//!
//! # Layout
//!
//! A module imports only from those above it.
//!
//! - [`digest`]: naming bytes by what they hold
//! - [`merkle`]: the arithmetic of Merkle trees
//! - [`yaml`]: YAML files, with errors that point
//! - [`message`]: what is said: roles, messages, conversations
//! - [`record`]: one item of work
//! - [`constitution`]: principles, loading, examining; [`constitution::check`] the machine tests
//! - [`prompt`]: templates, their contexts, and the fence around text that is not to be trusted
//! - [`model`]: the trait, the client, and what is wrapped around it
//! - [`simulated`]: a server without a model, to measure and to test against
//! - [`transcript`]: the record of it all, and its sealed form
//! - [`round`]: draft, critique, revise
//! - [`pipeline`]: recipes, and a record's way from draft to outcome
//! - [`store`]: where calls and transcripts are kept
//! - [`dataset`]: rows in and out
//! - [`export`]: transcripts as training data
//! - [`import`]: transcripts that other tools made
//! - [`telemetry`]: log lines, metrics, traces, and the one clock
//! - [`run`]: a dataset through a pipeline into a store
//! - [`audit`]: statistics and differences
//! - [`mod@prefer`]: which of two answers keeps a constitution better
//! - [`gateway`](mod@gateway): an OpenAI-compatible endpoint whose answers keep a constitution
//! - [`review`]: what people decide about transcripts
//! - [`web`]: runs and transcripts as pages in a browser
//! - [`config`]: settings, from file, environment and command line
//! - [`app`]: builds everything from settings
//! - [`mod@bench`]: measures an endpoint, or this machine against the simulated server
//! - [`cli`]: the commands
//!
//! To resume, a run replays: [`model::journal`] says how replies are kept, [`run`] how far a dataset
//! is known to be done.

pub mod app;
pub mod audit;
pub mod bench;
pub mod cli;
pub mod config;
pub mod constitution;
pub mod dataset;
pub mod digest;
pub mod export;
pub mod gateway;
pub mod import;
pub mod merkle;
pub mod message;
pub mod model;
pub mod pipeline;
pub mod prefer;
pub mod prompt;
pub mod record;
pub mod review;
pub mod round;
pub mod run;
pub mod simulated;
pub mod store;
pub mod telemetry;
pub mod transcript;
pub mod web;
pub mod yaml;

pub use constitution::Constitution;
pub use message::Conversation;
pub use pipeline::Pipeline;
pub use record::Record;
pub use transcript::Transcript;
