//! A pipeline and how it is put together.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use futures::stream::{Stream, StreamExt};
use serde_json::{Value, json};

use super::{Observer, Recipe, RecipeError, Revise, Unobserved};
use crate::constitution::Constitution;
use crate::model::ModelRole;
use crate::prompt::{PromptError, PromptSet};
use crate::record::Record;
use crate::round::{Assigned, Cast, Instructions, RoundError};
use crate::transcript::{ConstitutionMark, Provenance, Transcript};

/// Takes records to their outcome: constitution, prompts, recipe and models in one.
///
/// # Examples
///
/// ```
/// use redraft::constitution::Constitution;
/// use redraft::message::Conversation;
/// use redraft::pipeline::Pipeline;
/// use redraft::record::Record;
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let pipeline = Pipeline::builder(Constitution::load("privacy")?).build()?;
/// let record = Record::new(Conversation::from_prompt("Whom do I ask?"))
///     .with_answer("Write to ann@example.com.");
/// let transcript = pipeline.revise(&record).await?;
/// let answer = transcript.final_answer.expect("checks always end with an answer");
/// assert_eq!(answer.text, "Write to [e-mail address].");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Pipeline {
    pub(super) constitution: Arc<Constitution>,
    pub(super) prompts: Arc<PromptSet>,
    pub(super) instructions: Instructions,
    pub(super) recipe: Recipe,
    pub(super) cast: Cast,
    pub(super) seed: u64,
    pub(super) run: String,
    pub(super) provenance: Arc<Provenance>,
    pub(super) listeners: Listeners,
}

/// Who is told of every record.
#[derive(Clone, Default)]
pub(super) struct Listeners(pub(super) Vec<Arc<dyn Observer>>);

impl fmt::Debug for Listeners {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} listeners", self.0.len())
    }
}

/// A pipeline cannot be put together, or a record stopped it.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// Two knobs of the recipe do not fit together.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// A template is wrong.
    #[error(transparent)]
    Prompt(#[from] PromptError),
    /// The constitution has principles that need a model, and there is none for the role.
    #[error(
        "the constitution {constitution} has {} that need a model, and no model has the role {role}: {}",
        count(principles.len()),
        principles.join(", ")
    )]
    NeedsModel {
        /// The constitution's name.
        constitution: String,
        /// The role that nobody has.
        role: ModelRole,
        /// The principles' ids.
        principles: Vec<String>,
    },
    /// A failure that reaches every record.
    #[error("the run cannot go on")]
    Stopped(#[source] RoundError),
}

fn count(principles: usize) -> String {
    match principles {
        1 => "1 principle".to_owned(),
        many => format!("{many} principles"),
    }
}

/// Puts a [`Pipeline`] together.
#[derive(Debug)]
pub struct PipelineBuilder {
    constitution: Arc<Constitution>,
    prompts: Option<Arc<PromptSet>>,
    recipe: Recipe,
    cast: Cast,
    seed: u64,
    run: String,
    listeners: Listeners,
    reviser_stays_out: bool,
}

impl PipelineBuilder {
    /// Nobody revises but the checks' own rewrites, whoever is cast: for texts that are not written
    /// for people.
    #[must_use]
    pub fn mends_by_checks_alone(mut self) -> Self {
        self.reviser_stays_out = true;
        self
    }

    /// Who plays which role; nobody, without this.
    #[must_use]
    pub fn cast(mut self, cast: Cast) -> Self {
        self.cast = cast;
        self
    }

    /// How records are worked on; the preset `audit`, without this.
    #[must_use]
    pub fn recipe(mut self, recipe: Recipe) -> Self {
        self.recipe = recipe;
        self
    }

    /// The templates; the shipped ones, without this.
    #[must_use]
    pub fn prompts(mut self, prompts: Arc<PromptSet>) -> Self {
        self.prompts = Some(prompts);
        self
    }

    /// The seed of every draw; 0, without this.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The run that transcripts name.
    #[must_use]
    pub fn run(mut self, run: impl Into<String>) -> Self {
        self.run = run.into();
        self
    }

    /// Somebody who is told what happens to every record; several may be.
    #[must_use]
    pub fn listener(mut self, listener: Arc<dyn Observer>) -> Self {
        self.listeners.0.push(listener);
        self
    }

    /// The pipeline.
    ///
    /// # Errors
    ///
    /// When knobs of the recipe contradict each other, a template is wrong, or principles need a
    /// model that is not there.
    pub fn build(mut self) -> Result<Pipeline, PipelineError> {
        self.recipe.check()?;
        self.needs_models()?;
        if self.reviser_stays_out {
            self.cast.reviser = None;
        }
        let prompts = self
            .prompts
            .unwrap_or_else(|| Arc::new(PromptSet::shipped()));
        let provenance = Arc::new(Provenance {
            constitution: Some(ConstitutionMark::of(&self.constitution)),
            prompts: Some(prompts.digest()),
            recipe: json!(self.recipe),
            models: Some(models(&self.cast)),
            seed: Some(self.seed),
            redraft: env!("CARGO_PKG_VERSION").to_owned(),
        });
        Ok(Pipeline {
            instructions: Instructions::new(&prompts, self.recipe.few_shot)?,
            constitution: self.constitution,
            prompts,
            recipe: self.recipe,
            cast: self.cast,
            seed: self.seed,
            run: self.run,
            provenance,
            listeners: self.listeners,
        })
    }

    fn needs_models(&self) -> Result<(), PipelineError> {
        let principles: Vec<String> = self
            .constitution
            .principles()
            .iter()
            .filter(|principle| !principle.is_settled_by_checks())
            .map(|principle| principle.id.clone())
            .collect();
        let missing = [ModelRole::Critic, ModelRole::Reviser]
            .into_iter()
            .find(|role| self.cast.get(*role).is_none());
        match missing {
            Some(role) if !principles.is_empty() => Err(PipelineError::NeedsModel {
                constitution: self.constitution.name().to_owned(),
                role,
                principles,
            }),
            _ => Ok(()),
        }
    }
}

fn models(cast: &Cast) -> BTreeMap<ModelRole, Value> {
    [ModelRole::Drafter, ModelRole::Critic, ModelRole::Reviser]
        .into_iter()
        .filter_map(|role| {
            let Assigned {
                model, sampling, ..
            } = cast.get(role)?;
            Some((role, json!({ "model": model.name(), "sampling": sampling })))
        })
        .collect()
}

impl Pipeline {
    /// Begins a pipeline for a constitution.
    #[must_use]
    pub fn builder(constitution: impl Into<Arc<Constitution>>) -> PipelineBuilder {
        PipelineBuilder {
            constitution: constitution.into(),
            prompts: None,
            recipe: Recipe::default(),
            cast: Cast::default(),
            seed: 0,
            run: "library".to_owned(),
            listeners: Listeners::default(),
            reviser_stays_out: false,
        }
    }

    /// Gives the run another name, which transcripts then carry.
    pub fn name_run(&mut self, name: &str) {
        name.clone_into(&mut self.run);
    }

    /// What decides every transcript besides its record.
    #[must_use]
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// The constitution that judges.
    #[must_use]
    pub fn constitution(&self) -> &Constitution {
        &self.constitution
    }

    /// Whether a record ends as soon as nothing is violated, so that every revision after its first
    /// one is another try.
    #[must_use]
    pub fn stops_when_clean(&self) -> bool {
        self.recipe.assesses_everything() && self.recipe.revise == Revise::Violated
    }

    /// Whether a record without an answer can get a draft.
    #[must_use]
    pub fn can_draft(&self) -> bool {
        self.cast.drafter.is_some()
    }

    /// Takes one record to its outcome.
    ///
    /// # Errors
    ///
    /// Only for what reaches every record; what fails for this record alone is its outcome.
    pub async fn revise(&self, record: &Record) -> Result<Transcript, PipelineError> {
        self.revise_observed(record, &Unobserved).await
    }

    /// Takes one record to its outcome and tells an observer what happens.
    ///
    /// # Errors
    ///
    /// Only for what reaches every record; what fails for this record alone is its outcome.
    pub async fn revise_observed(
        &self,
        record: &Record,
        observer: &dyn Observer,
    ) -> Result<Transcript, PipelineError> {
        super::revise::revise(self, record, observer).await
    }

    /// Takes a stream of records to their outcomes, at most `window` of them at once, in the order
    /// in which they end.
    pub fn revise_all<'s>(
        &'s self,
        records: impl Stream<Item = Record> + 's,
        window: usize,
    ) -> impl Stream<Item = Result<Transcript, PipelineError>> + 's {
        records
            .map(move |record| async move { self.revise(&record).await })
            .buffer_unordered(window.max(1))
    }
}
