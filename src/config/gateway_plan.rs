//! What `gateway` in the settings means.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::gateway::{GatewaySettings, OfferedSettings};
use super::resolve::{known_models, plan};
use super::{Environment, ModelPlan, Overrides, RecipeSettings, SettingsError, SettingsFile};
use crate::gateway::{
    GatewayOptions, Limits, Mode, OnCriticError, OnUnresolved, TlsFiles, TrustedProxies,
};
use crate::pipeline::Recipe;
use crate::yaml::{Problem, Problems, SourceFile, Step, locate};

/// The gateway, resolved.
#[derive(Clone, Debug)]
pub struct GatewayPlan {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The file of its keys.
    pub keys: PathBuf,
    /// Whether it also serves the pages of its store.
    pub pages: bool,
    /// Where certificate and key are, where connections are encrypted.
    pub tls: Option<TlsFiles>,
    /// Who is believed about where a request comes from.
    pub trusted: TrustedProxies,
    /// How it behaves, whatever the model.
    pub options: GatewayOptions,
    /// The models that it offers.
    pub offered: Vec<OfferedPlan>,
}

/// A model as the gateway offers it, resolved.
#[derive(Clone, Debug)]
pub struct OfferedPlan {
    /// The public name.
    pub name: String,
    /// The model's name in the settings.
    pub upstream: String,
    /// Where it is.
    pub model: ModelPlan,
    /// The constitution: a path or a shipped name; absent when nobody chose one.
    pub constitution: Option<String>,
    /// The recipe.
    pub recipe: Recipe,
    /// What becomes of its answers.
    pub mode: Mode,
    /// What is given when something stays violated.
    pub on_unresolved: OnUnresolved,
    /// What is given when critic or reviser fails.
    pub on_critic_error: OnCriticError,
    /// What is said in place of an answer, if the operator has written something.
    pub message: Option<String>,
    /// Tags of every request.
    pub tags: Vec<String>,
    /// The most revisions that a client may ask for.
    pub client_rounds: Option<u32>,
}

/// The most revisions that clients can be let choose.
const MOST_CLIENT_ROUNDS: u32 = 10;

impl OfferedPlan {
    pub(super) fn new(
        name: &str,
        settings: &OfferedSettings,
        (upstream, model): (String, ModelPlan),
        constitution: Option<String>,
        recipe: Recipe,
    ) -> Result<Self, SettingsError> {
        if settings
            .client_rounds
            .is_some_and(|rounds| rounds > MOST_CLIENT_ROUNDS)
        {
            return Err(SettingsError::Contradiction(format!(
                "`client_rounds` of the gateway's model `{name}` is at most {MOST_CLIENT_ROUNDS}"
            )));
        }
        Ok(Self {
            name: name.to_owned(),
            upstream,
            model,
            constitution,
            recipe,
            mode: settings.mode.unwrap_or_default(),
            on_unresolved: settings.on_unresolved.unwrap_or_default(),
            on_critic_error: settings.on_critic_error.unwrap_or_default(),
            message: settings.message.clone(),
            tags: settings.tags.clone(),
            client_rounds: settings.client_rounds,
        })
    }
}

impl GatewaySettings {
    /// Where the gateway listens.
    pub(super) fn address(&self, given: Option<&str>) -> Result<SocketAddr, SettingsError> {
        let Some(written) = given.or(self.listen.as_deref()) else {
            return Ok((Ipv4Addr::LOCALHOST, 8787).into());
        };
        written.parse().map_err(|_| {
            SettingsError::Contradiction(format!(
                "{written:?} is no address to listen at: write it as 127.0.0.1:8787, or [::1]:8787"
            ))
        })
    }

    /// Who is believed about where a request comes from.
    pub(super) fn trusted(&self) -> Result<TrustedProxies, SettingsError> {
        TrustedProxies::parse(&self.trusted_proxies).map_err(|error| {
            SettingsError::Contradiction(format!(
                "`trusted_proxies` under `gateway` is wrong: {error}"
            ))
        })
    }

    /// How the gateway behaves.
    pub(super) fn options(&self) -> Result<GatewayOptions, SettingsError> {
        let default = GatewayOptions::default();
        let limits = default.limits;
        Ok(GatewayOptions {
            grace: seconds("grace_seconds", self.grace_seconds, default.grace)?,
            keep_alive: above_zero(
                "keep_alive_seconds",
                seconds(
                    "keep_alive_seconds",
                    self.keep_alive_seconds,
                    default.keep_alive,
                )?,
            )?,
            deadline: above_zero(
                "deadline_seconds",
                seconds("deadline_seconds", self.deadline_seconds, default.deadline)?,
            )?,
            durability: self.durability.unwrap_or_default(),
            observations: count("observations", self.observations, default.observations)?,
            observers: count("observers", self.observers, default.observers)?,
            limits: Limits {
                body_bytes: count("body_bytes", self.body_bytes, limits.body_bytes)?,
                body_time: seconds("body_seconds", self.body_seconds, limits.body_time)?,
                head_bytes: self.head_bytes()?,
                head_time: seconds("head_seconds", self.head_seconds, limits.head_time)?,
                write_time: seconds("write_seconds", self.write_seconds, limits.write_time)?,
                held_bytes: count("held_bytes", self.held_bytes, limits.held_bytes)?,
                connections: count("connections", self.connections, limits.connections)?,
                stop_time: seconds("stop_seconds", self.stop_seconds, limits.stop_time)?,
                farewell: seconds("farewell_seconds", self.farewell_seconds, limits.farewell)?,
                ..limits
            },
        })
    }

    /// The HTTP parser's buffer has a least size of its own.
    fn head_bytes(&self) -> Result<usize, SettingsError> {
        let bytes = count("head_bytes", self.head_bytes, Limits::default().head_bytes)?;
        if bytes < Limits::LEAST_HEAD_BYTES {
            let least = Limits::LEAST_HEAD_BYTES;
            return Err(wrong("head_bytes", &format!("at least {least}")));
        }
        Ok(bytes)
    }
}

fn wrong(field: &str, must: &str) -> SettingsError {
    SettingsError::Contradiction(format!("`{field}` under `gateway` must be {must}"))
}

fn count(field: &str, written: Option<usize>, default: usize) -> Result<usize, SettingsError> {
    match written.unwrap_or(default) {
        0 => Err(wrong(field, "a whole number from 1")),
        count => Ok(count),
    }
}

fn seconds(
    field: &str,
    written: Option<f64>,
    default: Duration,
) -> Result<Duration, SettingsError> {
    let Some(seconds) = written else {
        return Ok(default);
    };
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong(field, "a number from 0"))
}

fn above_zero(field: &str, time: Duration) -> Result<Duration, SettingsError> {
    if time.is_zero() {
        return Err(wrong(field, "a number above 0"));
    }
    Ok(time)
}

/// What the gateway's models are made of.
pub(super) struct Offering<'a> {
    pub(super) file: &'a SettingsFile,
    pub(super) source: Option<&'a SourceFile>,
    pub(super) overrides: &'a Overrides,
    pub(super) environment: &'a Environment,
    pub(super) constitution: Option<&'a String>,
    pub(super) reference: &'a dyn Fn(&String) -> String,
    /// The model that is offered under its own name where none is listed.
    pub(super) only: Option<(String, ModelPlan)>,
}

/// The models that the gateway offers.
pub(super) fn offered(offering: &Offering<'_>) -> Result<Vec<OfferedPlan>, SettingsError> {
    let Offering {
        file, overrides, ..
    } = offering;
    let recipe = |own: &RecipeSettings| {
        let base = own.clone().or(file.recipe.clone());
        overrides.recipe.clone().or(base).recipe()
    };
    if file.gateway.models.is_empty() || overrides.model.is_some() {
        let Some((name, model)) = offering.only.clone() else {
            return Ok(Vec::new());
        };
        let settings = OfferedSettings::default();
        let recipe = recipe(&settings.recipe);
        let constitution = offering.constitution.cloned();
        let upstream = (name.clone(), model);
        return Ok(vec![OfferedPlan::new(
            &name,
            &settings,
            upstream,
            constitution,
            recipe,
        )?]);
    }
    let models = file.gateway.models.iter().map(|(name, settings)| {
        let upstream = settings.upstream.as_ref().unwrap_or(name);
        let Some(model) = file.models.get(upstream) else {
            return Err(unknown_upstream(file, offering.source, name, upstream));
        };
        let model = plan(upstream, model, offering.environment)?;
        let constitution = (overrides.constitution.clone())
            .or_else(|| settings.constitution.as_ref().map(offering.reference))
            .or_else(|| offering.constitution.cloned());
        let recipe = recipe(&settings.recipe);
        OfferedPlan::new(
            name,
            settings,
            (upstream.clone(), model),
            constitution,
            recipe,
        )
    });
    models.collect()
}

fn unknown_upstream(
    file: &SettingsFile,
    source: Option<&SourceFile>,
    name: &str,
    upstream: &str,
) -> SettingsError {
    let message = format!(
        "the gateway's model `{name}` is to be `{upstream}`, and no model under `models` has that name"
    );
    let Some(source) = source else {
        return SettingsError::Contradiction(message);
    };
    let steps = [Step::Key("gateway"), Step::Key("models")];
    let problem = Problem::error(source, message).at(locate(source.text(), &steps));
    Problems::from(problem.help(known_models(file, upstream))).into()
}
