//! Options that several commands share, and what they mean to the settings.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::app::{self, AppError};
use crate::config::{Environment, Overrides, RecipeSettings, Settings, SettingsError};
use crate::gateway::Served;
use crate::model::{Concurrency, Sampling};
use crate::pipeline::{Pipeline, Preset};
use crate::prefer::{Judge, JudgeOptions};

/// How records are worked on.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct PipelineArgs {
    /// The constitution: a YAML file, or the name of a shipped one [default: privacy]
    #[arg(short, long, value_name = "FILE|NAME")]
    constitution: Option<String>,
    /// The settings file [default: redraft.yaml, if it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The model: a name from the settings, or the name its server knows
    #[arg(short, long, value_name = "NAME", help_heading = "Model")]
    model: Option<String>,
    /// The OpenAI-compatible server; several with commas, or given again, share the calls
    /// [default: `$OPENAI_BASE_URL`, or OpenAI]
    #[arg(long, value_name = "URL", help_heading = "Model")]
    base_url: Vec<String>,
    /// Sampling temperature, of every role
    #[arg(long, value_name = "T", help_heading = "Model")]
    temperature: Option<f64>,
    /// The most tokens of a reply
    #[arg(long, value_name = "N", help_heading = "Model")]
    max_tokens: Option<u32>,
    /// How many calls to one endpoint run at once [default: auto]
    #[arg(long, value_name = "N|auto", help_heading = "Model")]
    concurrency: Option<Concurrency>,
    /// The recipe [default: audit]
    #[arg(long, value_name = "NAME", help_heading = "Recipe")]
    recipe: Option<PresetName>,
    /// The most revisions [default: 2 in audit, 4 in cai]
    #[arg(long, value_name = "N", help_heading = "Recipe")]
    rounds: Option<u32>,
    /// The seed of every draw [default: 0]
    #[arg(long, value_name = "N", help_heading = "Recipe")]
    seed: Option<u64>,
    /// A folder whose prompt templates replace the shipped ones
    #[arg(long, value_name = "FOLDER", help_heading = "Recipe")]
    prompts: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PresetName {
    /// Every principle in every round, until none is violated
    Audit,
    /// One drawn principle a round, in the chat of Bai et al. 2022
    Cai,
}

impl PipelineArgs {
    /// The arguments that name files, and no other.
    pub(super) fn of_files(
        config: Option<PathBuf>,
        constitution: Option<String>,
        prompts: Option<PathBuf>,
    ) -> Self {
        Self {
            constitution,
            config,
            prompts,
            ..Self::default()
        }
    }

    /// The same with this constitution, where there is one.
    pub(super) fn or_constitution(mut self, reference: Option<String>) -> Self {
        self.constitution = reference.or(self.constitution);
        self
    }

    /// The same with this model, where there is one.
    pub(super) fn or_model(mut self, model: Option<String>) -> Self {
        self.model = model.or(self.model);
        self
    }

    /// Nothing but a settings file.
    pub(super) fn of_file(config: Option<PathBuf>) -> Self {
        Self {
            config,
            ..Self::default()
        }
    }

    /// The settings that command line, environment and file make together.
    pub(super) fn settings(self, store: Option<PathBuf>) -> Result<Settings, SettingsError> {
        self.settings_listening(store, None)
    }

    /// The same, with an address for the gateway to listen at.
    pub(super) fn settings_listening(
        self,
        store: Option<PathBuf>,
        listen: Option<String>,
    ) -> Result<Settings, SettingsError> {
        let overrides = Overrides {
            file: self.config,
            constitution: self.constitution,
            store,
            model: self.model,
            base_urls: self.base_url,
            recipe: RecipeSettings {
                preset: self.recipe.map(|recipe| match recipe {
                    PresetName::Audit => Preset::Audit,
                    PresetName::Cai => Preset::Cai,
                }),
                rounds: self.rounds,
                ..RecipeSettings::default()
            },
            sampling: Sampling {
                temperature: self.temperature,
                max_tokens: self.max_tokens,
                ..Sampling::default()
            },
            prompts: self.prompts,
            seed: self.seed,
            concurrency: self.concurrency,
            listen,
        };
        Settings::resolve(overrides, &Environment::of_process())
    }
}

/// The pipeline of these settings, keys taken from the environment.
pub(super) fn pipeline(
    settings: &Settings,
    connections: &app::Connections,
) -> Result<Pipeline, AppError> {
    let environment = Environment::of_process();
    app::pipeline(
        settings,
        |name| environment.get(name).map(str::to_owned),
        connections,
    )
}

/// The models that the gateway offers by these settings, keys taken from the environment.
pub(super) fn served(
    settings: &Settings,
    connections: &app::Connections,
) -> Result<Vec<Served>, AppError> {
    let environment = Environment::of_process();
    app::served(
        settings,
        |name| environment.get(name).map(str::to_owned),
        connections,
    )
}

/// The judge of pairs of these settings, keys taken from the environment.
pub(super) fn judge(
    settings: &Settings,
    options: JudgeOptions,
    connections: &app::Connections,
) -> Result<Judge, AppError> {
    let environment = Environment::of_process();
    app::judge(
        settings,
        options,
        |name| environment.get(name).map(str::to_owned),
        connections,
    )
}

/// Which store.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct StoreArgs {
    /// The store [default: redraft.db]
    #[arg(long, value_name = "FILE")]
    pub(super) store: Option<PathBuf>,
}

impl StoreArgs {
    /// The store's path, which the settings file may name.
    pub(super) fn path(self) -> Result<PathBuf, SettingsError> {
        Ok(PipelineArgs::default().settings(self.store)?.store)
    }
}
