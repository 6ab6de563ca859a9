//! The pipeline: one record is one straight async function from draft to outcome.
//!
//! [`Pipeline`] puts constitution, prompts, [`Recipe`] and models together. A recipe that has every
//! text assessed by every principle goes the way of `until_clean`, any other the way of `drawn`;
//! `mend` makes a new text of what was found, and `keep` compares texts. An [`Observer`] is told
//! what happens as it happens, and `span` tells it to whoever traces. There is no clock here and no chance: draws are seeded by record and
//! round (`select`).

mod builder;
mod drawn;
mod event;
mod hold;
mod judge;
mod keep;
mod mend;
mod recipe;
mod revise;
mod select;
mod span;
#[cfg(test)]
mod tests;
mod until_clean;

pub use builder::{Pipeline, PipelineBuilder, PipelineError};
pub use event::{Observer, PipelineEvent, Unobserved};
pub use hold::Hold;
pub use judge::Judgement;
pub use recipe::{CritiqueStyle, Keep, Preset, Principles, Recipe, RecipeError, Revise};
pub use select::draw_by;
pub use span::FINDING;
