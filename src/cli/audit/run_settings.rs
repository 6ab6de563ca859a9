//! The settings of a run that is in a store, as far as the store knows them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::cli::error::UsageError;
use crate::config::{ModelPlan, RolePlan, Settings};
use crate::constitution::shipped_names;
use crate::model::{ModelRole, Sampling};
use crate::store::NewRun;

/// Nobody is called there: the network is closed.
const NOWHERE: &str = "http://127.0.0.1:9/v1";

/// The settings with recipe, seed, models and sampling as the run had them. What the store does not know
/// stays as it is: the texts of constitution and templates, prices, and how replies are held to a schema.
pub(super) fn of_run(mut settings: Settings, run: &NewRun) -> anyhow::Result<Settings> {
    let decided = &run.decided_by;
    let unknown = || {
        UsageError(format!(
            "the store does not say under which settings the run {} was made, so it cannot be replayed",
            run.name
        ))
    };
    settings.recipe = serde_json::from_value(decided["recipe"].clone()).map_err(|_| unknown())?;
    settings.seed = decided["seed"].as_u64().ok_or_else(unknown)?;
    if settings.constitution.is_none() {
        let name = decided["constitution"]["name"].as_str();
        let shipped = name.filter(|name| shipped_names().into_iter().any(|known| known == *name));
        settings.constitution = shipped.map(str::to_owned);
    }
    let cast: BTreeMap<ModelRole, Value> =
        serde_json::from_value(decided["models"].clone()).map_err(|_| unknown())?;
    let known: Vec<ModelPlan> = settings.models.values().cloned().collect();
    settings.models.clear();
    settings.roles.clear();
    for (role, played) in cast {
        let model = played["model"].as_str().ok_or_else(unknown)?.to_owned();
        let sampling: Sampling =
            serde_json::from_value(played["sampling"].clone()).map_err(|_| unknown())?;
        let plan = known.iter().find(|plan| plan.model == model).cloned();
        let plan = plan.unwrap_or_else(|| nowhere(&model));
        settings.models.insert(model.clone(), plan);
        settings.roles.push((role, RolePlan { model, sampling }));
    }
    Ok(settings)
}

fn nowhere(model: &str) -> ModelPlan {
    ModelPlan {
        model: model.to_owned(),
        base_urls: vec![NOWHERE.to_owned()],
        key_variable: String::new(),
        structured: "auto".to_owned(),
        price: None,
        timeout_seconds: 1,
        connect_seconds: 1,
        first_byte_seconds: None,
        idle_seconds: 1,
        rpm: None,
        tpm: None,
        batch: None,
    }
}
