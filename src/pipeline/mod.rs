//! The pipeline: one record is one straight async function from draft to outcome.

mod builder;
mod drawn;
mod event;
mod keep;
mod mend;
mod recipe;
mod revise;
mod select;
#[cfg(test)]
mod tests;
mod until_clean;

pub use builder::{Pipeline, PipelineBuilder, PipelineError};
pub use event::{Observer, PipelineEvent, Unobserved};
pub use recipe::{CritiqueStyle, Keep, Preset, Principles, Recipe, RecipeError, Revise};
