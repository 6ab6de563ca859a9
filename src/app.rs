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
use crate::gateway::{self, Mode, Panel, Served};
use crate::model::closed::{Closed, stack_closed};
use crate::model::openai::{ApiKey, BaseUrlError, Endpoint, EndpointError, Relay};
use crate::model::pace::Paces;
use crate::model::stack::{StackOptions, stack_replicas};
use crate::model::structured::UnknownRung;
use crate::model::traffic::Traffic;
use crate::model::{ChatModel, Concurrency, ModelRole};
use crate::pipeline::{Pipeline, PipelineBuilder, PipelineError, Recipe};
use crate::prefer::{Judge, JudgeError, JudgeOptions};
use crate::prompt::{PromptError, PromptSet};
use crate::round::{Assigned, Cast};
use crate::store::sqlite::SqliteStore;
use crate::store::{Store, StoreError};
use crate::telemetry::Metrics;

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
    /// The judge cannot be put together.
    #[error(transparent)]
    Judge(#[from] JudgeError),
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
    /// The budget is in money, and a model's tokens have no price.
    #[error(
        "the model {model} has no `price`, so what it spends cannot be held within a cost: give it \
         one in the settings, or limit the tokens instead"
    )]
    Unpriced {
        /// The model's name in the settings.
        model: String,
    },
    /// A model of the gateway has a recipe by which no answer is ever known to be compliant.
    #[error(
        "the gateway's model {model} has a recipe that does not assess every text by every principle, \
         and mode `{}` needs one that does, such as `audit`",
        mode.as_str()
    )]
    NotAssessing {
        /// The model's public name.
        model: String,
        /// What is to become of its answers.
        mode: Mode,
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
    /// The paces of all keys.
    pub paces: Arc<Paces>,
    /// A closed network: nothing is asked, and its journal stands in for the store.
    pub closed: Option<Arc<Closed>>,
    /// What counts the records and their calls.
    pub metrics: Option<Arc<Metrics>>,
    /// Whether somebody waits for every call: what fails is not tried for long.
    pub is_awaited: bool,
}

/// Builds the pipeline that the settings describe.
///
/// # Errors
///
/// When constitution, templates, models or recipe do not work, or the traffic's budget limits the
/// cost and a model has no price.
pub fn pipeline(
    settings: &Settings,
    key: impl Fn(&str) -> Option<String>,
    connections: &Connections,
) -> Result<Pipeline, AppError> {
    let Parts {
        constitution,
        prompts,
        cast,
    } = parts(settings, key, connections)?;
    let builder = Pipeline::builder(constitution)
        .prompts(prompts)
        .recipe(settings.recipe.clone())
        .cast(cast)
        .seed(settings.seed);
    Ok(counted(builder, connections).build()?)
}

/// The same, with its records counted where somebody counts.
fn counted(builder: PipelineBuilder, connections: &Connections) -> PipelineBuilder {
    match &connections.metrics {
        Some(metrics) => builder.listener(Arc::clone(metrics) as _),
        None => builder,
    }
}

/// Builds the judge of pairs that the settings describe.
///
/// # Errors
///
/// When constitution, templates or models do not work, or the traffic's budget limits the cost and
/// a model has no price.
pub fn judge(
    settings: &Settings,
    options: JudgeOptions,
    key: impl Fn(&str) -> Option<String>,
    connections: &Connections,
) -> Result<Judge, AppError> {
    let Parts {
        constitution,
        prompts,
        cast,
    } = parts(settings, key, connections)?;
    let journal = connections.store.clone().map(|store| store as _);
    Ok(Judge::new(constitution, prompts, cast, options, journal)?)
}

/// What everything is made of that asks models about a constitution.
struct Parts {
    constitution: Constitution,
    prompts: Arc<PromptSet>,
    cast: Cast,
}

fn parts(
    settings: &Settings,
    key: impl Fn(&str) -> Option<String>,
    connections: &Connections,
) -> Result<Parts, AppError> {
    let name = settings
        .constitution
        .as_deref()
        .unwrap_or(DEFAULT_CONSTITUTION);
    Ok(Parts {
        constitution: Constitution::load(name)?,
        prompts: Arc::new(prompts(settings)?),
        cast: cast(settings, key, connections)?,
    })
}

fn prompts(settings: &Settings) -> Result<PromptSet, PromptError> {
    match &settings.prompts {
        Some(folder) => PromptSet::with_folder(folder),
        None => Ok(PromptSet::shipped()),
    }
}

fn cast(
    settings: &Settings,
    key: impl Fn(&str) -> Option<String>,
    connections: &Connections,
) -> Result<Cast, AppError> {
    if connections.traffic.budget().limits().cost.is_some() {
        priced(settings)?;
    }
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
    Ok(Cast {
        drafter: assigned(ModelRole::Drafter),
        critic: assigned(ModelRole::Critic),
        reviser: assigned(ModelRole::Reviser),
    })
}

/// Whether what every model spends can be counted in money.
fn priced(settings: &Settings) -> Result<(), AppError> {
    let mut models = settings.models.iter();
    match models.find(|(_, plan)| plan.price.is_none()) {
        Some((name, _)) => Err(AppError::Unpriced {
            model: name.clone(),
        }),
        None => Ok(()),
    }
}

fn model(
    name: &str,
    plan: &ModelPlan,
    concurrency: Concurrency,
    key: &impl Fn(&str) -> Option<String>,
    connections: &Connections,
) -> Result<Arc<dyn ChatModel>, AppError> {
    let model = name.to_owned();
    let endpoints = endpoints(name, plan, key)?;
    let structured = plan
        .structured
        .parse()
        .map_err(|source| AppError::Structured {
            model: model.clone(),
            source,
        })?;
    if let Some(closed) = &connections.closed {
        let scope = connections.scope.clone();
        return stack_closed(&endpoints[0], structured, scope, closed)
            .map_err(|source| AppError::Endpoint { model, source });
    }
    let default = if connections.is_awaited {
        StackOptions::awaited()
    } else {
        StackOptions::default()
    };
    let options = StackOptions {
        concurrency,
        price: plan.price,
        structured,
        journal: connections.store.clone().map(|store| store as _),
        scope: connections.scope.clone(),
        traffic: Arc::clone(&connections.traffic),
        paces: Arc::clone(&connections.paces),
        batch: plan.batch.clone(),
        ..default
    };
    stack_replicas(&endpoints, options).map_err(|source| AppError::Endpoint { model, source })
}

/// Where a model is, and with which key and patience it is asked.
fn endpoints(
    name: &str,
    plan: &ModelPlan,
    key: &impl Fn(&str) -> Option<String>,
) -> Result<Vec<Endpoint>, AppError> {
    let variable = &plan.key_variable;
    let api_key = key(variable).map(|secret| {
        ApiKey::new(secret).from_origin(format!("the environment variable {variable}"))
    });
    let endpoint = |address: &String| {
        let address = address.parse().map_err(|source| AppError::Address {
            model: name.to_owned(),
            source,
        })?;
        Ok(Endpoint {
            api_key: api_key.clone(),
            timeout: Duration::from_secs(plan.timeout_seconds),
            connect_timeout: Duration::from_secs(plan.connect_seconds),
            first_byte_timeout: plan.first_byte_seconds.map(Duration::from_secs),
            idle_timeout: Duration::from_secs(plan.idle_seconds),
            requests_per_minute: plan.rpm,
            tokens_per_minute: plan.tpm,
            ..Endpoint::new(&plan.model, address)
        })
    };
    plan.base_urls.iter().map(endpoint).collect()
}

/// Builds the models that the gateway offers.
///
/// # Errors
///
/// When constitutions, templates, models or recipes do not work.
pub fn served(
    settings: &Settings,
    key: impl Fn(&str) -> Option<String>,
    connections: &Connections,
) -> Result<Vec<Served>, AppError> {
    let prompts = Arc::new(prompts(settings)?);
    let cast = Cast {
        drafter: None,
        ..cast(settings, &key, connections)?
    };
    let mut served = Vec::new();
    for plan in &settings.gateway.offered {
        let endpoints = endpoints(&plan.upstream, &plan.model, &key)?;
        let relay = Relay::new(&endpoints).map_err(|source| AppError::Endpoint {
            model: plan.upstream.clone(),
            source,
        })?;
        let name = plan.constitution.as_deref().unwrap_or(DEFAULT_CONSTITUTION);
        let mut panels = Vec::new();
        let mut panel = None;
        if plan.mode != Mode::Off {
            if !plan.recipe.assesses_everything() {
                return Err(AppError::NotAssessing {
                    model: plan.name.clone(),
                    mode: plan.mode,
                });
            }
            let constitution = Arc::new(Constitution::load(name)?);
            // Checks alone are promised to add no call to a model, not even for a revision.
            let needs_model = (constitution.principles().iter())
                .any(|principle| !principle.is_settled_by_checks());
            let build = |rounds: u32| {
                let builder = || {
                    let builder = Pipeline::builder(Arc::clone(&constitution))
                        .prompts(Arc::clone(&prompts))
                        .recipe(Recipe {
                            rounds,
                            // A client waits for an answer, and not for a person.
                            hold: None,
                            ..plan.recipe.clone()
                        })
                        .cast(cast.clone())
                        .seed(settings.seed)
                        .run(gateway::run_name(&plan.name));
                    counted(builder, connections)
                };
                Ok::<_, PipelineError>(Panel {
                    texts: if needs_model {
                        builder().build()?
                    } else {
                        builder().mends_by_checks_alone().build()?
                    },
                    data: builder().mends_by_checks_alone().build()?,
                })
            };
            // Who only observes revises nothing.
            let is_enforced = plan.mode == Mode::Enforce;
            panel = Some(build(if is_enforced { plan.recipe.rounds } else { 0 })?);
            if let Some(most) = plan.client_rounds.filter(|_| is_enforced) {
                panels = (0..=most).map(build).collect::<Result<_, _>>()?;
            }
        }
        served.push(Served {
            name: plan.name.clone(),
            relay,
            mode: plan.mode,
            on_unresolved: plan.on_unresolved,
            on_critic_error: plan.on_critic_error,
            message: (plan.message.clone()).unwrap_or_else(|| gateway::DEFAULT_MESSAGE.to_owned()),
            tags: plan.tags.clone(),
            panel,
            panels_by_rounds: panels,
        });
    }
    Ok(served)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, Overrides};
    use crate::model::budget::BudgetLimits;

    #[test]
    fn a_limit_to_the_cost_needs_the_price_of_every_model() {
        let folder = tempfile::tempdir().unwrap();
        let built = |prices: [&str; 2], limits| {
            let file = folder.path().join("redraft.yaml");
            let text = format!(
                "models: {{ small: {{ model: a{} }}, large: {{ model: b{} }} }}\n\
                 roles: {{ drafter: small, critic: large, reviser: small }}\n",
                prices[0], prices[1]
            );
            std::fs::write(&file, text).unwrap();
            let overrides = Overrides {
                file: Some(file),
                ..Overrides::default()
            };
            let settings = Settings::resolve(overrides, &Environment::from_pairs([])).unwrap();
            let connections = Connections::default();
            connections.traffic.budget().set_limits(limits);
            pipeline(&settings, |_| None, &connections).map(|_| ())
        };
        let price = ", price: { input: 1, output: 2 }";
        let cost = BudgetLimits {
            cost: Some(1.0),
            tokens: None,
        };
        let tokens = BudgetLimits {
            cost: None,
            tokens: Some(1000),
        };
        assert!(built([price, price], cost).is_ok());
        assert!(built(["", ""], tokens).is_ok());
        let error = built([price, ""], cost).unwrap_err().to_string();
        assert!(
            error.contains("large") && error.contains("`price`"),
            "{error}"
        );
    }
}
