//! The one place that builds everything from settings: the store, the models with what is wrapped
//! around them, and the pipeline.
//!
//! It reads no environment itself: keys come through a function that the caller gives.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::config::{ModelPlan, RolePlan, Settings};
use crate::constitution::{Constitution, LoadError};
use crate::model::openai::{ApiKey, BaseUrlError, Endpoint, EndpointError};
use crate::model::stack::{StackOptions, stack};
use crate::model::structured::UnknownRung;
use crate::model::traffic::Traffic;
use crate::model::{ChatModel, Concurrency, ModelRole};
use crate::pipeline::{Pipeline, PipelineError};
use crate::prompt::{PromptError, PromptSet};
use crate::round::{Assigned, Cast};
use crate::store::sqlite::SqliteStore;
use crate::store::{Store, StoreError};

/// The constitution that judges when nobody chose one: it needs no model.
pub const DEFAULT_CONSTITUTION: &str = "privacy";

/// Something could not be built from the settings.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The constitution cannot be loaded.
    #[error(transparent)]
    Constitution(#[from] LoadError),
    /// A prompt template is wrong.
    #[error(transparent)]
    Prompt(#[from] PromptError),
    /// The pipeline cannot be put together.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A model's address is wrong.
    #[error("the model {model} has a wrong address")]
    Address {
        /// The model's name in the settings.
        model: String,
        /// What is wrong with it.
        #[source]
        source: BaseUrlError,
    },
    /// A model cannot be reached the way it is set up.
    #[error("the model {model} cannot be set up")]
    Endpoint {
        /// The model's name in the settings.
        model: String,
        /// What is wrong.
        #[source]
        source: EndpointError,
    },
    /// A model's `structured` is none of the ways there are.
    #[error("the model {model} has a wrong setting `structured`")]
    Structured {
        /// The model's name in the settings.
        model: String,
        /// What there is.
        #[source]
        source: UnknownRung,
    },
}

/// Opens the store for writing; makes it if it is not there.
///
/// # Errors
///
/// When it cannot be opened or written.
pub fn open_store(path: &Path) -> Result<Arc<dyn Store>, AppError> {
    Ok(Arc::new(SqliteStore::open(path)?))
}

/// Opens a store that is there, for reading.
///
/// # Errors
///
/// When it is not there or cannot be read.
pub fn open_store_to_read(path: &Path) -> Result<Arc<dyn Store>, AppError> {
    Ok(Arc::new(SqliteStore::open_read_only(path)?))
}

/// What a pipeline is connected to.
#[derive(Debug, Default)]
pub struct Connections {
    /// Where replies are journalled; without a store every call is made.
    pub store: Option<Arc<dyn Store>>,
    /// The journal scope of a run that ignores earlier calls.
    pub scope: Option<String>,
    /// Where the calls are counted.
    pub traffic: Arc<Traffic>,
}

/// Builds the pipeline that the settings describe.
///
/// # Errors
///
/// When constitution, templates, models or recipe do not work.
pub fn pipeline(
    settings: &Settings,
    key: impl Fn(&str) -> Option<String>,
    connections: &Connections,
) -> Result<Pipeline, AppError> {
    let name = settings
        .constitution
        .as_deref()
        .unwrap_or(DEFAULT_CONSTITUTION);
    let constitution = Constitution::load(name)?;
    let prompts = match &settings.prompts {
        Some(folder) => PromptSet::with_folder(folder)?,
        None => PromptSet::shipped(),
    };
    let mut models = BTreeMap::new();
    for (name, plan) in &settings.models {
        models.insert(
            name.as_str(),
            model(name, plan, settings.concurrency, &key, connections)?,
        );
    }
    let assigned = |wanted: ModelRole| {
        let (_, RolePlan { model, sampling }) =
            settings.roles.iter().find(|(role, _)| *role == wanted)?;
        Some(Assigned {
            model: models.get(model.as_str())?.clone(),
            sampling: sampling.clone(),
            price: settings.models.get(model)?.price,
        })
    };
    let cast = Cast {
        drafter: assigned(ModelRole::Drafter),
        critic: assigned(ModelRole::Critic),
        reviser: assigned(ModelRole::Reviser),
    };
    Ok(Pipeline::builder(constitution)
        .prompts(Arc::new(prompts))
        .recipe(settings.recipe.clone())
        .cast(cast)
        .seed(settings.seed)
        .build()?)
}

fn model(
    name: &str,
    plan: &ModelPlan,
    concurrency: Concurrency,
    key: &impl Fn(&str) -> Option<String>,
    connections: &Connections,
) -> Result<Arc<dyn ChatModel>, AppError> {
    let model = name.to_owned();
    let address = plan.base_url.parse().map_err(|source| AppError::Address {
        model: model.clone(),
        source,
    })?;
    let variable = &plan.key_variable;
    let endpoint = Endpoint {
        api_key: key(variable).map(|secret| {
            ApiKey::new(secret).from_origin(format!("the environment variable {variable}"))
        }),
        timeout: Duration::from_secs(plan.timeout_seconds),
        ..Endpoint::new(&plan.model, address)
    };
    let structured = plan
        .structured
        .parse()
        .map_err(|source| AppError::Structured {
            model: model.clone(),
            source,
        })?;
    let options = StackOptions {
        concurrency,
        price: plan.price,
        structured,
        journal: connections.store.clone().map(|store| store as _),
        scope: connections.scope.clone(),
        traffic: Arc::clone(&connections.traffic),
        batch: plan.batch.clone(),
        ..StackOptions::default()
    };
    stack(&endpoint, options).map_err(|source| AppError::Endpoint { model, source })
}
